package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// grant is the key that by may have for the asking at now, but for its secret.
func (s *Store) grant(r kv.Reader, by auth.Principal, d KeyDraft, now time.Time) (*auth.Key, error) {
	asks, err := askingKey(r, by, now)
	if err != nil {
		return nil, err
	}
	user, err := keyUserOf(r, by, d.UserID)
	if err != nil {
		return nil, err
	}
	switch end := s.LastExpiry(now); {
	case !d.ExpiresAt.IsZero() && !d.ExpiresAt.After(now):
		return nil, input.Invalid("expires_in_days", "must be in the future")
	case !sooner(d.ExpiresAt, end).Equal(d.ExpiresAt):
		return nil, input.Invalid("expires_in_days", fmt.Sprintf("must be at most %d days away", s.options.MaxExpiryDays))
	}
	if err := mayLimit(by, d.Limits, s.options.Limits); err != nil {
		return nil, err
	}
	k := &auth.Key{
		OrgID: by.OrgID, UserID: user, Name: d.Name, Scopes: d.Scopes, Networks: d.Networks, Limits: d.Limits,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: d.ExpiresAt, Version: 1,
	}
	if asks != nil {
		if err := asks.MayGrant(auth.Grant{Scopes: k.Scopes, Networks: k.Networks, ExpiresAt: k.ExpiresAt}); err != nil {
			return nil, err
		}
		k.Limits = asks.Limits
	}
	k.ID, err = s.ids.New()
	return k, err
}

// keyUserOf is whose a new key is: the user asked for, or by's, or the owner.
func keyUserOf(r kv.Reader, by auth.Principal, wanted uid.ID) (uid.ID, error) {
	if wanted.IsZero() {
		wanted = by.UserID
	}
	if wanted.IsZero() {
		owner, err := ownerOf(r, by.OrgID)
		return owner.ID, err
	}
	err := enabled(r, by.OrgID, wanted)
	if errors.Is(err, ErrNotFound) {
		return uid.ID{}, input.Invalid("user_uid", "no such user in this organization")
	}
	return wanted, err
}

// enabled is ErrUserDisabled if the user is; ErrNotFound if there is none.
func enabled(r kv.Reader, org, id uid.ID) error {
	u, err := userOf(r, org, id)
	if err == nil && !u.DisabledAt.IsZero() {
		err = fmt.Errorf("%w: %s", ErrUserDisabled, u.Email)
	}
	return err
}

// askingKey is the key that asks, nil if none does, as it is recorded now: it may have
// been revoked or suspended while a new secret was hashed, and must not outlive
// that in another key. Neither must a user who asks and was disabled.
func askingKey(r kv.Reader, by auth.Principal, now time.Time) (*auth.Key, error) {
	if operates(by) {
		return nil, nil
	}
	if by.Key == nil {
		return nil, enabled(r, by.OrgID, by.UserID)
	}
	k, err := readKey(r, by.OrgID, by.Key.ID)
	if err != nil {
		return nil, err
	}
	if err := k.Usable(now); err != nil {
		return nil, err
	}
	if err := enabled(r, k.OrgID, k.UserID); errors.Is(err, ErrUserDisabled) {
		return nil, auth.ErrSuspended
	} else if err != nil {
		return nil, missing(err, "user", keyUser(k.OrgID, k.UserID))
	}
	return k, nil
}

// mayLimit refuses what a user would allow a key beyond the limits that it has, or
// else those of the instance: they keep others from being crowded out, and an operator
// alone lifts them.
func mayLimit(by auth.Principal, wanted auth.Limits, has ...auth.Limits) error {
	if operates(by) || len(wanted) == 0 || slices.ContainsFunc(has, wanted.Within) {
		return nil
	}
	return input.Invalid(fieldLimits, fmt.Sprintf("must not allow more than %s: only an operator lifts that", has[0]))
}

// LastExpiry is the latest end of a key that is made at now; zero: no bound.
func (s *Store) LastExpiry(now time.Time) time.Time {
	if s.options.MaxExpiryDays == 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, s.options.MaxExpiryDays)
}

// sooner is the earlier of two instants of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// rightsOf is what the audit log says of a new key.
func rightsOf(k *auth.Key) Detail {
	d := Detail{fieldScopes: k.Scopes.String()}
	if !k.ExpiresAt.IsZero() {
		d[fieldExpiry] = k.ExpiresAt.Format(time.RFC3339)
	}
	if len(k.Networks) > 0 {
		d[fieldNetworks] = networksText(k.Networks)
	}
	if len(k.Limits) > 0 {
		d[fieldLimits] = k.Limits.String()
	}
	return d
}

// operates reports whether by runs the instance: the shell or the program itself.
func operates(by auth.Principal) bool {
	return by.Shell || by.Key == nil && by.UserID.IsZero()
}

// maxGrace is how long a rotated key may go on.
const maxGrace = 30 * 24 * time.Hour

