package storage

import (
	"context"
	"errors"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// signingKeyRecord is the key that signs links to attachments and cursors of
// lists, so that both outlive a restart. A store that has none yet gets one when
// it is opened.
type signingKeyRecord struct {
	Secret [auth.SigningKeySize]byte `cbor:"1,keyasint"`
}

// SigningKey signs what clients keep for a while and bring back.
func (s *Store) SigningKey() auth.SigningKey { return s.signing }

// loadSigningKey reads the key, or makes it.
func (s *Store) loadSigningKey(ctx context.Context) error {
	var record signingKeyRecord
	err := s.db.View(ctx, func(r kv.Reader) error { return get(r, keySigningKey(), famSigningKey, &record) })
	if errors.Is(err, ErrNotFound) {
		return s.makeSigningKey(ctx)
	}
	s.signing = auth.NewSigningKey(record.Secret)
	return err
}

func (s *Store) makeSigningKey(ctx context.Context) (err error) {
	if s.signing, err = auth.MintSigningKey(s.options.Rand); err != nil {
		return err
	}
	return s.update(ctx, auth.System(uid.ID{}), func(t *tx) error {
		return insert(t, keySigningKey(), famSigningKey, &signingKeyRecord{s.signing.Reveal()})
	})
}
