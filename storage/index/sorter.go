package index

import (
	"bytes"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// sortAll builds the orders of rows that lie by uid, two at a time: a start waits
// for it, and each takes memory of its own.
func (t *table) sortAll() {
	counted := t.countedRows()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(2, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			s := newSorter(t.rows)
			for o := next.Add(1) - 1; o < int64(len(t.orders)); o = next.Add(1) - 1 {
				s.arrange(&t.orders[o], counted)
			}
		})
	}
	workers.Wait()
}

// arrange builds one order.
func (s *sorter) arrange(o *order, counted []countedRow) {
	for n := range s.rows {
		s.rows[n] = uint32(n)
		s.keys[n] = unsigned(o.key(uint32(n)))
	}
	if o.text != nil {
		s.sortTexts(o.text)
	} else {
		s.sort()
	}
	o.build(s.rows, counted)
}

// build makes blocks of rows in order.
func (o *order) build(rows []uint32, counted []countedRow) {
	o.blocks = make([]*block, 0, len(rows)/o.blockRows+1)
	for piece := range slices.Chunk(rows, o.blockRows) {
		b := &block{rows: slices.Clone(piece), first: o.key(piece[0])}
		b.recountFrom(counted)
		o.blocks = append(o.blocks, b)
	}
}

// sorter sorts rows by 64-bit keys, digit by digit, lowest first (LSD radix
// sort). Rows with equal keys stay in the order in which they lie: by uid.
type sorter struct {
	rows, moreRows []uint32
	keys, moreKeys []uint64
}

func newSorter(n int) *sorter {
	return &sorter{make([]uint32, n), make([]uint32, n), make([]uint64, n), make([]uint64, n)}
}

const digit = 11 // bits

func (s *sorter) sort() {
	differ, sorted := uint64(0), true
	for i, k := range s.keys {
		differ |= k ^ s.keys[0]
		sorted = sorted && (i == 0 || s.keys[i-1] <= k)
	}
	now, next := s, &sorter{rows: s.moreRows, keys: s.moreKeys}
	for shift := 0; shift < 64 && !sorted; shift += digit {
		if differ>>shift&(1<<digit-1) != 0 {
			now.sortDigit(shift, next)
			now, next = next, now
		}
	}
	if now != s {
		copy(s.keys, now.keys)
		copy(s.rows, now.rows)
	}
}

// sortDigit puts the rows into to, sorted by one digit.
func (s *sorter) sortDigit(shift int, to *sorter) {
	var starts [1 << digit]uint32
	for _, k := range s.keys {
		starts[k>>shift&(1<<digit-1)]++
	}
	sum := uint32(0)
	for d, n := range starts {
		starts[d] = sum
		sum += n
	}
	for i, k := range s.keys {
		at := &starts[k>>shift&(1<<digit-1)]
		to.keys[*at], to.rows[*at] = k, s.rows[i]
		*at++
	}
}

// sortTexts sorts by eight bytes of the texts, those after the begin that all
// have in common, and then the texts that are alike in those.
func (s *sorter) sortTexts(t *texts) {
	common, same := s.common(t)
	if same {
		return
	}
	for i, n := range s.rows {
		s.keys[i] = unsigned(textKey(t.at(n)[common:]))
	}
	s.sort()
	for from, to := 0, 0; from < len(s.rows); from = to {
		for to = from + 1; to < len(s.rows) && s.keys[to] == s.keys[from]; to++ {
		}
		if to-from < 256 || to-from == len(s.rows) {
			slices.SortStableFunc(s.rows[from:to], func(a, b uint32) int { return bytes.Compare(t.at(a), t.at(b)) })
			continue
		}
		alike := sorter{s.rows[from:to], s.moreRows[from:to], s.keys[from:to], s.moreKeys[from:to]}
		alike.sortTexts(t)
	}
}

// common is the length of the begin that all texts have in common, and whether
// that is all of each.
func (s *sorter) common(t *texts) (length int, same bool) {
	same = true
	for i, n := range s.rows {
		text, first := t.at(n), t.at(s.rows[0])
		if i == 0 {
			length = len(text)
		}
		was := length
		length = 0
		for length < min(was, len(text)) && text[length] == first[length] {
			length++
		}
		same = same && length == len(text) && length == len(first)
	}
	return length, same
}
