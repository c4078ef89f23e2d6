package index

import (
	"math/bits"
	"sync"
)

// bitmap is a set of rows, or of codes.
type bitmap []uint64

func (b bitmap) set(n uint32) { b[n>>6] |= 1 << (n & 63) }

func (b bitmap) drop(n uint32) { b[n>>6] &^= 1 << (n & 63) }

func (b bitmap) has(n uint32) bool { return b[n>>6]>>(n&63)&1 != 0 }

func (b bitmap) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// fill has all members below n.
func (b bitmap) fill(n int) {
	for i := range b {
		b[i] = ^uint64(0)
	}
	if n%64 != 0 {
		b[n/64] = 1<<(n%64) - 1
	}
}

// each calls fn on every member, smallest first.
func (b bitmap) each(fn func(n uint32)) {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			fn(uint32(i)<<6 + uint32(bits.TrailingZeros64(w)))
		}
	}
}

// keepRange drops the members whose value is not lo to hi. It reads the column
// from begin to end, and does not branch on what it finds.
func (b bitmap) keepRange(c *column[int64], lo, hi int64) {
	width := uint64(hi) - uint64(lo)
	for at, block := range c.blocks {
		for i := range b.wordsOf(at, len(block)) {
			if word := &b[at*columnRows/64+i]; *word != 0 {
				*word &= within(block[i*64:min(i*64+64, len(block))], lo, width)
			}
		}
	}
}

// within has bit i for each value i that is at least lo and at most width more.
func within(values []int64, lo int64, width uint64) (w uint64) {
	i := 0
	for ; i+4 <= len(values); i += 4 { // four at a time, since none waits for another
		v := values[i : i+4 : i+4]
		four := bit(uint64(v[0])-uint64(lo) <= width) | bit(uint64(v[1])-uint64(lo) <= width)<<1 |
			bit(uint64(v[2])-uint64(lo) <= width)<<2 | bit(uint64(v[3])-uint64(lo) <= width)<<3
		w |= four << (i & 63)
	}
	for ; i < len(values); i++ {
		w |= bit(uint64(values[i])-uint64(lo) <= width) << (i & 63)
	}
	return w
}

// keepCodes drops the members whose code is not wanted.
func keepCodes[C uint16 | uint32](b bitmap, c *column[C], wanted []bool) {
	for at, block := range c.blocks {
		for i := range b.wordsOf(at, len(block)) {
			word := &b[at*columnRows/64+i]
			if *word == 0 {
				continue
			}
			var w uint64
			for j, code := range block[i*64 : min(i*64+64, len(block))] {
				w |= bit(wanted[code]) << (j & 63)
			}
			*word &= w
		}
	}
}

// wordsOf is the part of b for the rows of a column's block.
func (b bitmap) wordsOf(block, rows int) bitmap {
	from := block * columnRows / 64
	return b[from : from+(rows+63)/64]
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

var bitmaps sync.Pool // of *bitmap

// newBitmap is an empty set for members below n. It goes back with free.
func newBitmap(n int) *bitmap {
	b, ok := bitmaps.Get().(*bitmap)
	if words := (n + 63) / 64; !ok || cap(*b) < words {
		made := make(bitmap, words)
		b = &made
	} else {
		*b = (*b)[:words]
		clear(*b)
	}
	return b
}

func (b *bitmap) free() {
	if b != nil {
		bitmaps.Put(b)
	}
}
