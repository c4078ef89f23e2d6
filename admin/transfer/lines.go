package transfer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"exante/storage"
)

// MaxLine is the longest line, or row of CSV, in bytes.
const MaxLine = 1 << 20

// ErrOtherFile is a file that does not begin as the one with which its import was begun.
var ErrOtherFile = errors.New("this is not the file that the import was begun with")

// keptText is how much is kept of a line that is too long, in bytes.
const keptText = 4 << 10

// line is one line of a file, or one row of CSV, which may have several.
type line struct {
	number  uint64 // of its first line, from 1
	text    []byte // without its end; of one that is too long only the beginning
	tooLong bool
	end     storage.ImportMark
}

// splitter splits a file into lines and knows what it has read.
type splitter struct {
	in  *bufio.Reader
	csv *quoting // nil: a line ends at every line feed
	at  storage.ImportMark
	sum hash.Hash // of all that was read
	buf []byte    // of the line that was read last
}

func newSplitter(file io.Reader, csv bool) *splitter {
	s := &splitter{in: bufio.NewReaderSize(file, 64<<10), sum: sha256.New()}
	if csv {
		s.csv = &quoting{}
	}
	return s
}

// next is the next line that is not blank; io.EOF if there is none.
func (s *splitter) next() (line, error) {
	for {
		l, err := s.read()
		if err != nil || l.tooLong || len(bytes.TrimSpace(l.text)) > 0 {
			l.text = bytes.Clone(l.text)
			return l, err
		}
	}
}

// read reads a line into buf.
func (s *splitter) read() (line, error) {
	l := line{number: s.at.Lines + 1, text: s.buf[:0]}
	partial := false // what was read last did not end a line of the file
	for size := 0; ; {
		part, err := s.in.ReadSlice('\n')
		switch {
		case err != nil && err != bufio.ErrBufferFull && err != io.EOF:
			return l, err
		case len(part) == 0 && size == 0:
			return l, io.EOF
		case len(part) > 0:
			partial = part[len(part)-1] != '\n'
		}
		s.sum.Write(part)
		s.at.Bytes += uint64(len(part))
		if size += len(part); size <= MaxLine+2 {
			l.text = append(l.text, part...)
		}
		if len(part) > 0 && !partial || partial && err == io.EOF {
			s.at.Lines++
		}
		if goesOn := s.csv.goesOn(part); err == nil && goesOn || err == bufio.ErrBufferFull {
			continue
		}
		return s.ended(l, size), nil
	}
}

// ended is a line that was read to its end.
func (s *splitter) ended(l line, size int) line {
	s.csv.reset()
	s.buf = l.text[:0]
	l.text = bytes.TrimSuffix(bytes.TrimSuffix(l.text, []byte("\n")), []byte("\r"))
	if l.tooLong, l.end = size > MaxLine+2 || len(l.text) > MaxLine, s.at; l.tooLong {
		l.text = l.text[:keptText]
	}
	return l
}

// proof is what was read so far.
func (s *splitter) proof() *storage.ImportProof {
	return &storage.ImportProof{Bytes: s.at.Bytes, Sum: [sha256.Size]byte(s.sum.Sum(nil))}
}

// skip reads up to where an import has come, and makes sure that it is its file.
func (s *splitter) skip(state *storage.ImportState) error {
	for _, until := range []uint64{state.Proof.Bytes, state.Done.Bytes} {
		if until > s.at.Bytes {
			n, err := io.CopyN(s.sum, s.in, int64(until-s.at.Bytes))
			if s.at.Bytes += uint64(n); err == io.EOF {
				return ErrOtherFile
			} else if err != nil {
				return err
			}
		}
		if s.at.Bytes == state.Proof.Bytes && s.at.Bytes > 0 && *s.proof() != state.Proof {
			return ErrOtherFile
		}
	}
	if state.Done.Bytes > 0 { // else only a header line was read, which is no part of what is done
		s.at = state.Done
	}
	return nil
}

// quoting follows the quotes of a row of CSV, in which a line feed may stand.
type quoting struct {
	quoted bool // in a quoted cell
	begun  bool // in a cell that is not quoted
}

// goesOn reads a part of a row and reports whether a cell is open at its end.
func (q *quoting) goesOn(part []byte) bool {
	if q == nil {
		return false
	}
	if !q.quoted && bytes.IndexByte(part, '"') < 0 {
		q.begun = len(part) > 0 && part[len(part)-1] != ','
		return false
	}
	for _, c := range part {
		switch {
		case q.quoted:
			q.quoted = c != '"' // a doubled one opens it again
			q.begun = false
		case c == '"' && !q.begun:
			q.quoted = true
		default:
			q.begun = c != ',' && c != '\n'
		}
	}
	return q.quoted
}

func (q *quoting) reset() {
	if q != nil {
		*q = quoting{}
	}
}
