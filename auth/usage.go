package auth

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"exante/auth/uid"
)

// LastUse is the latest accepted request of a key, and what all of them needed.
type LastUse struct {
	At        time.Time
	Addr      netip.Addr
	UserAgent string // at most 256 bytes of printable UTF-8

	// What accepted requests needed, since it is watched; zero: not yet. A request
	// that any key may make needs no scope.
	Scopes       Scopes
	WatchedSince time.Time
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
	Final        bool // the process is about to end: no other report of the key follows
}

// Ledger is the store as this package sees it.
type Ledger interface {
	// RecordUse makes uses durable; once it has returned nil a crash does not lose them.
	RecordUse(ctx context.Context, uses []Use) error
	// UpgradeHash replaces a key's hash if its record still has version v.
	UpgradeHash(ctx context.Context, key uid.ID, v uint64, h Hash) error
}

const (
	maxUserAgent = 256
	maxRawAgent  = 4 * maxUserAgent // of a header, so much is looked at
	maxHours     = 31 * 24          // kept while the Ledger takes nothing
)

// usage is what a key's requests leave behind. Its owner's lock guards it.
type usage struct {
	last  LastUse
	agent []byte   // the raw header behind last.UserAgent, to see at no cost that it has not changed; nil: unknown
	hours []Bucket // ascending: the current hour, and those that are not in the store yet
}

type outcome uint8

const (
	accepted outcome = iota
	unauthorized
	forbidden
	rateLimited
	serverError
	uncovered // none yet: the store must hear of a further lease first
)

// count adds one request with this outcome.
func (u *usage) count(now time.Time, o outcome) {
	b := u.hour(now)
	if o != serverError {
		b.Requests++ // a server error was counted when it was admitted
	}
	switch o {
	case accepted, uncovered:
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
	u.last.At, u.last.Addr = now.Round(0).UTC(), r.Addr
	u.last.Scopes |= r.Scope.only()
	if u.last.WatchedSince.IsZero() {
		u.last.WatchedSince = u.last.At
	}
	raw := r.UserAgent[:min(len(r.UserAgent), maxRawAgent)]
	if u.agent == nil || string(u.agent) != string(raw) {
		u.agent = append(make([]byte, 0, len(raw)), raw...)
		u.last.UserAgent = AgentText(raw)
	}
}

const hourSeconds = 3600

// hour is the bucket of now. A clock that is set back by an hour at most counts
// on into the newest hour; an older hour that has left memory would begin at
// zero again, and replace the stored one.
func (u *usage) hour(now time.Time) *Bucket {
	start := now.Unix() - now.Unix()%hourSeconds
	at := len(u.hours)
	for at > 0 && u.hours[at-1].Hour.Unix() > start {
		at--
	}
	if at > 0 && u.hours[at-1].Hour.Unix() == start {
		return &u.hours[at-1]
	}
	if at < len(u.hours) && u.hours[at].Hour.Unix()-start <= hourSeconds {
		return &u.hours[at]
	}
	if len(u.hours) == maxHours {
		u.hours = slices.Delete(u.hours, 0, 1)
		at = max(0, at-1)
	}
	u.hours = slices.Insert(u.hours, at, Bucket{Hour: time.Unix(start, 0).UTC()})
	return &u.hours[at]
}

// restore continues the counts of the hour that the last process left open.
func (u *usage) restore(saved Use, now time.Time) {
	*u = usage{last: saved.Last}
	for _, b := range saved.Buckets {
		if b.Hour.Equal(now.Truncate(time.Hour)) {
			u.hours = []Bucket{b}
		}
	}
}

// flushed forgets the hours that were over at now and are in the store as they
// are here.
func (u *usage) flushed(now time.Time, written []Bucket) {
	hour := now.Truncate(time.Hour)
	u.hours = slices.DeleteFunc(u.hours, func(b Bucket) bool {
		return b.Hour.Before(hour) && slices.Contains(written, b)
	})
}

// AgentText cuts and cleans a User-Agent header for display, to 256 bytes. What does not print is
// dropped: control characters, and those that reorder the text around them. So is
// the whole of it if it may hold a key that was put into the wrong header.
func AgentText(raw []byte) string {
	if bytes.Contains(raw, []byte(Live.prefix())) || bytes.Contains(raw, []byte(Test.prefix())) {
		return redacted
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(raw), ""))
	if len(text) > maxUserAgent {
		text = strings.ToValidUTF8(text[:maxUserAgent], "")
	}
	return text
}
