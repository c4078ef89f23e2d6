package storage_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// inTurn hands out files one by one.
func inTurn(files ...storage.File) func() (storage.File, error) {
	return func() (storage.File, error) {
		if len(files) == 0 {
			return storage.File{}, io.EOF
		}
		f := files[0]
		files = files[1:]
		return f, nil
	}
}

func file(name, content string) storage.File {
	return storage.File{Name: name, Content: strings.NewReader(content)}
}

// noise is n bytes that compress to nothing less, the same for the same n.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	r.Read(b)
	return b
}

func (b *books) attach(inv uid.ID, files ...storage.File) []storage.Attachment {
	b.Helper()
	added, _, err := b.AddAttachments(b.Context(), b.by, inv, 0, inTurn(files...))
	if err != nil {
		b.Fatalf("attach: %v", err)
	}
	return added
}

func (b *books) attached(inv uid.ID) []storage.Attachment {
	b.Helper()
	items, total, _, err := b.Attachments(b.Context(), b.org.ID, inv, 1, 100)
	if err != nil || total != len(items) {
		b.Fatalf("%d attachments of %d, %v", len(items), total, err)
	}
	return items
}

// records is how many records the store has.
func (b *books) records() int {
	b.Helper()
	report, err := b.Verify(b.Context(), nil)
	if err != nil || len(report.Findings) > 0 {
		b.Fatalf("verify: %v, %v", report.Findings, err)
	}
	return report.Records
}

// wantRecords waits until the store has so many records: loose content is swept
// in the background.
func (b *books) wantRecords(want int) {
	b.Helper()
	got := 0
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if got = b.records(); got == want {
			return
		}
	}
	b.Errorf("the store has %d records, want %d", got, want)
}

func TestAttachmentsHoldWhatWasSent(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	const chunk = 60 << 10
	sizes := []int{0, 1, chunk - 1, chunk, chunk + 1, 17*chunk + 5}
	var files []storage.File
	for _, n := range sizes {
		files = append(files, storage.File{Name: fmt.Sprintf("%d.bin", n), Content: iotestHalf(noise(n))})
	}
	added, version, err := b.AddAttachments(t.Context(), b.by, inv.ID, inv.Version, inTurn(files...))
	if err != nil || version != inv.Version+1 {
		t.Fatalf("added %d, version %d, %v", len(added), version, err)
	}
	for n, a := range b.attached(inv.ID) {
		if a != added[n] || a.InvoiceID != inv.ID || a.Name != fmt.Sprintf("%d.bin", sizes[n]) || a.Size != int64(sizes[n]) ||
			a.SHA256 != sha256.Sum256(noise(sizes[n])) || a.ContentType == "" || !a.CreatedAt.Equal(b.clock.Now()) {
			t.Errorf("attachment %d is %+v, was added as %+v", n, a, added[n])
		}
		c, err := b.OpenAttachment(t.Context(), b.org.ID, inv.ID, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, noise(sizes[n])) {
			t.Errorf("of %d bytes %d come back, %v", sizes[n], len(got), err)
		}
	}
	if got := b.invoice(inv.ID); got.Version != version || got.Total != 100 || len(got.Lines) != 1 {
		t.Errorf("the invoice is now %+v", got)
	}
	page, total, _, err := b.Attachments(t.Context(), b.org.ID, inv.ID, 2, 4)
	if err != nil || total != 6 || len(page) != 2 || page[0] != added[4] {
		t.Errorf("page 2 of 4 has %d of %d, %v", len(page), total, err)
	}
	page, total, _, err = b.Attachments(t.Context(), b.org.ID, inv.ID, 3, 4)
	if err != nil || total != 6 || len(page) != 0 {
		t.Errorf("page 3 of 4 has %d of %d, %v", len(page), total, err)
	}
}

// iotestHalf reads in odd pieces, as a connection does.
func iotestHalf(b []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(b[:len(b)/3]), bytes.NewReader(b[len(b)/3:]))
}

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAttachmentsComeAndGoInAnyStatus(t *testing.T) {
	b := openBooks(t)
	for _, s := range append(billing.Statuses(), billing.Overdue) {
		inv := b.reading(s)
		added, version, err := b.AddAttachments(t.Context(), b.by, inv.ID, inv.Version, inTurn(file("a", "a")))
		if err != nil || version != inv.Version+1 {
			t.Fatalf("%s: version %d, %v", s, version, err)
		}
		if version, err = b.DeleteAttachment(t.Context(), b.by, inv.ID, added[0].ID, version); err != nil || version != inv.Version+2 {
			t.Errorf("%s: version %d, %v", s, version, err)
		}
		if got := b.invoice(inv.ID); got.Version != version || got.Status != inv.Status || got.Number != inv.Number || got.Paid != inv.Paid {
			t.Errorf("%s: the invoice is %+v, was %+v", s, got, inv)
		}
	}
}

