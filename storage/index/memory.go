package index

import (
	"encoding/binary"
	"sync"
)

// memory keeps the rows that matched the last few filters until the table
// changes: who asks for one page often asks for the next.
type memory struct {
	mu      sync.Mutex
	changes uint64 // of the table, when it was last asked
	last    [4]*remembered
	oldest  int
}

// remembered is what is known of one filter.
type remembered struct {
	key string

	mu      sync.Mutex // guards what follows until it is there; then it stays as it is
	bits    *bitmap    // the rows that match
	tallies [orders][]uint16
}

// worthIt is how many rows are so many that it is worth to remember them.
func (t *table) worthIt() int { return 40 * t.blockRows }

// recall is what is remembered of a filter, and whether it was asked before. All
// of it is of rows as they are now, which hold still.
func (t *table) recall(f *filter) (r *remembered, again bool) {
	m := &t.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes != t.changes {
		m.changes = t.changes
		for i, old := range m.last {
			if old != nil {
				old.bits.free() // who uses them stopped before the change
			}
			m.last[i] = nil
		}
	}
	key := f.fingerprint()
	for _, r := range m.last {
		if r != nil && r.key == key {
			return r, true
		}
	}
	r = &remembered{key: key}
	m.last[m.oldest] = r
	m.oldest = (m.oldest + 1) % len(m.last)
	return r, false
}

// marked is the rows that match; mark is called if they are not known.
func (r *remembered) marked(mark func() *bitmap) *bitmap {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bits == nil {
		r.bits = mark()
	}
	return r.bits
}

// tally is how many rows match in each block of an order.
func (r *remembered) tally(c Column, o *order) []uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tallies[c] == nil {
		r.tallies[c] = make([]uint16, len(o.blocks))
		for i, b := range o.blocks {
			for _, n := range b.rows {
				r.tallies[c][i] += uint16((*r.bits)[n>>6] >> (n & 63) & 1)
			}
		}
	}
	return r.tallies[c]
}

// fingerprint is the same for two filters that the same rows pass.
func (f *filter) fingerprint() string {
	var key []byte
	for _, has := range f.set.has {
		key = append(key, byte(bit(has)))
	}
	for i := range f.bounds {
		key = append(key, byte(f.bounds[i].zone))
		key = binary.BigEndian.AppendUint64(key, uint64(f.bounds[i].lo))
		key = binary.BigEndian.AppendUint64(key, uint64(f.bounds[i].hi))
	}
	key = binary.BigEndian.AppendUint64(append(key, 'l'), uint64(f.late))
	for _, code := range f.parties {
		key = binary.BigEndian.AppendUint32(append(key, 'p'), code)
	}
	key = binary.BigEndian.AppendUint64(append(key, 'n'), uint64(len(f.number)))
	key = append(key, f.number...)
	if f.search != nil {
		key = append(append(key, 's'), f.search.text...)
	}
	return string(key)
}
