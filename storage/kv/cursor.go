package kv

import (
	"bytes"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// cursor walks a range of one Badger snapshot in either direction.
type cursor struct {
	it      *badger.Iterator
	rng     Range
	reverse bool
	passed  bool // the entry under it has been handed out: step before looking
}

func (r *reader) newCursor(rng Range, reverse bool) *cursor {
	// No prefetch: it starts a goroutine for each entry, and values lie beside
	// their keys anyway.
	it := r.txn.NewIterator(badger.IteratorOptions{
		Reverse: reverse,
		Prefix:  inDataSpace(nil, sharedPrefix(rng, reverse)),
	})
	switch {
	case !reverse:
		it.Seek(inDataSpace(nil, rng.Start))
	case rng.End == nil:
		it.Seek([]byte{spaceData + 1})
	default:
		it.Seek(inDataSpace(nil, rng.End))
	}
	return &cursor{it: it, rng: rng, reverse: reverse}
}

// sharedPrefix returns bytes that every key of r begins with, so that Badger
// leaves out the tables without them. Backwards, End must begin with them too:
// the walk starts there.
func sharedPrefix(r Range, reverse bool) []byte {
	if r.End == nil {
		return nil
	}
	n := 0
	for n < len(r.Start) && n < len(r.End) && r.Start[n] == r.End[n] {
		n++
	}
	if !reverse && n < len(r.Start) && n+1 == len(r.End) && r.Start[n]+1 == r.End[n] {
		n++ // as in Prefix: End follows all that begins like Start
	}
	return r.Start[:n]
}

// key returns the key under the cursor until the next call, or nil at the end.
func (c *cursor) key() []byte {
	if c.passed {
		c.it.Next()
		c.passed = false
	}
	for ; c.it.Valid(); c.it.Next() {
		key := c.it.Item().Key()[1:]
		atEnd := c.rng.End != nil && bytes.Compare(key, c.rng.End) >= 0
		switch {
		case atEnd && c.reverse:
			continue // the walk began on End itself
		case atEnd, c.reverse && bytes.Compare(key, c.rng.Start) < 0:
			return nil
		}
		return key
	}
	return nil
}

// value returns the value under the cursor until the next call of key.
func (c *cursor) value() (value []byte, err error) {
	err = c.it.Item().Value(func(v []byte) error {
		value = present(v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return value, nil
}

// pending are the mutations of one range that lie over a snapshot: those of the
// transaction itself over those that its batch has accepted before it.
type pending struct {
	own, below []*mutation
	reverse    bool
}

// peek returns the next mutation in the direction of the walk, or nil.
func (p *pending) peek() *mutation {
	own, below := p.first(p.own), p.first(p.below)
	if own == nil || below != nil && p.compare(below.key, own.key) < 0 {
		return below
	}
	return own
}

// pop drops what is pending for m's key in either layer.
func (p *pending) pop(m *mutation) {
	for _, layer := range []*[]*mutation{&p.own, &p.below} {
		switch first := p.first(*layer); {
		case first == nil || !bytes.Equal(first.key, m.key):
		case p.reverse:
			*layer = (*layer)[:len(*layer)-1]
		default:
			*layer = (*layer)[1:]
		}
	}
}

func (p *pending) first(layer []*mutation) *mutation {
	switch {
	case len(layer) == 0:
		return nil
	case p.reverse:
		return layer[len(layer)-1]
	}
	return layer[0]
}

func (p *pending) compare(a, b []byte) int {
	if p.reverse {
		return bytes.Compare(b, a)
	}
	return bytes.Compare(a, b)
}
