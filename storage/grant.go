package storage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// grant is the key that by may have for the asking at now, but for its secret.
func (s *Store) grant(r kv.Reader, by auth.Principal, d KeyDraft, now time.Time) (*auth.Key, error) {
	user, err := keyUserOf(r, by, d.UserID)
	if err != nil {
		return nil, err
	}
	switch end := s.lastExpiry(now); {
	case !d.ExpiresAt.IsZero() && !d.ExpiresAt.After(now):
		return nil, Invalid("expires_in_days", "must be in the future")
	case !sooner(d.ExpiresAt, end).Equal(d.ExpiresAt):
		return nil, Invalid("expires_in_days", fmt.Sprintf("must be at most %d days away", s.options.MaxExpiryDays))
	}
	k := &auth.Key{
		OrgID: by.OrgID, UserID: user, Name: d.Name, Scopes: d.Scopes, Networks: d.Networks, Limits: d.Limits,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: d.ExpiresAt, Version: 1,
	}
	if by.Key != nil {
		asks, err := usableKey(r, by, now)
		if err != nil {
			return nil, err
		}
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
	_, err := userOf(r, by.OrgID, wanted)
	if errors.Is(err, ErrNotFound) {
		return uid.ID{}, Invalid("user_uid", "no such user in this organization")
	}
	return wanted, err
}

// usableKey is the key that asks, as it is recorded now: it may have been
// revoked while a new secret was hashed, and must not outlive that in another key.
func usableKey(r kv.Reader, by auth.Principal, now time.Time) (*auth.Key, error) {
	k, err := readKey(r, by.OrgID, by.Key.ID)
	if err != nil {
		return nil, err
	}
	return k, k.Usable(now)
}

// lastExpiry is the latest end of a key that is made at now; zero: no bound.
func (s *Store) lastExpiry(now time.Time) time.Time {
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
	d := Detail{"scopes": k.Scopes.String()}
	if !k.ExpiresAt.IsZero() {
		d["expires_at"] = k.ExpiresAt.Format(time.RFC3339)
	}
	if len(k.Networks) > 0 {
		d["allowed_cidrs"] = strings.Trim(fmt.Sprint(k.Networks), "[]")
	}
	if len(k.Limits) > 0 {
		d["rate_limits"] = k.Limits.String()
	}
	return d
}

// operates reports whether by runs the instance: the shell or the program itself.
func operates(by auth.Principal) bool {
	return by.Shell || by.Key == nil && by.UserID.IsZero()
}
