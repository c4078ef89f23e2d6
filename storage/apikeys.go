package storage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// KeyDraft is a new API key as asked for.
type KeyDraft struct {
	Name      string // 1..200 characters
	UserID    uid.ID // zero: by's user, else the organization's owner
	Scopes    auth.Scopes
	Networks  []netip.Prefix
	ExpiresAt time.Time   // zero: never
	Limits    auth.Limits // refused from a key (it inherits instead); of a user within the instance's default
	Token     auth.Token  // operators only: the secret, minted elsewhere; zero: a new one
}

// clean brings d into the form in which it is kept, or says why it can't.
func (d *KeyDraft) clean(by auth.Principal) error {
	var bad input.Refusals
	d.Name = bad.Text("name", d.Name, 1, maxName)
	if d.Scopes == 0 {
		bad.Add("scopes", "at least one scope is needed")
	}
	if slices.ContainsFunc(d.Networks, func(n netip.Prefix) bool { return !n.IsValid() }) {
		bad.Add("allowed_cidrs", "must be networks")
	}
	if len(d.Limits) > 0 {
		if _, err := auth.ParseLimits(d.Limits.String()); err != nil {
			bad.Add(fieldLimits, err.Error())
		}
		if by.Key != nil {
			bad.Add(fieldLimits, "only an operator sets them")
		}
	}
	if !d.Token.IsZero() && !operates(by) {
		bad.Add("key", "only an operator chooses it")
	}
	d.Networks, d.Limits = slices.Clone(d.Networks), slices.Clone(d.Limits) // the caller's own stay his
	d.ExpiresAt = whole(d.ExpiresAt)
	return bad.Err()
}

// CreateKey mints a key unless d brings its secret, checks that by may grant it (auth.Key.MayGrant when
// by.Key is set; limits are inherited from by.Key), hashes it and records it.
// The Token is the only copy of the secret. Errors: input.ErrInvalid, auth.ErrScope,
// *auth.BusyError, ErrNotFound if there is no such organization, ErrExists if the
// secret that d brings is that of another key, ErrSecretEnded if it was,
// auth.ErrRevoked, auth.ErrExpired or auth.ErrSuspended if by.Key has ended meanwhile,
// ErrUserDisabled if by's user or whose the key is to be is disabled, and those of Once.
func (s *Store) CreateKey(ctx context.Context, by auth.Principal, d KeyDraft, once ...*Once[auth.Key]) (auth.Key, auth.Token, error) {
	if err := d.clean(by); err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	// What is refused is refused before it costs a hash, and again once the
	// transaction sees what is true by then.
	o := only(once)
	err := s.db.View(ctx, func(r kv.Reader) error {
		if err := o.answered(r, by.OrgID, s.now()); err != nil {
			return err
		}
		_, err := s.grant(r, by, d, s.now())
		return errors.Join(err, isNew(r, d.Token), hasEnded(r, d.Token))
	})
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	token, hash, err := s.mint(ctx, d.Token)
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	var made auth.Key
	err = s.update(ctx, by, o.around(&made, func(t *tx) error {
		key, err := s.grant(t, by, d, t.now)
		if err != nil {
			return err
		}
		key.Snippet, key.Tag, key.Hash = token.Snippet(), token.Tag(), hash
		made = *key
		return errors.Join(isNew(t, d.Token), t.insertKey(key), t.audit(keyCreate, key.ID, rightsOf(key)))
	}))
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	return made, token, nil
}

// mint makes a secret, unless there is one, and its hash.
func (s *Store) mint(ctx context.Context, token auth.Token) (auth.Token, auth.Hash, error) {
	var err error
	if token.IsZero() {
		if token, err = auth.Mint(s.options.Environment, s.options.Rand); err != nil {
			return auth.Token{}, auth.Hash{}, err
		}
	}
	hash, err := s.options.Hasher.Hash(ctx, token)
	return token, hash, err
}

