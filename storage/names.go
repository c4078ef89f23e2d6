package storage

import (
	"context"

	"exante/auth/uid"
	"exante/storage/kv"
)

// Names says what people call records: a user by his address, a key by its name, an
// invoice by its number, a party by its name. What there is not, or not in the
// organization, has no entry. An invoice without a number has an empty one.
type Names struct {
	Users, Keys, Invoices, Parties map[uid.ID]string
	Snippets                       map[uid.ID]string // of the keys
}

// Names reads what the records of an organization with these uids are called, of
// whatever kind they are: for whoever shows a log of them.
func (s *Store) Names(ctx context.Context, org uid.ID, ids []uid.ID) (Names, error) {
	var names Names
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		names, err = namesOf(r, org, ids)
		return err
	})
	for _, id := range ids {
		if k, err := s.Key(org, id); err == nil {
			names.Keys[id], names.Snippets[id] = k.Name, k.Snippet
		}
	}
	return names, err
}

func namesOf(r kv.Reader, org uid.ID, ids []uid.ID) (Names, error) {
	names := Names{map[uid.ID]string{}, map[uid.ID]string{}, map[uid.ID]string{}, map[uid.ID]string{}, map[uid.ID]string{}}
	const kinds = 3
	keys := make([][]byte, 0, kinds*len(ids))
	for _, id := range ids {
		keys = append(keys, keyUser(org, id), keyRow(org, id), keyParty(org, id))
	}
	values, err := r.GetMany(keys)
	if err != nil {
		return names, err
	}
	for n, value := range values {
		if value == nil {
			continue
		}
		id, key := ids[n/kinds], keys[n]
		switch n % kinds {
		case 0:
			var rec userRecord
			err = open(key, famUser, value, &rec)
			names.Users[id] = rec.Email
		case 1:
			row, bad := openRow(key, value)
			err = bad
			names.Invoices[id] = row.Number
		case 2:
			var rec partyRecord
			err = open(key, famParty, value, &rec)
			names.Parties[id] = rec.Name
		}
		if err != nil {
			return names, err
		}
	}
	return names, nil
}
