package storage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
)

// What the audit log calls the rights of a key. A restore reads them back.
const (
	fieldScopes   = "scopes"
	fieldNetworks = "allowed_cidrs"
	fieldLimits   = "rate_limits"
)

// KeyPatch carries what of an API key is to change; nil: unchanged.
type KeyPatch struct {
	Name     *string         // 1..200 characters
	Scopes   *auth.Scopes    // within what the key holds: one that may do more is a new key
	Networks *[]netip.Prefix // empty: from anywhere
	Limits   *auth.Limits    // empty: the instance's default
}

// UpdateKey changes a key that is active or retiring. When it returns, requests are
// judged by it. What has its value already is no change, and an update without a
// change writes nothing. An operator may change all of it, a user the name and the
// scopes, a key nothing. Errors: input.ErrInvalid, ErrNotFound, ErrKeyEnded.
func (s *Store) UpdateKey(ctx context.Context, by auth.Principal, id uid.ID, p KeyPatch) (*auth.Key, error) {
	if err := p.allowed(by); err != nil {
		return nil, err
	}
	write := s.update
	if p.Scopes != nil { // which are only ever taken away
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
		changed, err := p.apply(key, by)
		if err != nil || changed == nil {
			return err
		}
		key.UpdatedAt = t.now
		return errors.Join(t.putKey(key), t.audit(keyUpdate, id, changed))
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// allowed refuses what by may not change of any key.
func (p KeyPatch) allowed(by auth.Principal) error {
	var bad input.Refusals
	switch {
	case operates(by):
	case by.Key != nil:
		bad.Add("api_key", "no key changes it")
	default:
		if p.Networks != nil {
			bad.Add(fieldNetworks, "only an operator sets them")
		}
		if p.Limits != nil {
			bad.Add(fieldLimits, "only an operator sets them")
		}
	}
	return bad.Err()
}

// apply changes k and returns what the audit log says of that; nil: nothing changed.
func (p KeyPatch) apply(k *auth.Key, by auth.Principal) (Detail, error) {
	d := p.draft(k)
	if err := d.clean(by); err != nil {
		return nil, err
	}
	if !k.Scopes.Covers(d.Scopes) {
		return nil, input.Invalid(fieldScopes, "must be within those that it has")
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
	if len(fields) == 0 {
		return nil, nil
	}
	detail["fields"] = strings.Join(fields, " ")
	k.Name, k.Scopes, k.Networks = d.Name, d.Scopes, d.Networks
	return detail, nil
}

// draft is what p makes of k, for clean to judge. It has limits if p has: those that k
// has already are none of by's business.
func (p KeyPatch) draft(k *auth.Key) KeyDraft {
	d := KeyDraft{Name: k.Name, Scopes: k.Scopes, Networks: k.Networks}
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
	return d
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
