package auditcopy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Options of a Reader.
type Options struct {
	// Branch reports whether a line may begin a branch after last.
	Branch func(text []byte, last Line) bool
	// Tail is how many bytes at the end are read. What comes before them is not
	// held against the chain. 0: all.
	Tail int64
	// Size is how much of the file is there to be read. 0: as much as there is.
	Size int64
}

// Reader reads the lines of a file in their order and checks the chain.
type Reader struct {
	file    *os.File
	options Options
	from    int64
	size    int64
	lines   *lineReader

	branches []uint64 // where each branch begins, by place in the file
	floor    []uint64 // the least of branches from each on
	needed   map[uint64]Hash
	passed   int // branches that have been read
	number   int // of the line read last
	last     Line
	torn     []byte
	unended  bool
}

// Open looks through a file for branches and is then ready to read it.
func Open(path string, o Options) (*Reader, error) {
	if err := plain(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{file: f, options: o, needed: map[uint64]Hash{}, size: o.Size}
	if err := r.survey(); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Whole reports whether the file is read from its first line.
func (r *Reader) Whole() bool { return r.from == 0 }

// Torn is what follows the last line break, once Next has come to the end: the
// beginning of a line that a crash cut off.
func (r *Reader) Torn() []byte { return r.torn }

// Unended reports, once Next has come to the end, that only the break is missing
// after the last line.
func (r *Reader) Unended() bool { return r.unended }

// survey finds out where branches begin.
func (r *Reader) survey() error {
	if r.size == 0 {
		info, err := r.file.Stat()
		if err != nil {
			return err
		}
		r.size = info.Size()
	}
	if r.options.Tail > 0 && r.size > r.options.Tail {
		r.from = r.size - r.options.Tail
		begin := r.section()
		cut, _, err := begin.next() // the rest of a line
		if err != nil {
			return err
		}
		r.from += int64(len(cut)) + 1
	}
	last := uint64(0)
	for lines := r.section(); ; {
		text, _, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		seq, ok := place(text)
		if ok && seq <= last {
			r.branches = append(r.branches, seq)
			r.needed[seq-1] = Hash{}
		}
		if ok {
			last = seq
		}
	}
	r.floor = append([]uint64(nil), r.branches...)
	for i := len(r.floor) - 2; i >= 0; i-- {
		r.floor[i] = min(r.floor[i], r.floor[i+1])
	}
	r.lines = r.section()
	return nil
}

func (r *Reader) section() *lineReader {
	return &lineReader{in: bufio.NewReaderSize(io.NewSectionReader(r.file, r.from, r.size-r.from), 64<<10)}
}

// Next returns the next line, or io.EOF. A *BrokenError ends the reading.
func (r *Reader) Next() (Line, error) {
	text, whole, err := r.lines.next()
	if err != nil {
		return Line{}, err
	}
	r.number++
	l, ok := parse(text)
	switch {
	case !ok && !whole:
		r.torn = bytes.Clone(text)
		return Line{}, io.EOF
	case !ok:
		return r.tornLine(text)
	}
	r.unended = !whole
	if r.number > 1 || r.Whole() {
		if err := r.follow(&l); err != nil {
			return Line{}, err
		}
	}
	if _, wanted := r.needed[l.Seq]; wanted {
		r.needed[l.Seq] = l.Hash
	}
	l.Superseded = r.passed < len(r.floor) && l.Seq >= r.floor[r.passed]
	r.last = Line{Seq: l.Seq, Prev: l.Prev, Hash: l.Hash}
	return l, nil
}

// follow checks that l goes on with the chain, or may begin a branch of it.
func (r *Reader) follow(l *Line) error {
	switch {
	case l.Seq == r.last.Seq+1 && l.Prev == r.last.Hash:
		return nil
	case l.Seq == r.last.Seq+1:
		return r.broken(l.Seq, "does not follow the record before it: one of them was changed")
	case l.Seq > r.last.Seq:
		return r.broken(r.last.Seq+1, fmt.Sprintf("is missing: record %d follows %d", l.Seq, r.last.Seq))
	}
	r.passed++
	from, known := r.needed[l.Seq-1]
	switch {
	case !r.options.Branch(l.Text, r.last):
		return r.broken(l.Seq, fmt.Sprintf("follows record %d: it is out of order, or was there before", r.last.Seq))
	case !known || from == Hash{} && r.Whole():
		return r.broken(l.Seq, "goes on from a record that is not there")
	case from != Hash{} && from != l.Prev:
		return r.broken(l.Seq, "goes on from another record than there is")
	}
	return nil
}

// tornLine is what to make of a line that can't be read: it is a crash's if a
// branch comes next.
func (r *Reader) tornLine(text []byte) (Line, error) {
	next := r.lines.peek()
	if _, ok := parse(next); ok && r.options.Branch(next, r.last) {
		return Line{Text: text, Superseded: true, Torn: true}, nil
	}
	return Line{}, r.broken(0, "is no record")
}

func (r *Reader) broken(seq uint64, reason string) error {
	return &BrokenError{Line: r.number, Seq: seq, Reason: reason}
}

// lineReader reads lines of bounded length.
type lineReader struct {
	in     *bufio.Reader
	ahead  []byte
	peeked bool
	whole  bool
	err    error
}

// next returns a line without its break; whole is false for what follows the last.
func (l *lineReader) next() (text []byte, whole bool, err error) {
	if l.peeked {
		l.peeked = false
		return l.ahead, l.whole, l.err
	}
	for {
		part, err := l.in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text[:len(text)-1], true, nil
		case err == io.EOF && len(text) > 0:
			return text, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		case len(text) > MaxLine:
			return nil, false, fmt.Errorf("%w: it has a line of more than %d bytes", ErrBroken, MaxLine)
		}
	}
}

// peek is the line that next returns next; nil if there is none.
func (l *lineReader) peek() []byte {
	if !l.peeked {
		l.ahead, l.whole, l.err = l.next()
		l.peeked = true
	}
	if l.err != nil {
		return nil
	}
	return l.ahead
}
