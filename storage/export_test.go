package storage

import (
	"context"

	"exante/storage/archive"
	"exante/storage/kv"
)

// Digest is the fingerprint of everything in the database but the records of
// restores, which each restore adds one to.
func (s *Store) Digest(ctx context.Context) ([32]byte, error) {
	d := archive.NewDigest()
	err := s.db.View(ctx, func(r kv.Reader) error {
		return r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			if key[0] == spaceGlobal && key[1] == famAuditHead {
				return true, nil
			}
			if key[0] == spaceGlobal && key[1] == famAudit {
				var rec auditRecord
				if err := open(key, famAudit, value, &rec); err != nil || rec.Action == storeRestore {
					return true, err
				}
			}
			d.Add(key, value)
			return true, nil
		})
	})
	return d.Sum(), err
}
