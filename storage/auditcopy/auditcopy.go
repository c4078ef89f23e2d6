// Package auditcopy is a plain file beside a chain of records: one JSON object a
// line, each with its place in the chain, its hash and that of the one before. It
// is only ever appended to.
//
// What a line says is none of this package's business, but for whether it begins
// a branch: the chain goes on from an earlier record, because an older state of
// the store was taken up again. The lines that it supersedes stay in the file.
package auditcopy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Hash is that of one record.
type Hash = [sha256.Size]byte

// MaxLine is the longest line that is read, in bytes.
const MaxLine = 1 << 20

// Line is one record in the file.
type Line struct {
	Seq        uint64
	Prev, Hash Hash
	Text       []byte // without the line break; valid until the next line is read
	Superseded bool   // a later branch took its place
	Torn       bool   // what a crash left of a line that a branch then superseded: it has only Text
}

// ErrBroken is what every BrokenError Is.
var ErrBroken = errors.New("audit copy is broken")

// BrokenError says where a file is no chain.
type BrokenError struct {
	Line   int    // in the file, from 1
	Seq    uint64 // of the record that is concerned; 0: the line has none
	Reason string
}

func (e *BrokenError) Error() string {
	if e.Seq == 0 {
		return fmt.Sprintf("line %d of the audit copy %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("record %d, line %d of the audit copy, %s", e.Seq, e.Line, e.Reason)
}

// Is makes every BrokenError an ErrBroken.
func (e *BrokenError) Is(target error) bool { return target == ErrBroken }

// What every line begins and ends with, so that its place can be read without
// decoding it, and one that was cut off is known.
const (
	prefix = `{"seq":`
	suffix = `,"hash":"` // then the hash and the two bytes that end the line
	end    = `"}`
)

// place reads the sequence number of a line.
func place(text []byte) (uint64, bool) {
	digits, ok := bytes.CutPrefix(text, []byte(prefix))
	if !ok || !bytes.HasSuffix(text, []byte(end)) {
		return 0, false
	}
	hash := len(text) - len(end) - 2*sha256.Size
	comma := bytes.IndexByte(digits, ',')
	if comma < 0 || hash < 0 || !bytes.HasSuffix(text[:hash], []byte(suffix)) {
		return 0, false
	}
	seq, err := strconv.ParseUint(string(digits[:comma]), 10, 64)
	return seq, err == nil && seq > 0
}

// parse reads what this package needs of a line.
func parse(text []byte) (Line, bool) {
	var fields struct {
		Seq  uint64 `json:"seq"`
		Prev string `json:"prev"`
		Hash string `json:"hash"`
	}
	seq, ok := place(text)
	if !ok || json.Unmarshal(text, &fields) != nil || fields.Seq != seq {
		return Line{}, false
	}
	l := Line{Seq: seq, Text: text}
	n, err := hex.Decode(l.Prev[:], []byte(fields.Prev[:min(len(fields.Prev), 2*sha256.Size)]))
	m, err2 := hex.Decode(l.Hash[:], []byte(fields.Hash[:min(len(fields.Hash), 2*sha256.Size)]))
	whole := len(fields.Prev) == 2*sha256.Size && len(fields.Hash) == 2*sha256.Size
	return l, err == nil && err2 == nil && n == m && whole
}

// Append opens a file to be appended to, and makes it where there is none.
func Append(path string) (*os.File, error) {
	err := plain(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil || !fresh {
		return f, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// plain refuses what is not a plain file: opening a pipe would wait for ever.
func plain(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a plain file", path)
	}
	return err
}

// Current reports whether path names the file that known is of, and nobody has
// written to it since.
func Current(path string, known os.FileInfo) bool {
	is, err := os.Stat(path)
	if err != nil || !os.SameFile(is, known) {
		return false
	}
	return is.Size() == known.Size() && is.ModTime().Equal(known.ModTime())
}
