package storage

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Activity is what a key did between two instants.
type Activity struct {
	Last    auth.LastUse
	Buckets []auth.Bucket // by hour ascending, only hours with requests
}

// Activity counts the requests of a key in the hours from that of from to that
// of to. It shows what the memory counted a moment ago, too. Errors: ErrNotFound.
func (s *Store) Activity(ctx context.Context, org, key uid.ID, from, to time.Time) (Activity, error) {
	if _, err := s.Key(org, key); err != nil {
		return Activity{}, err
	}
	// The memory first: an hour leaves it only once the store has it.
	counted := s.keyring.Buckets(key)
	a := Activity{Last: s.keyring.LastUse(key)}
	first, last := hourOf(from), hourOf(to)
	in := kv.Range{Start: keyHour(org, key, first), End: keyHour(org, key, last.Add(time.Hour))}
	err := s.db.View(ctx, func(r kv.Reader) error {
		return scan(r, in, famHour, func(key []byte, rec *hourRecord) error {
			hour, err := hourAt(key)
			a.Buckets = append(a.Buckets, rec.bucket(hour))
			return err
		})
	})
	if err != nil {
		return Activity{}, err
	}
	for _, b := range counted {
		if !b.Hour.Before(first) && !b.Hour.After(last) {
			a.Buckets = withBucket(a.Buckets, b)
		}
	}
	return a, nil
}

// withBucket puts b in its place, instead of a bucket of the same hour.
func withBucket(buckets []auth.Bucket, b auth.Bucket) []auth.Bucket {
	at, found := slices.BinarySearchFunc(buckets, b, func(x, y auth.Bucket) int { return x.Hour.Compare(y.Hour) })
	if found {
		buckets[at] = b
		return buckets
	}
	return slices.Insert(buckets, at, b)
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// RecordUse implements auth.Ledger. Many uses take several transactions, so an
// error can leave some of them recorded; recording one again does no harm.
func (s *Store) RecordUse(ctx context.Context, uses []auth.Use) error {
	for some := range useBatches(uses) {
		err := s.update(ctx, auth.System(uid.ID{}), func(t *tx) error {
			for _, u := range some {
				if err := t.putUse(u); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A transaction of use holds at most so many records. The largest, four windows
// of 65 cells, has 3 KiB: so it stays within what the engine takes at once.
const useBatch = 400

// useBatches cuts uses into pieces that one transaction can hold.
func useBatches(uses []auth.Use) iter.Seq[[]auth.Use] {
	return func(yield func([]auth.Use) bool) {
		var some []auth.Use
		room := useBatch
		for _, u := range uses {
			hours := u.Buckets
			for first := true; first || len(hours) > 0; first = false {
				if room < 2 {
					if !yield(some) {
						return
					}
					some, room = nil, useBatch
				}
				n := min(len(hours), room-1)
				u.Buckets, hours = hours[:n], hours[n:]
				some, room = append(some, u), room-1-n
			}
		}
		if len(some) > 0 {
			yield(some)
		}
	}
}

// putUse writes what u has of one key, and leaves the rest of the record as it
// is. A key that is not there has no use: that is no error.
func (t *tx) putUse(u auth.Use) error {
	if k, known := t.store.keyring.Get(u.KeyID); !known || k.OrgID != u.OrgID {
		return nil
	}
	var rec useRecord
	key := keyUse(u.OrgID, u.KeyID)
	if err := get(t, key, famUse, &rec); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	rec.take(u)
	if err := put(t, key, famUse, &rec); err != nil {
		return err
	}
	for _, b := range u.Buckets {
		if err := put(t, keyHour(u.OrgID, u.KeyID, b.Hour), famHour, recordOfBucket(b)); err != nil {
			return err
		}
	}
	return nil
}
