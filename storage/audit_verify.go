package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"exante/storage/auditcopy"
	"exante/storage/kv"
)

// AuditReport is what VerifyAudit saw.
type AuditReport struct {
	Records    int    // of the store
	Copy       string // the file that they were held against; "": none
	Lines      int    // of the copy
	Superseded int    // lines that a restored or accepted store has left behind
	Findings   []Finding
}

// VerifyAudit checks the audit chain from its first record to its head, and holds
// it line by line against the copy at path, or where that is "" against the
// store's own. What is wrong is a finding and no error; progress may be nil.
func (s *Store) VerifyAudit(ctx context.Context, path string, progress func(done, total int)) (AuditReport, error) {
	v := verification{ctx: ctx, progress: progress, label: auditLabel}
	c := copyCheck{verification: &v, path: path}
	if path == "" {
		c.path, c.own = s.options.AuditCopy, true
	}
	if err := s.awaitCopy(ctx, &c); err != nil {
		return AuditReport{}, err
	}
	if err := c.open(); err != nil {
		return AuditReport{}, err
	}
	defer c.close()
	err := s.db.View(ctx, func(r kv.Reader) error {
		v.Reader = r
		head, err := auditHead(r)
		if err == nil {
			v.total = int(head.Seq)
		}
		v.auditChain(c.hold)
		c.end()
		v.tell()
		return ctx.Err()
	})
	c.report.Records, c.report.Findings = v.report.Records-1, v.report.Findings // all but the head
	return c.report, err
}

// awaitCopy has the store's own copy catch up with what it must have.
func (s *Store) awaitCopy(ctx context.Context, c *copyCheck) error {
	err := s.db.View(ctx, func(r kv.Reader) error {
		head, err := auditHead(r)
		c.atLeast = head.Seq
		return err
	})
	if errors.Is(err, ErrCorrupt) || err == nil && !c.own {
		return nil // the chain's own check names it
	}
	if err == nil {
		if behind := s.copy.hold(c.atLeast); behind != nil {
			c.find(nil, "the audit copy can't be written: %v", behind)
		}
	}
	return err
}

// auditLabel names a record by its place.
func auditLabel(key []byte) string {
	switch {
	case key == nil:
		return "audit copy"
	case len(key) == globalKeyHead+8 && bytes.HasPrefix(key, globalKey(famAudit)):
		return fmt.Sprintf("audit record %d", binary.BigEndian.Uint64(key[globalKeyHead:]))
	case bytes.Equal(key, keyAuditHead()):
		return "audit head"
	}
	return describe(key)
}

// copyCheck holds the records of a chain, as they come, against the lines of a copy.
type copyCheck struct {
	*verification
	path    string
	own     bool   // the store's own: what was committed since may be missing at its end
	atLeast uint64 // the record that it must have all the same

	in     *auditcopy.Reader // nil: there is nothing more to hold against
	line   auditcopy.Line    // the next that nothing supersedes; Seq 0: none
	last   uint64            // the line before it
	halted bool              // the copy is no chain from here on
	report AuditReport
}

