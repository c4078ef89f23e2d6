package storage

import "context"

// Digest is the fingerprint of everything in the database.
func (s *Store) Digest(ctx context.Context) ([32]byte, error) { return digest(ctx, s.db) }
