package storage

import (
	"context"
	"errors"
	"slices"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// maxGrace is how long a rotated key may go on.
const maxGrace = 30 * 24 * time.Hour

// RotateKey makes a successor with a secret of its own and retires the key after
// grace, 0 to 30 days; at once when that is 0. Name, user, scopes, networks and
// limits are copied. The successor lives as long as the first was to live, but no
// longer than by may grant. Errors: ErrKeyNotActive, ErrNotFound, ErrInvalid,
// auth.ErrScope if the key reaches further than by.Key, *auth.BusyError, and
// auth.ErrRevoked or auth.ErrExpired if by.Key has ended meanwhile.
func (s *Store) RotateKey(ctx context.Context, by auth.Principal, id uid.ID, grace time.Duration) (auth.Key, auth.Token, error) {
	if grace < 0 || grace > maxGrace {
		return auth.Key{}, auth.Token{}, Invalid("grace_days", "must be from 0 to 30")
	}
	err := s.db.View(ctx, func(r kv.Reader) error { // before it costs a hash
		_, _, err := s.succeed(r, by, id, s.now())
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
		var old *auth.Key
		var err error
		if old, key, err = s.succeed(t, by, id, t.now); err != nil {
			return err
		}
		key.Snippet, key.Tag, key.Hash = token.Snippet(), token.Tag(), hash
		retire(old, t.now, grace)
		old.RotatedTo = key.ID
		return errors.Join(t.insertKey(key), t.putKey(old), t.audit(keyRotate, id, Detail{"successor": key.ID.String()}))
	})
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	return *key, token, nil
}

// retire ends a key after grace.
func retire(k *auth.Key, now time.Time, grace time.Duration) {
	k.UpdatedAt = now
	if grace == 0 {
		k.RevokedAt = now
		return
	}
	k.RetiresAt = now.Add(grace)
}

// succeed reads the key and makes its successor, but for the secret.
func (s *Store) succeed(r kv.Reader, by auth.Principal, id uid.ID, now time.Time) (old, next *auth.Key, err error) {
	if old, err = readKey(r, by.OrgID, id); err != nil {
		return nil, nil, err
	}
	if old.State(now) != auth.Active {
		return nil, nil, ErrKeyNotActive
	}
	next = &auth.Key{
		OrgID: old.OrgID, UserID: old.UserID, Name: old.Name,
		Scopes: old.Scopes, Networks: old.Networks, Limits: old.Limits,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: s.lastExpiry(now), RotatedFrom: id, Version: 1,
	}
	if !old.ExpiresAt.IsZero() {
		next.ExpiresAt = sooner(next.ExpiresAt, now.Add(old.ExpiresAt.Sub(old.CreatedAt)))
	}
	if by.Key != nil {
		asks, err := usableKey(r, by, now)
		if err != nil {
			return nil, nil, err
		}
		next.ExpiresAt = sooner(next.ExpiresAt, sooner(asks.ExpiresAt, asks.RetiresAt))
		if err := mayRenew(asks, next); err != nil {
			return nil, nil, err
		}
	}
	next.ID, err = s.ids.New()
	return old, next, err
}

// mayRenew refuses a successor that reaches further than the key that asks.
func mayRenew(asks, next *auth.Key) error {
	if !limitsInside(next.Limits, asks.Limits) {
		return &auth.ScopeError{Need: auth.APIKeysWrite, Detail: "rate_limits: wider than those of the key that asks"}
	}
	return asks.MayGrant(auth.Grant{Scopes: next.Scopes, Networks: next.Networks, ExpiresAt: next.ExpiresAt})
}

// limitsInside reports whether whoever keeps to inner keeps to outer. A key
// without limits of its own has those of the instance, which an operator may
// change, so they are inside no others.
func limitsInside(inner, outer auth.Limits) bool {
	return !slices.ContainsFunc(outer, func(o auth.Window) bool {
		return !slices.ContainsFunc(inner, func(i auth.Window) bool { return i.Every == o.Every && i.Limit <= o.Limit })
	})
}
