package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Writer writes one backup. It is for one goroutine.
type Writer struct {
	out    io.Writer
	chain  *chain
	totals Totals
	head   [frameHead]byte
	chunk  []byte // entries that are not written yet
	last   []byte // key of the last entry
	err    error  // of the first write that failed; all after it fail too
}

// NewWriter writes a header. key makes the links; empty: anybody can make them.
func NewWriter(out io.Writer, h Header, key []byte) (*Writer, error) {
	h.Authenticated = len(key) > 0
	head, err := h.append(nil)
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out, chain: newChain(key), chunk: make([]byte, 0, maxChunk)}
	w.write(head, w.chain.follow(head))
	return w, w.err
}

// Add writes an entry, whose key follows those before it in byte order.
func (w *Writer) Add(key, value []byte) error {
	size := entryHead + len(key) + len(value)
	switch {
	case w.err != nil:
		return w.err
	case len(key) == 0 || len(key) > 1<<16-1 || size > maxChunk:
		return fmt.Errorf("entry with a key of %d bytes and a value of %d does not fit in a backup", len(key), len(value))
	case bytes.Compare(key, w.last) <= 0:
		return errors.New("entries of a backup must come in the order of their keys")
	}
	if len(w.chunk)+size > maxChunk {
		w.flush()
	}
	w.chunk = binary.BigEndian.AppendUint16(w.chunk, uint16(len(key)))
	w.chunk = binary.BigEndian.AppendUint32(w.chunk, uint32(len(value)))
	w.chunk = append(append(w.chunk, key...), value...)
	w.last = append(w.last[:0], key...)
	w.totals.Entries++
	return w.err
}

// Close writes what is left and the footer: before that it is no backup. It leaves
// the stream under it open.
func (w *Writer) Close() (Totals, error) {
	if len(w.chunk) > 0 {
		w.flush()
	}
	w.frame(kindFooter, w.totals.append(nil))
	if w.err == nil {
		w.err = errors.New("backup is complete: nothing can be added")
		return w.totals, nil
	}
	return w.totals, w.err
}

func (w *Writer) flush() {
	w.totals.Chunks++
	w.totals.Bytes += uint64(len(w.chunk))
	w.frame(kindChunk, w.chunk)
	w.chunk = w.chunk[:0]
}

func (w *Writer) frame(kind byte, payload []byte) {
	w.head[0] = kind
	binary.BigEndian.PutUint32(w.head[1:], uint32(len(payload)))
	w.write(w.head[:], payload, w.chain.follow(w.head[:], payload))
}

func (w *Writer) write(parts ...[]byte) {
	for _, p := range parts {
		if w.err == nil {
			_, w.err = w.out.Write(p)
		}
	}
}
