package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/input"
)

// SetKey implements Ops.
func (l Local) SetKey(ctx context.Context, in KeyChange) (APIKey, error) {
	key, err := l.findKey(in.UID)
	if err != nil {
		return APIKey{}, err
	}
	patch, err := l.keyPatch(in)
	if err != nil {
		return APIKey{}, err
	}
	key, err = l.store.UpdateKey(ctx, l.by.In(key.OrgID), key.ID, patch)
	if err != nil {
		return APIKey{}, fmt.Errorf("change api key %s: %w", in.UID, err)
	}
	return l.shape(key), nil
}

func (l Local) keyPatch(in KeyChange) (p storage.KeyPatch, err error) {
	p.Name = in.Name
	if in.Scopes != nil {
		p.Scopes = new(auth.Scopes)
		if *p.Scopes, err = auth.ParseScopes(append([]string{}, *in.Scopes...)); err != nil { // none is no full access
			return p, err
		}
	}
	if in.ExpiresInDays != nil || in.ExpiresAt != "" {
		p.ExpiresAt = new(time.Time)
		if *p.ExpiresAt, err = l.endOf(in.ExpiresInDays, in.ExpiresAt); err != nil {
			return p, err
		}
	}
	if in.Networks != nil {
		networks, err := auth.ParseNetworks(*in.Networks)
		if err != nil {
			return p, err
		}
		p.Networks = &networks
	}
	if in.RateLimit != nil {
		p.Limits = new(auth.Limits)
		if *in.RateLimit != "default" {
			*p.Limits, err = auth.ParseLimits(*in.RateLimit)
		}
	}
	return p, err
}

// maxIdentify is how many keys one request may ask about.
const maxIdentify = 100

// IdentifyKeys implements Ops.
func (l Local) IdentifyKeys(ctx context.Context, in IdentifyRequest) ([]IdentifiedKey, error) {
	if len(in.Keys) > maxIdentify {
		return nil, input.Invalid("keys", fmt.Sprintf("must be at most %d", maxIdentify))
	}
	found := []IdentifiedKey{}
	for _, k := range in.Keys {
		for _, token := range auth.FindTokens([]byte(k.Reveal())).Tokens {
			key, err := l.store.IdentifyKey(ctx, token)
			if errors.Is(err, storage.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("identify a key: %w", err)
			}
			identified, err := l.identified(ctx, key, in.Revoke)
			if err != nil {
				return nil, err
			}
			found = append(found, identified)
		}
	}
	return found, nil
}

// identified says whose a key is, and with revoke ends it.
func (l Local) identified(ctx context.Context, key *auth.Key, revoke bool) (IdentifiedKey, error) {
	org, err := l.store.Org(ctx, key.OrgID)
	if err != nil {
		return IdentifiedKey{}, err
	}
	owner, err := l.findUser(ctx, key.UserID.String())
	if err != nil {
		return IdentifiedKey{}, err
	}
	revoked := revoke && key.State(l.now()) != auth.Revoked
	if revoked {
		if key, err = l.store.RevokeKey(ctx, l.by.In(key.OrgID), key.ID, 0); err != nil {
			return IdentifiedKey{}, fmt.Errorf("revoke api key %s: %w", key.ID, err)
		}
	}
	return IdentifiedKey{l.shape(key), org.Name, userShape(owner), revoked}, nil
}
