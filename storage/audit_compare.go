package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"exante/storage/auditcopy"
	"exante/storage/kv"
)

// The copy is written after the store. So it may be behind, and then catches up;
// where it is ahead, or says something else, the store was rolled back or
// rewritten: the copy is the witness.

// copyTail is how much of the end of the copy a start holds against the store, in
// bytes. Records link to those before them, so what was rewritten further back
// shows at the end; what was changed there alone is for `audit verify` to find.
const copyTail = 4 << 20

// errDiffers says that copy and store do not tell the same.
var errDiffers = errors.New("the audit copy and the store differ")

// copyEnd is where a copy is to be gone on with.
type copyEnd struct {
	next uint64          // the record to append; 1 for a copy that is yet to be made
	last auditHeadRecord // of the last whole line; zero: there is none
	torn []byte          // what a crash left of the line after it

	unended bool // only the break is missing after the last line
}

// compareCopy holds the end of the copy at path against the records in r. Errors:
// errDiffers, auditcopy.ErrBroken, and what reading either says.
func compareCopy(r kv.Reader, path string) (copyEnd, error) {
	lines, end, err := tailOf(path, copyTail)
	if err != nil || end.last.Seq == 0 && len(end.torn) == 0 {
		return end, err
	}
	if err := end.find(r); err != nil {
		return end, firstDifference(r, path, err)
	}
	for _, l := range lines {
		if l.Seq >= end.next {
			break
		}
		if err := sameRecord(r, l); err != nil {
			return end, firstDifference(r, path, err)
		}
	}
	return end, end.matchTorn(r)
}

// tailOf reads the lines at the end of the copy that nothing supersedes.
func tailOf(path string, tail int64) (lines []auditcopy.Line, end copyEnd, err error) {
	end.next = 1
	in, err := auditcopy.Open(path, auditcopy.Options{Branch: isBranch, Tail: tail})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, end, nil
	}
	if err != nil {
		return nil, end, err
	}
	defer in.Close()
	for {
		l, err := in.Next()
		if err == io.EOF {
			end.torn, end.unended = in.Torn(), in.Unended()
			return lines, end, nil
		}
		if err != nil {
			return nil, end, err
		}
		if l.Superseded {
			continue
		}
		l.Text = bytes.Clone(l.Text)
		lines = append(lines, l)
		end.last = auditHeadRecord{l.Seq, l.Hash}
		end.next = l.Seq + 1
	}
}

// find sets next: after the last line, or where a branch of the store begins that
// supersedes it.
func (e *copyEnd) find(r kv.Reader) error {
	if e.last.Seq == 0 {
		return nil
	}
	var rec auditRecord
	err := get(r, keyAudit(e.last.Seq), famAudit, &rec)
	if err == nil && rec.Hash == e.last.Hash {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	found := false
	scanning := r.Scan(inGlobal(famAudit), kv.ScanOptions{Reverse: true}, func(key, value []byte) (bool, error) {
		var rec auditRecord
		if err := open(key, famAudit, value, &rec); err != nil {
			return false, err
		}
		if found = rec.branchesFrom(e.last); found {
			e.next = rec.Seq
		}
		return !found, nil
	})
	switch {
	case scanning != nil || found:
		return scanning
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: the copy has record %d, and the store does not", errDiffers, e.last.Seq)
	}
	return fmt.Errorf("%w in record %d", errDiffers, e.last.Seq)
}

// matchTorn checks that what a crash left of a line is the beginning of the next.
func (e *copyEnd) matchTorn(r kv.Reader) error {
	if len(e.torn) == 0 {
		return nil
	}
	var rec auditRecord
	err := get(r, keyAudit(e.next), famAudit, &rec)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: the copy has the beginning of record %d, and the store has nothing of it", errDiffers, e.next)
	}
	if err != nil {
		return err
	}
	line, err := rec.line()
	if err == nil && !bytes.HasPrefix(line, e.torn) && !rec.branchesFrom(e.last) {
		err = fmt.Errorf("%w in record %d, of which the copy has the beginning", errDiffers, e.next)
	}
	return err
}

// sameRecord holds a line against the record of its number.
func sameRecord(r kv.Reader, l auditcopy.Line) error {
	var rec auditRecord
	err := get(r, keyAudit(l.Seq), famAudit, &rec)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: the copy has record %d, and the store does not", errDiffers, l.Seq)
	}
	if err != nil {
		return err
	}
	line, err := rec.line()
	if err == nil && !bytes.Equal(line, l.Text) {
		err = fmt.Errorf("%w in record %d", errDiffers, l.Seq)
	}
	return err
}

// firstDifference reads the whole copy to name the first record that differs,
// where err says that one does.
func firstDifference(r kv.Reader, path string, err error) error {
	if !errors.Is(err, errDiffers) {
		return err
	}
	lines, _, reading := tailOf(path, 0)
	if reading != nil {
		return reading
	}
	at := slices.IndexFunc(lines, func(l auditcopy.Line) bool { return sameRecord(r, l) != nil })
	if at < 0 {
		return err
	}
	return sameRecord(r, lines[at])
}

// supersededIn is the detail of a branch that r can go on with: what the copy has
// beyond r is superseded. What both have must be the same. ErrCorrupt.
func supersededIn(r kv.Reader, path string) (Detail, error) {
	end, err := compareCopy(r, path)
	if !errors.Is(err, errDiffers) {
		return nil, damagedCopy(err, path)
	}
	head, err := auditHead(r)
	if err != nil {
		return nil, err
	}
	lines, _, err := tailOf(path, 0)
	for _, l := range lines {
		if err == nil && l.Seq <= head.Seq {
			err = sameRecord(r, l)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w; or move the copy away to begin a new one", damagedCopy(err, path))
	}
	return supersedes(end.last), nil
}

// damagedCopy is how err, found by compareCopy, keeps a store from being opened.
func damagedCopy(err error, path string) error {
	if !errors.Is(err, errDiffers) && !errors.Is(err, auditcopy.ErrBroken) {
		return err // nil, or it can't be read
	}
	return fmt.Errorf("%w: %s: %w: the store was rolled back or rewritten, or its copy was%s", ErrCorrupt, path, err, acceptHint)
}
