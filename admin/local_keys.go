package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
)

const day = 24 * time.Hour

// CreateKey implements Ops.
func (l Local) CreateKey(ctx context.Context, in KeyRequest) (NewKey, error) {
	draft, err := l.keyDraft(ctx, in)
	if err != nil {
		return NewKey{}, err
	}
	org, err := l.ensureOrg(ctx, in.Org)
	if err != nil {
		return NewKey{}, err
	}
	key, token, err := l.store.CreateKey(ctx, l.by.In(org), draft)
	if err != nil {
		return NewKey{}, err
	}
	return NewKey{l.shape(&key), secret{token.Reveal()}}, nil
}

// RotateKey implements Ops.
func (l Local) RotateKey(ctx context.Context, in RotateRequest) (NewKey, error) {
	old, err := l.findKey(in.UID)
	if err != nil {
		return NewKey{}, err
	}
	if in.GraceDays < 0 || in.GraceDays > 30 {
		return NewKey{}, input.Invalid("grace_days", "must be from 0 to 30")
	}
	key, token, err := l.store.RotateKey(ctx, l.by.In(old.OrgID), old.ID, time.Duration(in.GraceDays)*day, 0)
	if err != nil {
		return NewKey{}, fmt.Errorf("rotate api key %s: %w", old.ID, err)
	}
	return NewKey{l.shape(&key), secret{token.Reveal()}}, nil
}

// RevokeKey implements Ops.
func (l Local) RevokeKey(ctx context.Context, in KeyRef) (APIKey, error) {
	key, err := l.findKey(in.UID)
	if err != nil {
		return APIKey{}, err
	}
	key, err = l.store.RevokeKey(ctx, l.by.In(key.OrgID), key.ID, 0)
	if err != nil {
		return APIKey{}, fmt.Errorf("revoke api key %s: %w", in.UID, err)
	}
	return l.shape(key), nil
}

// APIKey implements Ops.
func (l Local) APIKey(_ context.Context, in KeyRef) (APIKey, error) {
	key, err := l.findKey(in.UID)
	if err != nil {
		return APIKey{}, err
	}
	return l.shape(key), nil
}

func (l Local) findKey(text string) (*auth.Key, error) {
	id, err := uid.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("api key %q: %w", text, storage.ErrNotFound)
	}
	key, err := l.store.FindKey(id)
	if err != nil {
		return nil, fmt.Errorf("api key %s: %w", text, err)
	}
	return key, nil
}

func (l Local) shape(k *auth.Key) APIKey {
	return keyShape(k, l.limitsOf(k), l.store.Keyring().LastUse(k.ID).At, l.now())
}

// limitsOf are those that apply to k.
func (l Local) limitsOf(k *auth.Key) auth.Limits {
	if k.Limits == nil {
		return l.config.RateLimit.Windows
	}
	return k.Limits
}

func (l Local) keyDraft(ctx context.Context, in KeyRequest) (storage.KeyDraft, error) {
	d := storage.KeyDraft{Name: in.Name}
	var err error
	if in.User != "" {
		user, err := l.findUser(ctx, in.User)
		if errors.Is(err, storage.ErrNotFound) {
			return d, input.Invalid("user_uid", "no such user in this organization")
		} else if err != nil {
			return d, err
		}
		d.UserID = user.ID
	}
	if d.Scopes, err = auth.ParseScopes(in.Scopes); err != nil {
		return d, err
	}
	if d.Networks, err = auth.ParseNetworks(in.Networks); err != nil {
		return d, err
	}
	if in.RateLimit != "" {
		if d.Limits, err = auth.ParseLimits(in.RateLimit); err != nil {
			return d, err
		}
	}
	d.ExpiresAt, err = l.expiry(in)
	return d, err
}

// expiry is when the key asked for ends. The store holds it to the bound.
func (l Local) expiry(in KeyRequest) (time.Time, error) {
	if standard, _ := l.config.Expiry(); standard > 0 && in.ExpiresInDays == nil && in.ExpiresAt == "" {
		return l.inDays(standard), nil
	}
	return l.endOf(in.ExpiresInDays, in.ExpiresAt)
}

// endOf is the end that is given in days from now or as a time; zero: never.
func (l Local) endOf(days *int, at string) (time.Time, error) {
	const field = "expires_in_days"
	switch {
	case days != nil && at != "":
		return time.Time{}, input.Invalid(field, "stands beside expires_at: give one of them")
	case days != nil && (*days < 1 || *days > 3650):
		return time.Time{}, input.Invalid(field, "must be from 1 to 3650")
	case days != nil:
		return l.inDays(*days), nil
	case at == "" || at == "never":
		return time.Time{}, nil
	}
	end, err := parseTime(at)
	if err != nil {
		return time.Time{}, input.Invalid("expires_at", err.Error())
	}
	return end, nil
}

func (l Local) inDays(n int) time.Time { return l.now().UTC().Add(time.Duration(n) * day) }

// parseTime reads RFC 3339, or a plain date as midnight UTC.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fmt.Errorf("%q is neither RFC 3339 (2026-11-23T09:30:00Z) nor a date (2026-11-23)", s)
	}
	return t, nil
}