// isNew refuses a secret that was brought along if some key may have it already: one
// token must never open two keys. That another has its tag by chance, 1 in 2^64, is
// no reason to look closer.
func isNew(r kv.Reader, token auth.Token) error {
	if token.IsZero() {
		return nil
	}
	return scan(r, inTag(token.Tag()), famTag, func([]byte, *tagRecord) error { return &ExistsError{"key"} })
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

// keyRecord is an API key on disk; ID and organization are in its key. Scopes,
// networks and limits lie there as they are written elsewhere, so that the
// numbers behind them may change.
type keyRecord struct {
	UserID      uid.ID   `cbor:"1,keyasint"`
	Name        string   `cbor:"2,keyasint"`
	Snippet     string   `cbor:"3,keyasint"`
	Tag         auth.Tag `cbor:"4,keyasint"`
	Hash        string   `cbor:"5,keyasint"` // PHC string
	Scopes      []string `cbor:"6,keyasint"`
	Networks    []string `cbor:"7,keyasint,omitempty"`
	Limits      string   `cbor:"8,keyasint,omitempty"`
	CreatedAt   stamp    `cbor:"9,keyasint"`
	UpdatedAt   stamp    `cbor:"10,keyasint"`
	ExpiresAt   stamp    `cbor:"11,keyasint,omitempty"`
	RevokedAt   stamp    `cbor:"12,keyasint,omitempty"`
	RetiresAt   stamp    `cbor:"13,keyasint,omitempty"`
	RotatedTo   uid.ID   `cbor:"14,keyasint,omitzero"`
	RotatedFrom uid.ID   `cbor:"15,keyasint,omitzero"`
	Version     uint64   `cbor:"16,keyasint"`
}

func recordOfKey(k *auth.Key) *keyRecord {
	rec := &keyRecord{
		UserID: k.UserID, Name: k.Name, Snippet: k.Snippet, Tag: k.Tag, Hash: k.Hash.PHC(),
		Scopes: k.Scopes.Names(), Limits: k.Limits.String(),
		CreatedAt: stampOf(k.CreatedAt), UpdatedAt: stampOf(k.UpdatedAt),
		ExpiresAt: stampOf(k.ExpiresAt), RevokedAt: stampOf(k.RevokedAt), RetiresAt: stampOf(k.RetiresAt),
		RotatedTo: k.RotatedTo, RotatedFrom: k.RotatedFrom, Version: k.Version,
	}
	for _, n := range k.Networks {
		rec.Networks = append(rec.Networks, n.String())
	}
	return rec
}

// key is the record as auth uses it. A hash, scope or limit that auth refuses
// is damage: a key must not come out with more rights than went in.
func (r *keyRecord) key(org, id uid.ID) (*auth.Key, error) {
	k := &auth.Key{
		ID: id, OrgID: org, UserID: r.UserID, Name: r.Name, Snippet: r.Snippet, Tag: r.Tag,
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
		ExpiresAt: r.ExpiresAt.time(), RevokedAt: r.RevokedAt.time(), RetiresAt: r.RetiresAt.time(),
		RotatedTo: r.RotatedTo, RotatedFrom: r.RotatedFrom, Version: r.Version,
	}
	err := r.rights(k)
	if err != nil {
		return nil, fmt.Errorf("%w: api key %s: %w", ErrCorrupt, id, err)
	}
	return k, nil
}

func (r *keyRecord) rights(k *auth.Key) (err error) {
	if k.Hash, err = auth.ParseHash(r.Hash); err != nil {
		return err
	}
	if k.Scopes, err = auth.ParseScopes(append([]string{}, r.Scopes...)); err != nil { // not nil: nil means all
		return err
	}
	if r.Limits != "" {
		if k.Limits, err = auth.ParseLimits(r.Limits); err != nil {
			return err
		}
	}
	for _, text := range r.Networks {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return err
		}
		k.Networks = append(k.Networks, n)
	}
	return nil
}

// tagRecord says where the API key with a look-up tag lies; the tag and the ID
// are in its key.
type tagRecord struct {
	Org uid.ID `cbor:"1,keyasint"`
}