func TestDeletedAttachmentIsGoneAndItsContentSwept(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	keep := b.attach(inv.ID, file("keep", "kept"))[0]
	records := b.records()
	gone := b.attach(inv.ID, storage.File{Name: "gone", Content: bytes.NewReader(noise(300_000))})[0]
	reading, err := b.OpenAttachment(t.Context(), b.org.ID, inv.ID, gone.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.DeleteAttachment(t.Context(), b.by, inv.ID, gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := b.OpenAttachment(t.Context(), b.org.ID, inv.ID, gone.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("it opens: %v", err)
	}
	if _, err := b.DeleteAttachment(t.Context(), b.by, inv.ID, gone.ID, 0); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("it can be deleted again: %v", err)
	}
	b.wantRecords(records + 2) // two audit records more
	if got, err := io.ReadAll(reading); !errors.Is(err, storage.ErrNotFound) || len(got) >= 300_000 {
		t.Errorf("who was reading it got %d bytes, %v", len(got), err)
	}
	if all := b.attached(inv.ID); len(all) != 1 || all[0] != keep {
		t.Errorf("left are %+v", all)
	}
}

func TestDeletedInvoiceTakesItsAttachmentsWithIt(t *testing.T) {
	b := openBooks(t)
	inv, other := b.draft(100), b.draft(100)
	records := b.records() - 2 // the invoice and its row
	b.attach(inv.ID, storage.File{Name: "a", Content: bytes.NewReader(noise(100_000))}, file("b", ""))
	if err := b.DeleteInvoices(t.Context(), b.by, []uid.ID{inv.ID}); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := b.Attachments(t.Context(), b.org.ID, inv.ID, 1, 10); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("its attachments are listed: %v", err)
	}
	b.wantRecords(records + 2) // two audit records
	b.attach(other.ID, file("c", "c"))
}

func TestAttachmentsHonourIfMatch(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	added := b.attach(inv.ID, file("a", "a"))
	_, _, err := b.AddAttachments(t.Context(), b.by, inv.ID, inv.Version, func() (storage.File, error) {
		t.Error("a file was asked for under a stale version")
		return storage.File{}, io.EOF
	})
	refused(t, err, storage.ErrConflict, "version does not match")
	_, err = b.DeleteAttachment(t.Context(), b.by, inv.ID, added[0].ID, inv.Version)
	refused(t, err, storage.ErrConflict, "version does not match")

	// The invoice changes while the file comes.
	meanwhile := func(change func()) storage.File {
		return storage.File{Name: "slow", Content: io.MultiReader(strings.NewReader("a"), calling{change})}
	}
	now := b.invoice(inv.ID).Version
	_, _, err = b.AddAttachments(t.Context(), b.by, inv.ID, now, inTurn(meanwhile(func() {
		b.update(inv.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))})
	})))
	refused(t, err, storage.ErrConflict, "version does not match")
	_, _, err = b.AddAttachments(t.Context(), b.by, inv.ID, 0, inTurn(meanwhile(func() {
		if err := b.DeleteInvoices(t.Context(), b.by, []uid.ID{inv.ID}); err != nil {
			t.Error(err)
		}
	})))
	refused(t, err, storage.ErrNotFound, "no such record")
}

// calling does something at the end of a file.
type calling struct{ do func() }

func (c calling) Read([]byte) (int, error) { c.do(); return 0, io.EOF }

func TestForeignAttachmentsDoNotExist(t *testing.T) {
	b := openBooks(t)
	inv, mine := b.draft(100), b.draft(100)
	a := b.attach(inv.ID, file("a", "a"))[0]
	rival, by := storagetest.Org(t, b.Store, "Rival")
	_, errOpen := b.OpenAttachment(t.Context(), rival.ID, inv.ID, a.ID)
	_, errOther := b.OpenAttachment(t.Context(), b.org.ID, mine.ID, a.ID)
	_, _, _, errList := b.Attachments(t.Context(), rival.ID, inv.ID, 1, 10)
	_, _, errAdd := b.AddAttachments(t.Context(), by, inv.ID, 0, inTurn(file("b", "b")))
	_, errDelete := b.DeleteAttachment(t.Context(), by, inv.ID, a.ID, 0)
	_, errMove := b.DeleteAttachment(t.Context(), b.by, mine.ID, a.ID, 0)
	for n, err := range []error{errOpen, errOther, errList, errAdd, errDelete, errMove} {
		if !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%d: got %v", n, err)
		}
	}
	if all := b.attached(inv.ID); len(all) != 1 {
		t.Errorf("left are %+v", all)
	}
}

func TestAttachmentsAreInTheAuditLogAndInTheETag(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	render := func(i *billing.Invoice, _ time.Time) ([]byte, error) { return fmt.Append(nil, i.Version), nil }
	version := func() uint64 {
		r, err := b.RenderedInvoice(t.Context(), b.org.ID, inv.ID, render)
		if err != nil || string(r.Body) != fmt.Sprint(r.Version) {
			t.Fatalf("body %q, version %d, %v", r.Body, r.Version, err)
		}
		return r.Version
	}
	before := version()
	added := b.attach(inv.ID, file("a", "a"), file("b", "b"))
	if got := version(); got != before+1 {
		t.Errorf("the remembered body has version %d, want %d", got, before+1)
	}
	if _, err := b.DeleteAttachment(t.Context(), b.by, inv.ID, added[0].ID, 0); err != nil {
		t.Fatal(err)
	}
	if got := version(); got != before+2 {
		t.Errorf("the remembered body has version %d, want %d", got, before+2)
	}
	entries, err := b.Audit(t.Context(), storage.AuditQuery{OrgID: b.org.ID})
	if err != nil || len(entries) < 2 {
		t.Fatal(entries, err)
	}
	for n, want := range []string{"invoice.attachment.add " + added[0].ID.String() + " " + added[1].ID.String(), "invoice.attachment.delete " + added[0].ID.String()} {
		e := entries[len(entries)-2+n]
		if got := string(e.Action) + " " + e.Detail["attachments"]; got != want || e.Target != inv.ID {
			t.Errorf("the log says %q, want %q", got, want)
		}
	}
}
