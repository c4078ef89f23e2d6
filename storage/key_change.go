package storage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
)

// What the audit log calls the rights of a key. A restore reads them back.
const (
	fieldScopes   = "scopes"
	fieldNetworks = "allowed_cidrs"
	fieldLimits   = "rate_limits"
	fieldExpiry   = "expires_at"
)

// KeyPatch carries what of an API key is to change; nil: unchanged.
type KeyPatch struct {
	Name      *string         // 1..200 characters
	Scopes    *auth.Scopes    // within what the key holds: one that may do more is a new key
	Networks  *[]netip.Prefix // empty: from anywhere
	Limits    *auth.Limits    // empty: the instance's default
	ExpiresAt *time.Time      // in the future, and sooner than it is: one that lives longer is a new key
}

// UpdateKey changes a key that is active or retiring. When it returns, requests are
// judged by it. What has its value already is no change, and an update without a
// change writes nothing. A key changes none. A user sets no limits that allow more than
// both the key's own and the instance's. Errors: input.ErrInvalid, ErrNotFound, ErrKeyEnded.
func (s *Store) UpdateKey(ctx context.Context, by auth.Principal, id uid.ID, p KeyPatch) (*auth.Key, error) {
	if by.Key != nil {
		return nil, input.Invalid("api_key", "no key changes it")
	}
	write := s.update
	if p.Scopes != nil || p.ExpiresAt != nil { // which are only ever taken away
		write = s.withdraw
	}
	var key *auth.Key
	err := write(ctx, by, func(t *tx) (err error) {
		if key, err = readKey(t, by.OrgID, id); err != nil {
			return err
		}
		if state := key.State(t.now); key.Usable(t.now) != nil {
			return fmt.Errorf("%w: it is %s", ErrKeyEnded, state)
		}
		if p.Limits != nil {
			if err := mayLimit(by, *p.Limits, s.options.Limits, s.limitsOf(key)); err != nil {
				return err
			}
		}
		changed, err := p.apply(key, by)
		if err != nil || changed == nil {
			return err
		}
		if key.Usable(t.now) != nil {
			return input.Invalid(fieldExpiry, "must be in the future")
		}
		key.UpdatedAt = t.now
		return errors.Join(t.putKey(key), t.audit(keyUpdate, id, changed))
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// apply changes k and returns what the audit log says of that; nil: nothing changed.
func (p KeyPatch) apply(k *auth.Key, by auth.Principal) (Detail, error) {
	d := p.draft(k)
	if err := d.clean(by); err != nil {
		return nil, err
	}
	if !k.Scopes.Covers(d.Scopes) {
		return nil, input.Invalid(fieldScopes, "must be within those that it has: a key that may do more is a new key")
	}
	if !sooner(k.ExpiresAt, d.ExpiresAt).Equal(d.ExpiresAt) {
		return nil, input.Invalid(fieldExpiry, "must be sooner than it is: a key that lives longer is a new key")
	}
	var fields []string
	detail := Detail{}
	differs := func(field, before, after string) {
		if before != after {
			fields = append(fields, field)
			detail[field], detail[field+"_before"] = after, before
		}
	}
	if d.Name != k.Name { // which may be anybody's: the log names the field alone
		fields = append(fields, "name")
	}
	differs(fieldScopes, k.Scopes.String(), d.Scopes.String())
	differs(fieldNetworks, networksText(k.Networks), networksText(d.Networks))
	if p.Limits != nil {
		differs(fieldLimits, k.Limits.String(), d.Limits.String())
		k.Limits = d.Limits
	}
	differs(fieldExpiry, expiryText(k.ExpiresAt), expiryText(d.ExpiresAt))
	if len(fields) == 0 {
		return nil, nil
	}
	detail["fields"] = strings.Join(fields, " ")
	k.Name, k.Scopes, k.Networks, k.ExpiresAt = d.Name, d.Scopes, d.Networks, d.ExpiresAt
	return detail, nil
}

// draft is what p makes of k, for clean to judge. It has limits if p has: those that k
// has already are none of by's business.
func (p KeyPatch) draft(k *auth.Key) KeyDraft {
	d := KeyDraft{Name: k.Name, Scopes: k.Scopes, Networks: k.Networks, ExpiresAt: k.ExpiresAt}
	if p.Name != nil {
		d.Name = *p.Name
	}
	if p.Scopes != nil {
		d.Scopes = *p.Scopes
	}
	if p.Networks != nil {
		d.Networks = *p.Networks
	}
	if p.Limits != nil {
		d.Limits = *p.Limits
	}
	if p.ExpiresAt != nil {
		d.ExpiresAt = *p.ExpiresAt
	}
	return d
}

// expiryText is the end of a key as the audit log has it, "" for never.
func expiryText(end time.Time) string {
	if end.IsZero() {
		return ""
	}
	return end.UTC().Format(lineTime)
}

// networksText is networks as the audit log has them, "" for anywhere.
func networksText(nets []netip.Prefix) string { return strings.Trim(fmt.Sprint(nets), "[]") }

// IdentifyKey is the key whose secret the token is, ended and suspended ones too.
// Only argon2id says so. Errors: ErrNotFound, *auth.BusyError.
func (s *Store) IdentifyKey(ctx context.Context, token auth.Token) (*auth.Key, error) {
	key, err := s.keyring.Identify(ctx, s.options.Hasher, token)
	if errors.Is(err, auth.ErrBadToken) {
		return nil, ErrNotFound
	}
	return key, err
}
