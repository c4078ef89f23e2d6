package storage

import (
	"errors"
	"fmt"
	"slices"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// load fills the memory from one snapshot: the keyring with every key, what is
// left of its use, and whose keys are suspended, then the lists. A scan that ends early for a damaged block
// would leave out keys and invoices, so each is held against its count.
func (s *Store) load(r kv.Reader) error {
	if err := checkAuditEnd(r); err != nil {
		return err
	}
	orgs, err := allOrgs(r)
	if err != nil {
		return err
	}
	users := uint64(0)
	for _, org := range orgs {
		c, err := s.loadOrg(r, org.ID)
		if err != nil {
			return fmt.Errorf("load organization %s: %w", org.ID, err)
		}
		users += c.Users
	}
	return errors.Join(
		counted(r, "e-mail addresses", famEmail, users), // a lost one could be given away again
		counted(r, "look-up tags", famTag, uint64(s.keyring.Len())),
	)
}

func (s *Store) loadOrg(r kv.Reader, org uid.ID) (c counts, err error) {
	if c, err = countsOf(r, org); err != nil {
		return c, missing(err, "record", keyCounts(org))
	}
	if err := s.loadKeys(r, org, c); err != nil {
		return c, err
	}
	if err := s.loadUse(r, org); err != nil {
		return c, err
	}
	if err := s.loadDisabled(r, org); err != nil {
		return c, err
	}
	return c, s.loadLists(r, org, c)
}

// counted holds the number of keys of a global family against a count.
func counted(r kv.Reader, what string, family byte, want uint64) error {
	n, err := r.Count(inGlobal(family))
	if err != nil {
		return err
	}
	return agree(what, n, want)
}

func (s *Store) loadKeys(r kv.Reader, org uid.ID, c counts) error {
	n := 0
	err := scan(r, inFamily(org, famKey), famKey, func(key []byte, rec *keyRecord) error {
		n++
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return err
		}
		k, err := rec.key(org, id)
		if err != nil {
			return err
		}
		s.keyring.Put(*k)
		return nil
	})
	if err != nil {
		return err
	}
	return agree("api keys", n, c.Keys)
}

// loadDisabled tells the keyring whose keys are suspended. A user who were left out
// would have his keys back.
func (s *Store) loadDisabled(r kv.Reader, org uid.ID) error {
	users, err := usersOf(r, org)
	for _, u := range users {
		if !u.DisabledAt.IsZero() {
			s.keyring.SetDisabled(u.ID, true)
		}
	}
	return err
}

// loadUse gives the keyring what was recorded of each key that was ever used.
func (s *Store) loadUse(r kv.Reader, org uid.ID) error {
	now := s.now()
	var uses []auth.Use
	var hours [][]byte
	err := scan(r, inFamily(org, famUse), famUse, func(key []byte, rec *useRecord) error {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return err
		}
		use, err := rec.use(org, id)
		uses = append(uses, use)
		hours = append(hours, keyHour(org, id, hourOf(now)))
		return err
	})
	if err != nil {
		return err
	}
	values, err := r.GetMany(hours)
	if err != nil {
		return err
	}
	for i, use := range uses {
		if values[i] != nil {
			var rec hourRecord
			if err := open(hours[i], famHour, values[i], &rec); err != nil {
				return err
			}
			use.Buckets = []auth.Bucket{rec.bucket(hourOf(now))}
		}
		s.keyring.Restore(use, now)
	}
	return nil
}

// checkAuditEnd refuses a chain whose last record is not the one that its head
// names: records were lost, or changed.
func checkAuditEnd(r kv.Reader) error {
	head, err := auditHead(r)
	if err != nil {
		return err
	}
	key := keyAudit(head.Seq)
	var last auditRecord
	if err := get(r, key, famAudit, &last); err != nil {
		return missing(err, "audit record", key)
	}
	if last.Hash != head.Hash {
		return fmt.Errorf("%w: audit record %d is not the one that the head of the chain names", ErrCorrupt, head.Seq)
	}
	after, err := r.GetMany([][]byte{keyAudit(head.Seq + 1)})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(after, func(v []byte) bool { return v != nil }) {
		return fmt.Errorf("%w: there are audit records after the head of the chain, %d", ErrCorrupt, head.Seq)
	}
	return nil
}
