package archive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"
)

// Why a backup was not read. Its errors are one of these, or those of the stream.
var (
	// ErrDamaged: bytes are missing, changed, out of place or too many.
	ErrDamaged = errors.New("backup is damaged")
	// ErrNotBackup: the stream is something else from its first bytes on.
	ErrNotBackup = errors.New("not a backup of exante")
	// ErrNewer: a later program has written it, in a form that is not known here.
	ErrNewer = errors.New("backup has a newer format")
	// ErrNoMAC: a key was given, but the backup was made without one: anybody can
	// have written it.
	ErrNoMAC = errors.New("backup is not authenticated")
	// ErrNeedsKey: the backup is authenticated, and no key was given.
	ErrNeedsKey = errors.New("backup is authenticated: it needs the key that it was made with")
	// ErrForged: the header does not bear the mark of the key that was given.
	ErrForged = errors.New("backup was made with another key, or was changed by somebody without it")
)

const (
	magic  = "EXANTE\x1a\n" // a transfer as text would break its end
	format = 1

	// MaxEntry is the most that a key and its value may have together, in bytes.
	MaxEntry = maxChunk - entryHead

	maxChunk   = 1 << 20
	entryHead  = 2 + 4
	frameHead  = 1 + 4
	fixedHead  = len(magic) + 2 + 1 + 16 + 8 + 8 + 8 + 1
	footerSize = 3 * 8

	kindChunk  = 'C'
	kindFooter = 'F'
	flagMAC    = 1
)

// Header says what a backup is of.
type Header struct {
	Database      [16]byte
	Sequence      uint64    // of the last commit in it
	TakenAt       time.Time // UTC, whole milliseconds
	Schema        uint64
	Program       string // version of the program that wrote it, at most 255 bytes
	Authenticated bool   // its links are made with a key; set by NewWriter
}

// Totals are what a backup has.
type Totals struct {
	Entries uint64
	Chunks  uint64
	Bytes   uint64 // of packed entries
}

func (h *Header) append(b []byte) ([]byte, error) {
	if len(h.Program) > 255 {
		return nil, fmt.Errorf("version of the program has %d bytes, at most 255", len(h.Program))
	}
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, format)
	flags := byte(0)
	if h.Authenticated {
		flags |= flagMAC
	}
	b = append(append(b, flags), h.Database[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Sequence)
	b = binary.BigEndian.AppendUint64(b, uint64(h.TakenAt.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, h.Schema)
	return append(append(b, byte(len(h.Program))), h.Program...), nil
}

// parse reads the fixed part of a header and says how long the text after it is.
func (h *Header) parse(b []byte) (rest int, err error) {
	if string(b[:len(magic)]) != magic {
		return 0, ErrNotBackup
	}
	b = b[len(magic):]
	if f := binary.BigEndian.Uint16(b); f > format {
		return 0, fmt.Errorf("%w: format %d, this one knows %d", ErrNewer, f, format)
	} else if f == 0 {
		return 0, damaged("format 0 has never been")
	}
	flags := b[2]
	if flags&^flagMAC != 0 {
		return 0, damaged("unknown flags %#x in the header", flags)
	}
	b = b[3:]
	copy(h.Database[:], b)
	b = b[16:]
	h.Authenticated = flags&flagMAC != 0
	h.Sequence = binary.BigEndian.Uint64(b)
	h.TakenAt = time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:]))).UTC()
	h.Schema = binary.BigEndian.Uint64(b[16:])
	return int(b[24]), nil
}

func (t *Totals) append(b []byte) []byte {
	for _, n := range []uint64{t.Entries, t.Chunks, t.Bytes} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// chain is the last link, and what makes the next.
type chain struct {
	hash hash.Hash
	link [sha256.Size]byte
}

// newChain makes links with key, or without one if it is empty.
func newChain(key []byte) *chain {
	if len(key) == 0 {
		return &chain{hash: sha256.New()}
	}
	return &chain{hash: hmac.New(sha256.New, key)}
}

// follow makes the link that follows what parts are.
func (c *chain) follow(parts ...[]byte) []byte {
	c.hash.Reset()
	c.hash.Write(c.link[:])
	for _, p := range parts {
		c.hash.Write(p)
	}
	return c.hash.Sum(c.link[:0])
}

// Digest is a fingerprint of entries: two stores that hold the same have the same
// one, whatever backup they came from.
type Digest struct{ hash hash.Hash }

// NewDigest returns the digest of no entries.
func NewDigest() Digest { return Digest{sha256.New()} }

// Add takes the next entry in.
func (d Digest) Add(key, value []byte) {
	var head [8]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(key)))
	binary.BigEndian.PutUint32(head[4:], uint32(len(value)))
	d.hash.Write(head[:])
	d.hash.Write(key)
	d.hash.Write(value)
}

// Sum is the digest of what was added until now.
func (d Digest) Sum() (sum [sha256.Size]byte) {
	d.hash.Sum(sum[:0])
	return sum
}
