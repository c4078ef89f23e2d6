package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"maps"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// RevokeKey ends a key now. When it returns, the keyring refuses the key.
// Idempotent: the first revocation stands. ifMatch 0: any version. Errors:
// ErrNotFound, ErrConflict.
func (s *Store) RevokeKey(ctx context.Context, by auth.Principal, id uid.ID, ifMatch uint64) (*auth.Key, error) {
	var key *auth.Key
	err := s.withdraw(ctx, by, func(t *tx) error {
		var err error
		key, err = readKey(t, by.OrgID, id)
		switch {
		case err != nil:
			return err
		case ifMatch != 0 && ifMatch != key.Version:
			return ErrConflict
		case key.State(t.now) == auth.Revoked:
			return nil
		}
		key.RevokedAt, key.UpdatedAt = t.now, t.now
		return errors.Join(t.putKey(key), t.audit(keyRevoke, id, endOf(key)))
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// revoke revokes keys of the organization that is acted in. detail may be nil.
func (t *tx) revoke(ids []uid.ID, detail Detail) error {
	for _, id := range ids {
		key, err := readKey(t, t.by.OrgID, id)
		if err != nil {
			return err
		}
		key.RevokedAt, key.UpdatedAt = t.now, t.now
		says := endOf(key)
		maps.Copy(says, detail)
		if err := errors.Join(t.putKey(key), t.audit(keyRevoke, id, says)); err != nil {
			return err
		}
	}
	return nil
}

// tagOf is the key in the detail of what ends a key of its look-up tag, in hex. After a
// restore from a time before the key it is all that is known of its secret, which
// must not open another key (hasEnded). It gives away 64 bits of 190.
const tagOf = "tag"

// endOf is what the audit log says of the end of a key.
func endOf(k *auth.Key) Detail { return Detail{tagOf: hex.EncodeToString(k.Tag[:])} }

// hasEnded refuses a secret that was brought along if the audit log says that it was
// a key's that was revoked or rotated. There may be no other trace of that key, after a
// restore. It reads the whole log, which is done for secrets that are brought along
// alone.
func hasEnded(r kv.Reader, token auth.Token) error {
	if token.IsZero() {
		return nil
	}
	tag := token.Tag()
	ended := hex.EncodeToString(tag[:])
	return scan(r, inGlobal(famAudit), famAudit, func(_ []byte, rec *auditRecord) error {
		if rec.Detail[tagOf] == ended {
			return ErrSecretEnded
		}
		return nil
	})
}
