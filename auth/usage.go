package auth

import (
	"context"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"exante/auth/uid"
)

// LastUse is the latest accepted request of a key.
type LastUse struct {
	At        time.Time
	Addr      netip.Addr
	UserAgent string // at most 256 bytes of printable UTF-8
}

// Bucket counts one hour of a key's requests by outcome. Requests counts all
// who proved to hold the key, whatever came of it.
type Bucket struct {
	Hour         time.Time // its start, UTC
	Requests     uint64
	Unauthorized uint64 // 401: expired or revoked
	Forbidden    uint64 // 403: scope or network
	RateLimited  uint64 // 429
	ServerErrors uint64 // 5xx
}

// Use is what a Ledger keeps of one key. Nil slices and a zero Last mean "unchanged".
type Use struct {
	KeyID, OrgID uid.ID
	Meters       []MeterState
	Buckets      []Bucket // absolute: each replaces the stored one of its hour
	Last         LastUse
}

// Ledger is the store as this package sees it.
type Ledger interface {
	// RecordUse makes uses durable; once it has returned nil a crash does not lose them.
	RecordUse(ctx context.Context, uses []Use) error
	// UpgradeHash replaces a key's hash if its record still has version v.
	UpgradeHash(ctx context.Context, key uid.ID, v uint64, h Hash) error
}

const maxUserAgent = 256

// usage is a key's counters since they were last flushed, and the current hour.
// Its owner's lock guards it.
type usage struct {
	last  LastUse
	agent []byte   // the raw header behind last.UserAgent, to see at no cost that it has not changed
	hours []Bucket // ascending; the last may still grow
}

type outcome uint8

const (
	accepted outcome = iota
	unauthorized
	forbidden
	rateLimited
	serverError
)

// count adds one request with this outcome.
func (u *usage) count(now time.Time, o outcome) {
	b := u.hour(now)
	if o != serverError {
		b.Requests++ // a server error was counted when it was admitted
	}
	switch o {
	case accepted:
	case unauthorized:
		b.Unauthorized++
	case forbidden:
		b.Forbidden++
	case rateLimited:
		b.RateLimited++
	case serverError:
		b.ServerErrors++
	}
}

// used notes an accepted request.
func (u *usage) used(now time.Time, r Request) {
	u.last.At, u.last.Addr = now, r.Addr
	if string(u.agent) != string(r.UserAgent) || u.last.UserAgent == "" && len(r.UserAgent) > 0 {
		u.agent = append(u.agent[:0], r.UserAgent...)
		u.last.UserAgent = printable(r.UserAgent)
	}
}

// hour is the bucket of now. A clock that steps back counts into the hour that
// is open: buckets are ascending and never written twice.
func (u *usage) hour(now time.Time) *Bucket {
	start := now.Truncate(time.Hour)
	if n := len(u.hours); n == 0 || start.After(u.hours[n-1].Hour) {
		u.hours = append(u.hours, Bucket{Hour: start.UTC()})
	}
	return &u.hours[len(u.hours)-1]
}

// restore continues the counts of the hour that the last process left open.
func (u *usage) restore(saved Use, now time.Time) {
	u.last = saved.Last
	for _, b := range saved.Buckets {
		if b.Hour.Equal(now.Truncate(time.Hour)) {
			u.hours = []Bucket{b}
		}
	}
}

// flushed forgets hours that are in the store and can grow no more: those
// before the hour that upTo names.
func (u *usage) flushed(upTo time.Time) {
	for len(u.hours) > 1 && u.hours[0].Hour.Before(upTo) {
		u.hours = append(u.hours[:0], u.hours[1:]...)
	}
}

// printable cuts and cleans a header value for display.
func printable(raw []byte) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(raw[:min(len(raw), 4*maxUserAgent)]), ""))
	if len(text) > maxUserAgent {
		text = text[:maxUserAgent]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}
