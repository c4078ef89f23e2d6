// Package uid names records: UUIDs of version 7 (RFC 9562), whose byte order is
// their order of creation. They identify; they grant nothing.
package uid

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ID is a UUID. The zero ID means "none" and prints as the empty string.
type ID [16]byte

// ErrMalformed: text that is not a UUID in its 36-character form.
var ErrMalformed = errors.New("not a uid")

// Parse reads the 36-character form, in either case. Other spellings of a UUID
// (braces, urn:, without dashes) and the all-zero UUID are refused, so that an
// ID has one spelling in paths and logs.
func Parse(s string) (ID, error) {
	if len(s) != 36 {
		return ID{}, ErrMalformed
	}
	u, err := uuid.Parse(s)
	if err != nil || u == uuid.Nil {
		return ID{}, ErrMalformed
	}
	return ID(u), nil
}

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String is the lower-case 36-character form, or "" for the zero ID.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return uuid.UUID(id).String()
}

// Append appends the form of String to b without allocating.
func (id ID) Append(b []byte) []byte {
	if id.IsZero() {
		return b
	}
	const hex = "0123456789abcdef"
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

// Source makes IDs from a clock and a source of randomness.
type Source struct {
	now  func() time.Time
	rand io.Reader

	mu   sync.Mutex
	last uint64 // milliseconds << 12 | counter of the last ID
}

// NewSource returns a Source. nil means time.Now and crypto/rand.Reader.
func NewSource(now func() time.Time, random io.Reader) *Source {
	if now == nil {
		now = time.Now
	}
	if random == nil {
		random = rand.Reader
	}
	return &Source{now: now, rand: random}
}

// New returns an ID greater than every ID this Source made before, even within
// one millisecond or when the clock steps back (RFC 9562 §6.2, method 3: the
// 12 bits after the milliseconds carry the fraction, then count on).
// It fails only if the source of randomness fails.
func (s *Source) New() (ID, error) {
	var id ID
	if _, err := io.ReadFull(s.rand, id[8:]); err != nil {
		return ID{}, fmt.Errorf("read randomness for a uid: %w", err)
	}
	t := s.now()
	tick := uint64(t.UnixMilli())<<12 | uint64(t.Nanosecond()%1_000_000)<<12/1_000_000
	s.mu.Lock()
	if tick <= s.last {
		tick = s.last + 1
	}
	s.last = tick
	s.mu.Unlock()
	binary.BigEndian.PutUint64(id[:8], tick>>12<<16|0x7000|tick&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}
