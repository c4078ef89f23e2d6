package index

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"exante/auth/uid"
)

// order has all rows of a table sorted by a key, then by text if it has any,
// then by uid. It is a list of blocks.
type order struct {
	*table
	key    func(n uint32) int64
	text   *texts
	blocks []*block
}

// place is where a row is in an order, or would be.
type place struct {
	key  int64
	text []byte
	id   uid.ID
}

// lastID is not before any uid.
var lastID = uid.ID(bytes.Repeat([]byte{0xff}, len(uid.ID{})))

// position is the i-th row of the b-th block. The end of an order is position
// 0 of the block after the last.
type position struct{ b, i int }

func (o *order) placeOf(n uint32) place {
	p := place{key: o.key(n), id: o.ids.at(n)}
	if o.text != nil {
		p.text = o.text.at(n)
	}
	return p
}

// compare is where row n is as seen from p: before it if negative.
func (o *order) compare(n uint32, p *place) int {
	if c := cmp.Compare(o.key(n), p.key); c != 0 {
		return c
	}
	return o.compareTie(n, p)
}

// compareTie is compare for a row with p's key.
func (o *order) compareTie(n uint32, p *place) int {
	if o.text != nil {
		if c := bytes.Compare(o.text.at(n), p.text); c != 0 {
			return c
		}
	}
	id := o.ids.at(n)
	return bytes.Compare(id[:], p.id[:])
}

// from is the position of the first row at p or after it.
func (o *order) from(p *place) position { return o.seek(p, 0) }

// after is the position of the first row after p.
func (o *order) after(p *place) position { return o.seek(p, 1) }

func (o *order) end() position { return position{b: len(o.blocks)} }

// seek is the position of the first row whose comparison with p is not below least.
func (o *order) seek(p *place, least int) position {
	at := o.seekInside(p, least)
	if at.b < len(o.blocks) && at.i == len(o.blocks[at.b].rows) {
		return position{b: at.b + 1}
	}
	return at
}

// seekInside is seek, but rather the end of a block than the begin of the next.
func (o *order) seekInside(p *place, least int) position {
	b := sort.Search(len(o.blocks), func(b int) bool {
		first := o.blocks[b]
		if first.first != p.key {
			return first.first > p.key
		}
		return o.compareTie(first.rows[0], p) >= least
	})
	if b == 0 {
		return position{}
	}
	rows := o.blocks[b-1].rows
	return position{b - 1, sort.Search(len(rows), func(i int) bool { return o.compare(rows[i], p) >= least })}
}

// blockOf is the block that has row n.
func (o *order) blockOf(n uint32) *block {
	p := o.placeOf(n)
	return o.blocks[o.from(&p).b]
}

// insert takes up a row whose columns are filled.
func (o *order) insert(n uint32) {
	p := o.placeOf(n)
	at := o.seekInside(&p, 0)
	if len(o.blocks) == 0 {
		o.blocks = append(o.blocks, &block{})
	}
	b := o.blocks[at.b]
	if len(b.rows) == o.blockRows {
		if at.b == len(o.blocks)-1 && at.i == len(b.rows) { // rows that come in order leave full blocks
			at = position{b: at.b + 1}
			o.blocks = append(o.blocks, &block{})
		} else {
			at = o.split(at)
		}
		b = o.blocks[at.b]
	}
	b.rows = slices.Insert(b.rows, at.i, n)
	b.count(o.table, n)
	b.first = o.key(b.rows[0])
}

// split halves a full block and says where at has come to.
func (o *order) split(at position) position {
	b, half := o.blocks[at.b], o.blockRows/2
	upper := &block{rows: slices.Clone(b.rows[half:])}
	b.rows = slices.Clone(b.rows[:half])
	o.blocks = slices.Insert(o.blocks, at.b+1, upper)
	b.recount(o)
	upper.recount(o)
	if at.i > half {
		return position{at.b + 1, at.i - half}
	}
	return at
}

// remove lets go of a row whose columns are as they were when it came.
func (o *order) remove(n uint32) {
	p := o.placeOf(n)
	at := o.from(&p)
	b := o.blocks[at.b]
	b.rows = slices.Delete(b.rows, at.i, at.i+1)
	b.uncount(o.table, n)
	if len(b.rows) == 0 {
		o.blocks = slices.Delete(o.blocks, at.b, at.b+1)
		return
	}
	b.first = o.key(b.rows[0])
	if at.b+1 < len(o.blocks) && len(b.rows)+len(o.blocks[at.b+1].rows) <= o.blockRows/2 {
		b.rows = append(b.rows, o.blocks[at.b+1].rows...)
		b.recount(o)
		o.blocks = slices.Delete(o.blocks, at.b+1, at.b+2)
	}
}

// pieces calls fn on all rows of a run, some at a time.
func (o *order) pieces(r run, fn func(rows []uint32)) {
	for b := r.from.b; b < r.to.b; b++ {
		fn(o.blocks[b].rows[r.from.i:])
		r.from.i = 0
	}
	if r.to.b < len(o.blocks) && r.from.b <= r.to.b && r.from.i < r.to.i {
		fn(o.blocks[r.to.b].rows[r.from.i:r.to.i])
	}
}
