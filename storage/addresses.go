package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"exante/auth/uid"
	"exante/storage/kv"
)

// UsersWith are the users of an organization with part, which is lower case, in their
// address.
func (s *Store) UsersWith(ctx context.Context, org uid.ID, part string) (map[uid.ID]bool, error) {
	var found map[uid.ID]bool
	token := []byte(part)
	err := s.db.View(ctx, func(r kv.Reader) error {
		found = map[uid.ID]bool{}
		return r.Scan(inFamily(org, famUser), kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			payload, err := openBytes(key, famUser, value)
			if err != nil || !bytes.Contains(payload, token) { // that of most needs no decoding
				return err == nil, err
			}
			id, bad := idAt(key, orgKeyHead)
			email, err := emailIn(key, payload)
			if strings.Contains(email, part) {
				found[id] = true
			}
			err = errors.Join(bad, err)
			return err == nil, err
		})
	})
	return found, err
}

// Emails are the addresses of those of the users that there are in the organization.
func (s *Store) Emails(ctx context.Context, org uid.ID, users []uid.ID) (map[uid.ID]string, error) {
	emails := make(map[uid.ID]string, len(users))
	keys := make([][]byte, len(users))
	for i, id := range users {
		keys[i] = keyUser(org, id)
	}
	err := s.db.View(ctx, func(r kv.Reader) error {
		values, err := r.GetMany(keys)
		for i, value := range values {
			if err != nil || value == nil {
				continue
			}
			var payload []byte
			if payload, err = openBytes(keys[i], famUser, value); err == nil {
				emails[users[i]], err = emailIn(keys[i], payload)
			}
		}
		return err
	})
	return emails, err
}

// emailIn reads the address of a user and nothing else of his record: it comes first,
// since the form of a record has its fields by number (RFC 8949 §4.2.1).
func emailIn(key, payload []byte) (email string, err error) {
	const head = 2 // how many fields there are, and the number of the first
	if len(payload) < head || payload[1] != 1 {
		return "", fmt.Errorf("%w: record %s does not begin with an address", ErrCorrupt, describe(key))
	}
	if _, err = decMode.UnmarshalFirst(payload[head:], &email); err != nil {
		return "", fmt.Errorf("%w: record %s: %v", ErrCorrupt, describe(key), err)
	}
	return email, nil
}
