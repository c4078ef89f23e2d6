package storage

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// useRecord is the last use and the meters of an API key on disk.
type useRecord struct {
	Meters    []meterRecord `cbor:"1,keyasint,omitempty"`
	LastAt    stamp         `cbor:"2,keyasint,omitempty"`
	LastAddr  string        `cbor:"3,keyasint,omitempty"`
	UserAgent string        `cbor:"4,keyasint,omitempty"`
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
	}
}

// use is the record as auth uses it.
func (r *useRecord) use(org, key uid.ID) (auth.Use, error) {
	u := auth.Use{KeyID: key, OrgID: org, Last: auth.LastUse{At: r.LastAt.time(), UserAgent: r.UserAgent}}
	if r.LastAddr != "" {
		addr, err := netip.ParseAddr(r.LastAddr)
		if err != nil {
			return u, fmt.Errorf("%w: last use of api key %s: %w", ErrCorrupt, key, err)
		}
		u.Last.Addr = addr
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
		return time.Time{}, fmt.Errorf("%w: key %x is no hour of an api key", ErrCorrupt, key)
	}
	return time.Unix(int64(binary.BigEndian.Uint64(key[hourKeyLen-8:])), 0).UTC(), nil
}