// RotateKey makes a successor with a secret of its own and retires the key after
// grace, 0 to 30 days; at once when that is 0. Name, user, scopes, networks and
// limits are copied. The successor lives as long as the first was to live, but no
// longer than by may grant. ifMatch 0: any version. Errors: ErrConflict, ErrKeyNotActive, ErrNotFound, input.ErrInvalid,
// auth.ErrScope if the key reaches further than by.Key, *auth.BusyError,
// auth.ErrRevoked, auth.ErrExpired or auth.ErrSuspended if by.Key has ended meanwhile,
// ErrUserDisabled if by's user or whose the key is has been disabled, and those of Once.
func (s *Store) RotateKey(ctx context.Context, by auth.Principal, id uid.ID, grace time.Duration, ifMatch uint64, once ...*Once[auth.Key]) (auth.Key, auth.Token, error) {
	if grace < 0 || grace > maxGrace {
		return auth.Key{}, auth.Token{}, input.Invalid("grace_days", "must be from 0 to 30")
	}
	o := only(once)
	err := s.db.View(ctx, func(r kv.Reader) error { // before it costs a hash
		if err := o.answered(r, by.OrgID, s.now()); err != nil {
			return err
		}
		_, _, err := s.succeed(r, by, id, ifMatch, s.now())
		return err
	})
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	token, hash, err := s.mint(ctx, auth.Token{})
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	var made auth.Key
	err = s.update(ctx, by, o.around(&made, func(t *tx) error {
		old, key, err := s.succeed(t, by, id, ifMatch, t.now)
		if err != nil {
			return err
		}
		key.Snippet, key.Tag, key.Hash = token.Snippet(), token.Tag(), hash
		retire(old, t.now, grace)
		old.RotatedTo = key.ID
		made = *key
		return errors.Join(t.insertKey(key), t.putKey(old), t.audit(keyRotate, id, rotationOf(old)))
	}))
	if err != nil {
		return auth.Key{}, auth.Token{}, err
	}
	return made, token, nil
}

// retiresAt is the key in the detail of a rotation of when the old key retires, as
// lineTime. Records of older versions do not have it.
const retiresAt = "retires_at"

// rotationOf is what the audit log says of the rotation of old.
func rotationOf(old *auth.Key) Detail {
	d := endOf(old)
	d["successor"], d[retiresAt] = old.RotatedTo.String(), old.RetiresAt.UTC().Format(lineTime)
	return d
}

// retire ends a key after grace: from RetiresAt on it reads as revoked. Without
// grace that is now, and said outright: no step of the clock may bring it back.
func retire(k *auth.Key, now time.Time, grace time.Duration) {
	k.UpdatedAt, k.RetiresAt = now, now.Add(grace)
	if grace == 0 {
		k.RevokedAt = now
	}
}

// succeed reads the key and makes its successor, but for the secret.
func (s *Store) succeed(r kv.Reader, by auth.Principal, id uid.ID, ifMatch uint64, now time.Time) (old, next *auth.Key, err error) {
	if old, err = readKey(r, by.OrgID, id); err != nil {
		return nil, nil, err
	}
	switch {
	case ifMatch != 0 && ifMatch != old.Version:
		return nil, nil, ErrConflict
	case old.State(now) != auth.Active:
		return nil, nil, ErrKeyNotActive
	}
	next = &auth.Key{
		OrgID: old.OrgID, UserID: old.UserID, Name: old.Name,
		Scopes: old.Scopes, Networks: old.Networks, Limits: old.Limits,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: s.LastExpiry(now), RotatedFrom: id, Version: 1,
	}
	if !old.ExpiresAt.IsZero() {
		next.ExpiresAt = sooner(next.ExpiresAt, now.Add(old.ExpiresAt.Sub(old.CreatedAt)))
	}
	asks, err := askingKey(r, by, now)
	if err != nil {
		return nil, nil, err
	}
	if err := enabled(r, old.OrgID, old.UserID); err != nil {
		return nil, nil, missing(err, "user", keyUser(old.OrgID, old.UserID))
	}
	if asks != nil {
		next.ExpiresAt = sooner(next.ExpiresAt, sooner(asks.ExpiresAt, asks.RetiresAt))
		if err := s.mayRenew(asks, next); err != nil {
			return nil, nil, err
		}
	}
	next.ID, err = s.ids.New()
	return old, next, err
}

// mayRenew refuses a successor that reaches further than the key that asks, each
// with the limits that apply to it: its own or the instance's.
func (s *Store) mayRenew(asks, next *auth.Key) error {
	if !s.limitsOf(next).Within(s.limitsOf(asks)) {
		return &auth.ScopeError{Need: auth.APIKeysWrite, Detail: "rate_limits: wider than those of the key that asks"}
	}
	return asks.MayGrant(auth.Grant{Scopes: next.Scopes, Networks: next.Networks, ExpiresAt: next.ExpiresAt})
}

func (s *Store) limitsOf(k *auth.Key) auth.Limits {
	if len(k.Limits) > 0 {
		return k.Limits
	}
	return s.options.Limits
}
