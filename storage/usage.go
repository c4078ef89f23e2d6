package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
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
		return scanHours(r, in, func(b auth.Bucket) { a.Buckets = append(a.Buckets, b) })
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

// scanHours reads the stored hours of a key.
func scanHours(r kv.Reader, in kv.Range, fn func(auth.Bucket)) error {
	return scan(r, in, famHour, func(key []byte, rec *hourRecord) error {
		hour, err := hourAt(key)
		fn(rec.bucket(hour))
		return err
	})
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
		err := s.change(ctx, s.useUpdate(some), &tx{by: auth.System(uid.ID{})}, func(t *tx) error {
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

// useUpdate is how uses are written while disk space is low. Counts and last uses
// wait in memory until it is back, or until the process ends: nobody then needs
// the reserve for a revocation. Leases are written ahead on the upper half of
// the reserve, so that until then a restart of any kind hands out no window anew;
// the lower half is for revocations alone. Below the middle limits are in memory
// alone: a crash then gives a caller back what he has used since, at most one
// window's limit. What is refused here keeps no request waiting (auth.Ledger).
func (s *Store) useUpdate(uses []auth.Use) func(context.Context, func(kv.Txn) error) error {
	d := s.db.Disk()
	final, onlyLeases := true, true
	for _, u := range uses {
		final = final && u.Final
		onlyLeases = onlyLeases && u.Buckets == nil && u.Last.At.IsZero()
	}
	if final || onlyLeases && d.Free > (d.Soft+d.Hard)/2 {
		return s.db.UpdateReserved
	}
	return s.db.Update
}

// A transaction of use holds at most so many records. The largest, four windows
// of 65 cells of at most 15 bytes, has 4 KiB: that is within what the engine
// takes at once.
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

// useRecord is the last use and the meters of an API key on disk.
type useRecord struct {
	Meters    []meterRecord `cbor:"1,keyasint,omitempty"`
	LastAt    stamp         `cbor:"2,keyasint,omitempty"`
	LastAddr  string        `cbor:"3,keyasint,omitempty"`
	UserAgent string        `cbor:"4,keyasint,omitempty"`
	Scopes    []string      `cbor:"5,keyasint,omitempty"` // that its requests needed
	WatchedAt stamp         `cbor:"6,keyasint,omitempty"` // since when; 0: the record is older than that
}

// meterRecord is one window of a rate limit. The lease ends to the nanosecond:
// a rounded one could count in the wrong cell.
type meterRecord struct {
	Window   string       `cbor:"1,keyasint"` // "600/1m"
	Cells    []cellRecord `cbor:"2,keyasint,omitempty"`
	Leased   int64        `cbor:"3,keyasint,omitempty"`
	LeaseEnd int64        `cbor:"4,keyasint,omitempty"` // Unix nanoseconds; 0: never
}

type cellRecord struct {
	_     struct{} `cbor:",toarray"`
	Index int64
	Count int64
}

// take replaces what u has.
func (r *useRecord) take(u auth.Use) {
	if u.Meters != nil {
		r.Meters = nil
		for _, m := range u.Meters {
			r.Meters = append(r.Meters, recordOfMeter(m))
		}
	}
	if !u.Last.At.IsZero() {
		r.LastAt, r.LastAddr, r.UserAgent = stampOf(u.Last.At), textOf(u.Last.Addr), u.Last.UserAgent
		r.Scopes, r.WatchedAt = u.Last.Scopes.Names(), stampOf(u.Last.WatchedSince)
	}
}

// use is the record as auth uses it.
func (r *useRecord) use(org, key uid.ID) (auth.Use, error) {
	u := auth.Use{KeyID: key, OrgID: org}
	var err error
	if u.Last, err = r.last(); err != nil {
		return u, fmt.Errorf("%w: last use of api key %s: %w", ErrCorrupt, key, err)
	}
	for _, m := range r.Meters {
		state, err := m.state()
		if err != nil {
			return u, fmt.Errorf("%w: meters of api key %s: %w", ErrCorrupt, key, err)
		}
		u.Meters = append(u.Meters, state)
	}
	return u, nil
}

func (r *useRecord) last() (last auth.LastUse, err error) {
	last = auth.LastUse{At: r.LastAt.time(), UserAgent: r.UserAgent, WatchedSince: r.WatchedAt.time()}
	if r.LastAddr != "" {
		if last.Addr, err = netip.ParseAddr(r.LastAddr); err != nil {
			return last, err
		}
	}
	if len(r.Scopes) > 0 {
		last.Scopes, err = auth.ParseScopes(r.Scopes)
	}
	return last, err
}

func recordOfMeter(m auth.MeterState) meterRecord {
	rec := meterRecord{Window: m.Window.String(), Leased: m.Leased}
	if !m.LeaseEnd.IsZero() {
		rec.LeaseEnd = m.LeaseEnd.UnixNano()
	}
	for _, c := range m.Cells {
		rec.Cells = append(rec.Cells, cellRecord{Index: c.Index, Count: c.Count})
	}
	return rec
}

func (r *meterRecord) state() (auth.MeterState, error) {
	windows, err := auth.ParseLimits(r.Window)
	if err != nil {
		return auth.MeterState{}, err
	}
	if len(windows) != 1 {
		return auth.MeterState{}, fmt.Errorf("%q is not one window", r.Window)
	}
	m := auth.MeterState{Window: windows[0], Leased: r.Leased}
	if r.LeaseEnd != 0 {
		m.LeaseEnd = time.Unix(0, r.LeaseEnd).UTC()
	}
	for _, c := range r.Cells {
		m.Cells = append(m.Cells, auth.Cell{Index: c.Index, Count: c.Count})
	}
	return m, nil
}

// hourRecord is one hour of a key's requests on disk; the hour is in its key.
type hourRecord struct {
	Requests     uint64 `cbor:"1,keyasint,omitempty"`
	Unauthorized uint64 `cbor:"2,keyasint,omitempty"`
	Forbidden    uint64 `cbor:"3,keyasint,omitempty"`
	RateLimited  uint64 `cbor:"4,keyasint,omitempty"`
	ServerErrors uint64 `cbor:"5,keyasint,omitempty"`
}

func recordOfBucket(b auth.Bucket) *hourRecord {
	return &hourRecord{b.Requests, b.Unauthorized, b.Forbidden, b.RateLimited, b.ServerErrors}
}

func (r *hourRecord) bucket(hour time.Time) auth.Bucket {
	return auth.Bucket{
		Hour: hour, Requests: r.Requests, Unauthorized: r.Unauthorized, Forbidden: r.Forbidden,
		RateLimited: r.RateLimited, ServerErrors: r.ServerErrors,
	}
}

// hourAt reads the hour of the key of an hourRecord.
func hourAt(key []byte) (time.Time, error) {
	if len(key) != hourKeyLen {
		return time.Time{}, fmt.Errorf("%w: key %s is no hour of an api key", ErrCorrupt, describe(key))
	}
	return time.Unix(int64(binary.BigEndian.Uint64(key[hourKeyLen-8:])), 0).UTC(), nil
}
