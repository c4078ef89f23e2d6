package storage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
)

// What the audit log calls the networks and the limits of a key. A restore reads them
// back.
const (
	fieldNetworks = "allowed_cidrs"
	fieldLimits   = "rate_limits"
)

// KeyPatch carries what of an API key is to change; nil: unchanged.
type KeyPatch struct {
	Name     *string         // 1..200 characters
	Networks *[]netip.Prefix // empty: from anywhere
	Limits   *auth.Limits    // empty: the instance's default
}

// UpdateKey changes a key that is active or retiring. When it returns, requests are
// judged by it. What has its value already is no change, and an update without a
// change writes nothing. Only an operator may. Errors: input.ErrInvalid,
// ErrNotFound, ErrKeyEnded.
func (s *Store) UpdateKey(ctx context.Context, by auth.Principal, id uid.ID, p KeyPatch) (*auth.Key, error) {
	if !operates(by) {
		return nil, input.Invalid("api_key", "only an operator changes it")
	}
	var key *auth.Key
	err := s.update(ctx, by, func(t *tx) (err error) {
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

// apply changes k and returns what the audit log says of that; nil: nothing changed.
func (p KeyPatch) apply(k *auth.Key, by auth.Principal) (Detail, error) {
	d := KeyDraft{Name: k.Name, Scopes: k.Scopes, Networks: k.Networks, Limits: k.Limits}
	if p.Name != nil {
		d.Name = *p.Name
	}
	if p.Networks != nil {
		d.Networks = *p.Networks
	}
	if p.Limits != nil {
		d.Limits = *p.Limits
	}
	if err := d.clean(by); err != nil {
		return nil, err
	}
	var fields []string
	detail := Detail{}
	if d.Name != k.Name { // which may be anybody's: the log names the field alone
		fields = append(fields, "name")
	}
	if !slices.Equal(d.Networks, k.Networks) {
		fields = append(fields, fieldNetworks)
		detail[fieldNetworks], detail[fieldNetworks+"_before"] = networksText(d.Networks), networksText(k.Networks)
	}
	if d.Limits.String() != k.Limits.String() {
		fields = append(fields, fieldLimits)
		detail[fieldLimits], detail[fieldLimits+"_before"] = d.Limits.String(), k.Limits.String()
	}
	if len(fields) == 0 {
		return nil, nil
	}
	detail["fields"] = strings.Join(fields, " ")
	k.Name, k.Networks, k.Limits = d.Name, d.Networks, d.Limits
	return detail, nil
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
