package storage

import (
	"fmt"
	"net/netip"

	"exante/auth"
	"exante/auth/uid"
)

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
