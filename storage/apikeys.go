package storage

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// KeyDraft is a new API key as asked for.
type KeyDraft struct {
	Name      string // 1..200 characters
	UserID    uid.ID // zero: by's user, else the organization's owner
	Scopes    auth.Scopes
	Networks  []netip.Prefix
	ExpiresAt time.Time   // zero: never
	Limits    auth.Limits // operators only: refused from a key (it inherits instead)
}

// clean brings d into the form in which it is kept, or says why it can't.
func (d *KeyDraft) clean(by auth.Principal) error {
	var bad refusals
	d.Name = bad.text("name", d.Name, 1, maxName)
	if d.Scopes == 0 {
		bad.add("scopes", "at least one scope is needed")
	}
	if slices.ContainsFunc(d.Networks, func(n netip.Prefix) bool { return !n.IsValid() }) {
		bad.add("allowed_cidrs", "must be networks")
	}
	if len(d.Limits) > 0 {
		if _, err := auth.ParseLimits(d.Limits.String()); err != nil {
			bad.add("rate_limits", err.Error())
		}
		if !operates(by) {
			bad.add("rate_limits", "only an operator sets them")
		}
	}
	d.Networks, d.Limits = slices.Clone(d.Networks), slices.Clone(d.Limits) // the caller's own stay his
	d.ExpiresAt = whole(d.ExpiresAt)
	return bad.err()
}

// CreateKey mints a key, checks that by may grant it (auth.Key.MayGrant when
// by.Key is set; limits are inherited from by.Key), hashes it and records it.
// The Token is the only copy of the secret. Errors: ErrInvalid, auth.ErrScope,
// *auth.BusyError, ErrNotFound if there is no such organization, and
// auth.ErrRevoked or auth.ErrExpired if by.Key has ended meanwhile.
func (s *Store) CreateKey(ctx context.Context, by auth.Principal, d KeyDraft) (auth.Key, auth.Token, error) {
	if err := d.clean(by); err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	// What is refused is refused before it costs a hash, and again once the
	// transaction sees what is true by then.
	err := s.db.View(ctx, func(r kv.Reader) error {
		_, err := s.grant(r, by, d, s.now())
		return err
	})
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	token, hash, err := s.mint(ctx)
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	var key *auth.Key
	err = s.update(ctx, by, func(t *tx) error {
		var err error
		if key, err = s.grant(t, by, d, t.now); err != nil {
			return err
		}
		key.Snippet, key.Tag, key.Hash = token.Snippet(), token.Tag(), hash
		return errors.Join(t.insertKey(key), t.audit(keyCreate, key.ID, rightsOf(key)))
	})
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	return *key, token, nil
}

// mint makes a secret and its hash.
func (s *Store) mint(ctx context.Context) (auth.Token, auth.Hash, error) {
	token, err := auth.Mint(s.options.Environment, s.options.Rand)
	if err != nil {
		return auth.Token{}, auth.Hash{}, err
	}
	hash, err := s.options.Hasher.Hash(ctx, token)
	return token, hash, err
}

// insertKey writes a new key with its tag, and lets the keyring know.
func (t *tx) insertKey(k *auth.Key) error {
	t.OnCommit(func() { t.store.keyring.Put(*k) })
	return errors.Join(
		t.count(func(c *counts) { c.Keys++ }),
		insert(t, keyTag(k.Tag, k.ID), famTag, &tagRecord{k.OrgID}),
		insert(t, keyAPIKey(k.OrgID, k.ID), famKey, recordOfKey(k)),
	)
}

// putKey replaces the record of a key whose tag stays, and lets the keyring know.
func (t *tx) putKey(k *auth.Key) error {
	k.Version++
	t.OnCommit(func() { t.store.keyring.Put(*k) })
	return put(t, keyAPIKey(k.OrgID, k.ID), famKey, recordOfKey(k))
}

// readKey reads one key of an organization; ErrNotFound.
func readKey(r kv.Reader, org, id uid.ID) (*auth.Key, error) {
	var rec keyRecord
	if err := get(r, keyAPIKey(org, id), famKey, &rec); err != nil {
		return nil, err
	}
	return rec.key(org, id)
}

// Key is one key of an organization; ErrNotFound.
func (s *Store) Key(org, id uid.ID) (*auth.Key, error) {
	if k, ok := s.keyring.Get(id); ok && k.OrgID == org {
		return k, nil
	}
	return nil, ErrNotFound
}

// Keys are all keys of an organization, expired and revoked ones too, by creation.
func (s *Store) Keys(org uid.ID) []*auth.Key { return s.keyring.Of(org) }

// FindKey is for the shell, which is in no organization; ErrNotFound.
func (s *Store) FindKey(id uid.ID) (*auth.Key, error) {
	if k, ok := s.keyring.Get(id); ok {
		return k, nil
	}
	return nil, ErrNotFound
}

// RevokeKey ends a key now. When it returns, the keyring refuses the key.
// Idempotent: the first revocation stands. Errors: ErrNotFound.
func (s *Store) RevokeKey(ctx context.Context, by auth.Principal, id uid.ID) (*auth.Key, error) {
	var key *auth.Key
	err := s.update(ctx, by, func(t *tx) error {
		var err error
		if key, err = readKey(t, by.OrgID, id); err != nil || key.State(t.now) == auth.Revoked {
			return err
		}
		key.RevokedAt, key.UpdatedAt = t.now, t.now
		return errors.Join(t.putKey(key), t.audit(keyRevoke, id, nil))
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// UpgradeHash implements auth.Ledger: it replaces a key's hash if its record
// still has version v. Errors: ErrConflict if it has not, ErrNotFound.
func (s *Store) UpgradeHash(ctx context.Context, id uid.ID, v uint64, h auth.Hash) error {
	known, err := s.FindKey(id)
	if err != nil {
		return err
	}
	return s.update(ctx, auth.System(known.OrgID), func(t *tx) error {
		key, err := readKey(t, known.OrgID, id)
		if err != nil {
			return err
		}
		if key.Version != v {
			return ErrConflict
		}
		key.Hash = h
		return errors.Join(t.putKey(key), t.audit(keyRehash, id, nil))
	})
}