// open reads the copy as it is now, which is before the snapshot: so the copy is
// not ahead of it.
func (c *copyCheck) open() error {
	if c.path == "" {
		return nil
	}
	info, err := os.Stat(c.path)
	if errors.Is(err, os.ErrNotExist) && c.own {
		c.find(nil, "%s is missing", c.path)
		return nil
	}
	if err != nil {
		return err
	}
	c.report.Copy = c.path
	if info.Size() == 0 {
		return nil
	}
	in, err := auditcopy.Open(c.path, auditcopy.Options{Branch: isBranch, Size: info.Size()})
	if errors.Is(err, auditcopy.ErrBroken) {
		c.find(nil, "%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	c.in = in
	c.advance()
	return nil
}

func (c *copyCheck) close() {
	if c.in != nil {
		_ = c.in.Close() // it was only read
	}
}

// advance goes to the next line that is to be compared.
func (c *copyCheck) advance() {
	c.last, c.line = c.line.Seq, auditcopy.Line{}
	for {
		l, err := c.in.Next()
		if err == nil {
			c.report.Lines++
			if l.Superseded {
				c.report.Superseded++
				c.sound(l)
			}
		}
		switch {
		case err == nil && l.Superseded:
			continue
		case err == nil:
			c.line = l
			return
		case err == io.EOF && len(c.in.Torn()) > 0:
			c.find(nil, "ends in the middle of a record, after %d", c.last)
			return
		case err != io.EOF:
			c.broken(err)
		}
		return
	}
}

// sound checks a line that is compared with nothing.
func (c *copyCheck) sound(l auditcopy.Line) {
	if l.Torn {
		return
	}
	if _, err := recordOfLine(l.Text); err != nil {
		c.find(keyAudit(l.Seq), "superseded in the copy, %v", err)
	}
}

// broken notes where the copy is no chain. What follows is not compared.
func (c *copyCheck) broken(err error) {
	var b *auditcopy.BrokenError
	if errors.As(err, &b) && b.Seq > 0 {
		c.find(keyAudit(b.Seq), "in line %d of the copy, %s", b.Line, b.Reason)
	} else {
		c.find(nil, "%v", err)
	}
	c.close()
	c.in, c.halted = nil, true
}

// hold compares a record of the store; rec is nil for one that can't be read.
func (c *copyCheck) hold(key []byte, rec *auditRecord) {
	if c.in == nil || rec == nil && c.line.Seq == 0 {
		return
	}
	if rec == nil {
		c.advance()
		return
	}
	if c.line.Seq != 0 && c.line.Seq < rec.Seq {
		c.find(keyAudit(c.line.Seq), "is in the copy, and not in the store")
		for c.in != nil && c.line.Seq != 0 && c.line.Seq < rec.Seq {
			c.advance()
		}
	}
	if c.in == nil || c.line.Seq != rec.Seq {
		return
	}
	line, err := rec.line()
	if err != nil || !bytes.Equal(line, c.line.Text) {
		if _, bad := recordOfLine(c.line.Text); bad != nil {
			c.find(key, "in the copy, %v", bad)
		} else {
			c.find(key, "says something else in the copy")
		}
	}
	c.advance()
}

// end compares what is left.
func (c *copyCheck) end() {
	switch {
	case c.report.Copy == "" || c.halted:
	case c.in != nil && c.line.Seq != 0:
		c.find(keyAudit(c.line.Seq), "is in the copy, and not in the store: the end of the store is missing")
		for c.in != nil && c.line.Seq != 0 {
			c.advance()
		}
	case c.last < c.atLeast:
		c.find(keyAudit(c.last+1), "is not in the copy, whose end is missing")
	}
}

// ReadAuditCopy calls fn for every record of the audit copy at path, in the order
// in which they were written, and checks the chain on the way. superseded tells of
// a record that a restored or accepted store has left behind. torn tells that the
// copy ends in the middle of a record: a crash left it, and it is passed over. An
// error that Is ErrCorrupt names the first record that was changed, removed or put
// elsewhere.
func ReadAuditCopy(path string, fn func(e AuditEntry, superseded bool) error) (torn bool, err error) {
	in, err := auditcopy.Open(path, auditcopy.Options{Branch: isBranch})
	if errors.Is(err, auditcopy.ErrBroken) {
		return false, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return false, err
	}
	defer in.Close()
	for {
		l, err := in.Next()
		if err == io.EOF {
			return len(in.Torn()) > 0, nil
		}
		if err != nil {
			return false, fmt.Errorf("%w: %s: %w", ErrCorrupt, path, err)
		}
		if l.Torn {
			continue
		}
		rec, err := recordOfLine(l.Text)
		if err != nil {
			return false, fmt.Errorf("%w: %s: record %d %w", ErrCorrupt, path, l.Seq, err)
		}
		if err := fn(rec.entry(), l.Superseded); err != nil {
			return false, err
		}
	}
}
