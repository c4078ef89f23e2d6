package storage

import (
	"exante/auth"
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

// loadSigningKey reads the key; ErrNotFound.
func (s *Store) loadSigningKey(r kv.Reader) error {
	var record signingKeyRecord
	err := get(r, keySigningKey(), famSigningKey, &record)
	if err == nil {
		s.signing = auth.NewSigningKey(record.Secret)
	}
	return err
}

// insertSigningKey writes the key that the store has in memory.
func (t *tx) insertSigningKey() error {
	return insert(t, keySigningKey(), famSigningKey, &signingKeyRecord{t.store.signing.Reveal()})
}
