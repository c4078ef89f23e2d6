package storage

import (
	"context"
	"fmt"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// Day is 24 hours of a key's requests, by hour ascending.
type Day struct {
	Begin time.Time // of the first hour, UTC
	Hours [24]Tally
}

// Tally counts the requests of a key in one hour, as auth.Bucket does.
type Tally struct {
	Requests     uint64 // all, whatever came of them
	Unauthorized uint64
	Forbidden    uint64
	RateLimited  uint64
	ServerErrors uint64
}

// put counts what b has instead of what was counted for its hour, if that is of the day.
func (d *Day) put(b auth.Bucket) {
	if n := b.Hour.Sub(d.Begin) / time.Hour; n >= 0 && n < 24 {
		d.Hours[n] = Tally{b.Requests, b.Unauthorized, b.Forbidden, b.RateLimited, b.ServerErrors}
	}
}

// maxLastDay is how many keys one page shows.
const maxLastDay = 100

// LastDay counts, for each of at most 100 keys of an organization, the requests of the
// 24 hours that end with that of now. It shows what the memory counted a moment ago,
// too. Errors: ErrNotFound if any of the keys is not there, input.ErrInvalid for
// more than 100.
func (s *Store) LastDay(ctx context.Context, org uid.ID, keys []uid.ID, now time.Time) ([]Day, error) {
	if len(keys) > maxLastDay {
		return nil, input.Invalid("keys", fmt.Sprintf("must be at most %d", maxLastDay))
	}
	// The memory first: an hour leaves it only once the store has it.
	counted := make([][]auth.Bucket, len(keys))
	for i, key := range keys {
		if _, err := s.Key(org, key); err != nil {
			return nil, err
		}
		counted[i] = s.keyring.Buckets(key)
	}
	days := make([]Day, len(keys))
	end := hourOf(now).Add(time.Hour)
	err := s.db.View(ctx, func(r kv.Reader) error {
		for i, key := range keys {
			days[i].Begin = end.Add(-24 * time.Hour)
			in := kv.Range{Start: keyHour(org, key, days[i].Begin), End: keyHour(org, key, end)}
			if err := scanHours(r, in, days[i].put); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range days {
		for _, b := range counted[i] {
			days[i].put(b)
		}
	}
	return days, nil
}
