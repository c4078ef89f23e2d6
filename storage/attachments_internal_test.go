package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// attach adds a file of three chunks to the ledger's draft.
func (l *ledger) attach() Attachment {
	l.Helper()
	sent := false
	added, _, err := l.AddAttachments(l.Context(), auth.Principal{Shell: true, OrgID: l.org}, l.draft.ID, 0, func() (File, error) {
		if sent {
			return File{}, io.EOF
		}
		sent = true
		return File{"a.txt", strings.NewReader(strings.Repeat("0123456789abcdef", 10_000))}, nil
	})
	if err != nil {
		l.Fatal(err)
	}
	return added[0]
}

func TestVerifyFindsDamagedAttachments(t *testing.T) {
	for text, damage := range map[string]func(l *ledger, t *tx, a *Attachment) error{
		"0001 is missing": func(l *ledger, t *tx, a *Attachment) error { return t.Delete(keyContent(l.org, a.InvoiceID, a.ID, 1)) },
		"fails its checksum": func(l *ledger, t *tx, a *Attachment) error {
			return t.Put(keyContent(l.org, a.InvoiceID, a.ID, 2), []byte("damaged"))
		},
		"does not have the content that it came with": func(l *ledger, t *tx, a *Attachment) error {
			key := keyContent(l.org, a.InvoiceID, a.ID, 0)
			return t.Put(key, sealBytes(key, famContent, bytes.Repeat([]byte("x"), chunkSize)))
		},
		"is beyond the 3 chunks of its attachment": func(l *ledger, t *tx, a *Attachment) error {
			key := keyContent(l.org, a.InvoiceID, a.ID, 3)
			return t.Put(key, sealBytes(key, famContent, []byte("x")))
		},
		"1 attachments found, 2 counted": func(_ *ledger, t *tx, _ *Attachment) error {
			return t.count(func(c *counts) { c.Attachments++ })
		},
		"attachment o": func(l *ledger, t *tx, a *Attachment) error { return t.Delete(keyAttachment(l.org, a.InvoiceID, a.ID)) },
		"invoice o": func(l *ledger, t *tx, a *Attachment) error {
			record := attachmentRecordOf(a)
			return put(t, keyAttachment(l.org, uid.ID{1}, a.ID), famAttachment, &record)
		},
		"has no name, no content type or no time": func(l *ledger, t *tx, a *Attachment) error {
			return put(t, keyAttachment(l.org, a.InvoiceID, a.ID), famAttachment, &attachmentRecord{})
		},
		"is marked to be swept": func(l *ledger, t *tx, a *Attachment) error {
			return put(t, keyLoose(l.org, a.InvoiceID, a.ID), famLoose, &looseRecord{1})
		},
		"g k: store is damaged: record g k is missing": func(_ *ledger, t *tx, _ *Attachment) error { return t.Delete(keySigningKey()) },
	} {
		l := openLedger(t)
		a := l.attach()
		if found := l.findings(); len(found) != 0 {
			t.Fatalf("before: %q", found)
		}
		l.raw(func(tx *tx) error { return damage(l, tx, &a) })
		if found := l.findings(); !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, text) }) {
			t.Errorf("found %q, want one that says %q", found, text)
		}
	}
}

// Content that is damaged never ends as if it were whole.
func TestDamagedContentIsNotServedAsAWhole(t *testing.T) {
	for _, n := range []uint16{0, 1, 2} {
		for name, damage := range map[string]func(key, value []byte) []byte{
			"flipped bit": func(_, v []byte) []byte { v[len(v)-1] ^= 1; return v },
			"rewritten":   func(key, _ []byte) []byte { return sealBytes(key, famContent, make([]byte, chunkSize)) },
			"cut short": func(key, v []byte) []byte {
				return sealBytes(key, famContent, v[envelopeHead:len(v)-1])
			},
		} {
			l := openLedger(t)
			a := l.attach()
			key := keyContent(l.org, a.InvoiceID, a.ID, n)
			l.raw(func(tx *tx) error {
				value, err := tx.Get(key)
				return errors.Join(err, tx.Put(key, damage(key, value)))
			})
			c, err := l.OpenAttachment(t.Context(), l.org, a.InvoiceID, a.ID)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(c)
			}
			if !errors.Is(err, ErrCorrupt) || int64(len(got)) >= a.Size {
				t.Errorf("chunk %d, %s: %d of %d bytes, %v", n, name, len(got), a.Size, err)
			}
		}
	}
}

func (l *ledger) inFamilies(families ...byte) (n int) {
	l.Helper()
	err := l.db.View(l.Context(), func(r kv.Reader) error {
		for _, family := range families {
			more, err := r.Count(inFamily(l.org, family))
			if n += more; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.Fatal(err)
	}
	return n
}

// pausing stops after its content until it is told to go on.
type pausing struct {
	io.Reader
	reached, resume chan struct{}
}

func (p *pausing) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err == io.EOF {
		close(p.reached)
		<-p.resume
	}
	return n, err
}

func TestSweepSparesWhatIsBeingAdded(t *testing.T) {
	l := openLedger(t)
	slow := &pausing{bytes.NewReader(make([]byte, 20*chunkSize)), make(chan struct{}), make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		files := []File{{"slow", slow}}
		_, _, err := l.AddAttachments(context.Background(), auth.Principal{Shell: true, OrgID: l.org}, l.draft.ID, 0, func() (File, error) {
			if len(files) == 0 {
				return File{}, io.EOF
			}
			files = nil
			return File{"slow", slow}, nil
		})
		done <- err
	}()
	<-slow.reached
	if err := l.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := l.inFamilies(famContent, famLoose); n < 8 {
		t.Errorf("%d chunks and marks are left of what has come", n)
	}
	if found := l.findings(); len(found) != 0 {
		t.Errorf("verify finds an upload: %q", found)
	}
	close(slow.resume)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := l.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, marks := l.inFamilies(famContent), l.inFamilies(famLoose); n != 20 || marks != 0 {
		t.Errorf("%d chunks, %d marks, want 20 and none", n, marks)
	}
}

func TestSigningKeyIsMadeOnceAndKept(t *testing.T) {
	l := openLedger(t)
	k := l.SigningKey()
	if k.IsZero() {
		t.Error("a new store has no key")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(l.options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.SigningKey().IsZero() || s.SigningKey().Reveal() != k.Reveal() {
		t.Error("a restart made another key")
	}
}
