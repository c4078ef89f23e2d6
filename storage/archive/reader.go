package archive

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// Reader reads one backup from its beginning to its end. It is for one goroutine.
type Reader struct {
	in     *bufio.Reader
	header Header
	chain  *chain
	seen   Totals
	buf    []byte // of the chunk; as long as the longest until now
	rest   []byte // entries of the chunk that were not handed out
	last   []byte // key of the last entry
	err    error  // the end, or why there is none
}

// NewReader reads a header and checks it. key is the one that the backup was made
// with, empty if it was made without. Errors: all of this package.
func NewReader(in io.Reader, key []byte) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 64<<10), chain: newChain(key)}
	head := make([]byte, fixedHead)
	if n, err := io.ReadFull(r.in, head); err != nil {
		if begun := head[:min(n, len(magic))]; endedEarly(err) && string(begun) != magic[:len(begun)] {
			return nil, ErrNotBackup
		}
		return nil, cut(err, "header")
	}
	rest, err := r.header.parse(head)
	switch {
	case err != nil:
		return nil, err
	case r.header.Authenticated && len(key) == 0:
		return nil, ErrNeedsKey
	case !r.header.Authenticated && len(key) > 0:
		return nil, ErrNoMAC
	}
	head = append(head, make([]byte, rest)...)
	if _, err := io.ReadFull(r.in, head[fixedHead:]); err != nil {
		return nil, cut(err, "header")
	}
	r.header.Program = string(head[fixedHead:])
	good, err := r.link(head)
	switch {
	case err != nil:
		return nil, err
	case !good && r.header.Authenticated:
		return nil, ErrForged
	case !good:
		return nil, damaged("the header is not what was written there")
	}
	return r, nil
}

// Header says what the backup is of. It is as trustworthy as the key.
func (r *Reader) Header() Header { return r.header }

// Totals are what was read until now: at the end, what the footer says.
func (r *Reader) Totals() Totals { return r.seen }

// Next is the next entry, valid until the call after it. io.EOF says that the
// backup was whole; only then may what was read be used.
func (r *Reader) Next() (key, value []byte, err error) {
	for len(r.rest) == 0 && r.err == nil {
		r.err = r.frame()
	}
	if r.err == nil {
		key, value, r.err = r.entry()
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	return key, value, nil
}

// entry takes the next entry off a chunk whose link was good.
func (r *Reader) entry() (key, value []byte, err error) {
	if len(r.rest) < entryHead {
		return nil, nil, damaged("an entry in chunk %d is cut short", r.seen.Chunks)
	}
	long, wide := int(binary.BigEndian.Uint16(r.rest)), int(binary.BigEndian.Uint32(r.rest[2:]))
	body := r.rest[entryHead:]
	if long == 0 || wide > len(body) || long > len(body)-wide {
		return nil, nil, damaged("an entry in chunk %d does not fit in it", r.seen.Chunks)
	}
	key, value, r.rest = body[:long:long], body[long:long+wide:long+wide], body[long+wide:]
	if bytes.Compare(key, r.last) <= 0 {
		return nil, nil, damaged("entries in chunk %d are out of order", r.seen.Chunks)
	}
	r.last = append(r.last[:0], key...)
	r.seen.Entries++
	return key, value, nil
}

// frame reads a chunk, or the footer: then it returns io.EOF.
func (r *Reader) frame() error {
	var head [frameHead]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return cut(err, "footer")
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	switch {
	case head[0] == kindFooter && size == footerSize:
	case head[0] == kindChunk && size > 0 && size <= maxChunk:
		r.seen.Chunks++
	default:
		return damaged("after chunk %d comes neither a chunk nor a footer", r.seen.Chunks)
	}
	if int(size) > len(r.buf) {
		r.buf = make([]byte, size)
	}
	payload := r.buf[:size]
	if _, err := io.ReadFull(r.in, payload); err != nil {
		return cut(err, "footer")
	}
	if head[0] == kindFooter {
		return r.footer(head[:], payload)
	}
	if good, err := r.link(head[:], payload); err != nil {
		return err
	} else if !good {
		return damaged("chunk %d is not what was written there", r.seen.Chunks)
	}
	r.seen.Bytes += uint64(size)
	r.rest = payload
	return nil
}

func (r *Reader) footer(head, payload []byte) error {
	if good, err := r.link(head, payload); err != nil {
		return err
	} else if !good {
		return damaged("the footer is not what was written there")
	}
	if !bytes.Equal(payload, r.seen.append(nil)) {
		return damaged("the footer counts other entries than there are")
	}
	switch _, err := r.in.ReadByte(); {
	case err == nil:
		return damaged("something follows the footer")
	case !errors.Is(err, io.EOF):
		return err
	}
	return io.EOF
}

// link reads a link and reports whether it is the one that follows parts.
func (r *Reader) link(parts ...[]byte) (good bool, err error) {
	var link [sha256.Size]byte
	if _, err := io.ReadFull(r.in, link[:]); err != nil {
		return false, cut(err, "footer")
	}
	return hmac.Equal(link[:], r.chain.follow(parts...)), nil
}

// cut is an error of the stream below; its end is damage, for a footer is missing.
func cut(err error, missing string) error {
	if endedEarly(err) {
		return damaged("it is cut short: the %s is missing", missing)
	}
	return err
}

func endedEarly(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
