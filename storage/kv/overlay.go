package kv

import (
	"bytes"
	"slices"
)

// mutation is the pending state of one key. It is never changed once it is in
// an overlay, so scans may hold on to it.
type mutation struct {
	key     []byte
	value   []byte
	deleted bool
	fenced  bool // fenced and nothing else: the layer below decides what is read
}

// size is what the mutation counts against the limits of a transaction.
func (m *mutation) size() int {
	if m.fenced {
		return 0
	}
	return len(m.key) + len(m.value)
}

// overlay holds pending mutations, the newest of each key, and can be read in
// key order. It lies over a snapshot, or over another overlay.
type overlay struct {
	byKey map[string]*mutation
	bytes int // sum of the sizes

	sorted []*mutation // in key order, complete but for fresh, never changed in place
	fresh  []*mutation // put since sorted was made
}

func (o *overlay) put(m *mutation) {
	if o.byKey == nil {
		o.byKey = make(map[string]*mutation)
	}
	if old := o.byKey[string(m.key)]; old != nil {
		o.bytes -= old.size()
	}
	o.byKey[string(m.key)] = m
	o.bytes += m.size()
	o.fresh = append(o.fresh, m)
}

// get returns the pending state of key, or nil where the layer below decides.
func (o *overlay) get(key []byte) *mutation {
	if m := o.byKey[string(key)]; m != nil && !m.fenced {
		return m
	}
	return nil
}

// within returns the mutations of r in key order. The slice stays as it is,
// whatever is put later.
func (o *overlay) within(r Range) []*mutation {
	if len(o.fresh) > 0 {
		o.sort()
	}
	from, _ := slices.BinarySearchFunc(o.sorted, r.Start, compareKey)
	to := len(o.sorted)
	if r.End != nil {
		to, _ = slices.BinarySearchFunc(o.sorted, r.End, compareKey)
	}
	return o.sorted[from:max(from, to)]
}

// sort merges what is fresh into a new sorted slice.
func (o *overlay) sort() {
	slices.SortFunc(o.fresh, func(a, b *mutation) int { return bytes.Compare(a.key, b.key) })
	old := o.sorted
	all := make([]*mutation, 0, len(old)+len(o.fresh))
	for _, m := range o.fresh {
		if m.fenced || o.byKey[string(m.key)] != m {
			continue // nothing to read, or put again since
		}
		for len(old) > 0 && bytes.Compare(old[0].key, m.key) < 0 {
			all, old = append(all, old[0]), old[1:]
		}
		if len(old) > 0 && bytes.Equal(old[0].key, m.key) {
			old = old[1:]
		}
		all = append(all, m)
	}
	o.sorted, o.fresh = append(all, old...), o.fresh[:0]
}

func compareKey(m *mutation, key []byte) int { return bytes.Compare(m.key, key) }
