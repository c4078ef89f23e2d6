package index

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"exante/storage/input"
)

// texts is a column of texts that can be searched without regard to case. The
// texts of a block lie one behind the other, so that a search reads them as one.
type texts struct{ blocks []*textBlock }

const (
	textShift = 10
	textRows  = 1 << textShift // in a block
)

type textBlock struct {
	as     packed
	folded *packed // nil while all are ASCII, where lower case is all of it
}

// packed are texts in one piece; each begins where the one before it ends.
type packed struct {
	ends  []uint32
	bytes []byte
}

func (p *packed) bounds(i int) (from, to uint32) {
	if i > 0 {
		from = p.ends[i-1]
	}
	return from, p.ends[i]
}

func (p *packed) at(i int) []byte {
	from, to := p.bounds(i)
	return p.bytes[from:to]
}

func (p *packed) add(s string) {
	p.bytes = append(p.bytes, s...)
	p.ends = append(p.ends, uint32(len(p.bytes)))
}

func (p *packed) set(i int, s string) {
	from, to := p.bounds(i)
	rest := p.bytes[to:]
	if grow := int(from) + len(s) - int(to); grow != 0 {
		if grow > 0 {
			p.bytes = append(p.bytes, make([]byte, grow)...)
		}
		copy(p.bytes[int(from)+len(s):], rest)
		p.bytes = p.bytes[:int(from)+len(s)+len(rest)]
		for j := i; j < len(p.ends); j++ {
			p.ends[j] += uint32(grow) // wraps round when it shrinks
		}
	}
	copy(p.bytes[from:], s)
}

func (t *texts) len() int {
	if len(t.blocks) == 0 {
		return 0
	}
	last := len(t.blocks) - 1
	return last<<textShift + len(t.blocks[last].as.ends)
}

// at is the n-th text. It is a view: it changes with the next set.
func (t *texts) at(n uint32) []byte { return t.blocks[n>>textShift].as.at(int(n & (textRows - 1))) }

// add appends a text.
func (t *texts) add(s string) {
	last := len(t.blocks) - 1
	if last < 0 || len(t.blocks[last].as.ends) == textRows {
		if last >= 0 {
			t.blocks[last].as.bytes = bytes.Clone(t.blocks[last].as.bytes) // what it was to grow by
		}
		t.blocks = append(t.blocks, &textBlock{})
		last++
	}
	b := t.blocks[last]
	b.as.add(s)
	b.fold(len(b.as.ends)-1, s)
}

func (t *texts) set(n uint32, s string) {
	b, i := t.blocks[n>>textShift], int(n&(textRows-1))
	if string(b.as.at(i)) != s {
		b.as.set(i, s)
		b.fold(i, s)
	}
}

// fold keeps the folded text of the i-th, if the block has to keep any.
func (b *textBlock) fold(i int, s string) {
	switch {
	case b.folded != nil && i == len(b.folded.ends):
		b.folded.add(input.Fold(s))
	case b.folded != nil:
		b.folded.set(i, input.Fold(s))
	case !isASCII(s):
		b.folded = &packed{}
		for j := range b.as.ends {
			b.folded.add(input.Fold(string(b.as.at(j))))
		}
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// holds reports whether a folded text is part of the n-th.
func (t *texts) holds(n uint32, folded []byte) bool {
	b, i := t.blocks[n>>textShift], int(n&(textRows-1))
	if b.folded != nil {
		return bytes.Contains(b.folded.at(i), folded)
	}
	var low [64]byte
	return bytes.Contains(lower(low[:], b.as.at(i)), folded)
}

// lower is ASCII text in lower case, in to's memory if it is enough, eight
// letters at a time.
func lower(to, from []byte) []byte {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	to = slices.Grow(to[:0], len(from))[:len(from)]
	i := 0
	for ; i+8 <= len(from); i += 8 {
		x := binary.LittleEndian.Uint64(from[i:])
		fromA, afterZ := x+(0x80-'A')*ones, x+(0x7f-'Z')*ones // the high bit of each byte tells
		binary.LittleEndian.PutUint64(to[i:], x|(fromA&^afterZ&high)>>2)
	}
	for ; i < len(from); i++ {
		to[i] = from[i]
		if 'A' <= from[i] && from[i] <= 'Z' {
			to[i] += 'a' - 'A'
		}
	}
	return to
}

// search marks the texts that a folded text is part of.
func (t *texts) search(folded []byte, found bitmap) {
	var low []byte
	cased := bytes.ContainsFunc(folded, unicode.IsLetter)
	for at, b := range t.blocks {
		p := b.folded
		switch {
		case p == nil && !cased:
			p = &b.as
		case p == nil:
			low = lower(low, b.as.bytes)
			p = &packed{b.as.ends, low}
		}
		p.search(folded, found, uint32(at)<<textShift)
	}
}

// search marks first+i for the i-th text. Texts that are alike have the part in
// the same place, so that is where it looks first.
func (p *packed) search(part []byte, found bitmap, first uint32) {
	i, from := 0, 0 // the text to look at next, and its begin
	for {
		next := bytes.Index(p.bytes[from:], part)
		if next < 0 {
			return
		}
		at := from + next
		for ; int(p.ends[i]) <= at; i++ {
		}
		begin, end := p.bounds(i)
		if at+len(part) > int(end) { // it runs over into the next text
			from = at + 1
			continue
		}
		for within := at - int(begin); ; {
			found.set(first + uint32(i))
			begin, i = end, i+1
			if i == len(p.ends) {
				return
			}
			end = p.ends[i]
			at = int(begin) + within
			if at+len(part) > int(end) || string(p.bytes[at:at+len(part)]) != string(part) {
				break
			}
		}
		from = int(begin)
	}
}
