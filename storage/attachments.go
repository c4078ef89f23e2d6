package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Attachment is a file that belongs to an invoice. It is added and deleted, and
// never changes; the invoice's version counts both, in any status.
type Attachment struct {
	ID, InvoiceID uid.ID
	Name          string // of 1 to 255 characters, without a path
	ContentType   string // by what it begins with, whatever its sender said
	Size          int64  // bytes
	SHA256        [sha256.Size]byte
	UploadedBy    uid.ID // user
	CreatedAt     time.Time

	chunks uint16 // that hold the content
}

// What there may be at most.
const (
	MaxAttachments = 100       // of an invoice
	MaxFiles       = 20        // added at once
	MaxFileSize    = 25 << 20  // bytes
	MaxFilesSize   = 100 << 20 // bytes of all files added at once
	maxFileName    = 255       // characters
)

// attachmentRecord is an attachment on disk; its IDs are in the key.
type attachmentRecord struct {
	Name        string            `cbor:"1,keyasint"`
	ContentType string            `cbor:"2,keyasint"`
	Size        int64             `cbor:"3,keyasint,omitempty"`
	SHA256      [sha256.Size]byte `cbor:"4,keyasint"`
	Chunks      uint16            `cbor:"5,keyasint,omitempty"`
	UploadedBy  uid.ID            `cbor:"6,keyasint,omitzero"`
	CreatedAt   stamp             `cbor:"7,keyasint"`
}

// looseRecord marks content that no attachment has: it is being added, or was not
// added in the end, or was deleted.
type looseRecord struct {
	Since stamp `cbor:"1,keyasint"`
}

func attachmentRecordOf(a *Attachment) attachmentRecord {
	return attachmentRecord{a.Name, a.ContentType, a.Size, a.SHA256, a.chunks, a.UploadedBy, stampOf(a.CreatedAt)}
}

func (r *attachmentRecord) attachment(invoice, id uid.ID) Attachment {
	return Attachment{
		ID: id, InvoiceID: invoice, Name: r.Name, ContentType: r.ContentType, Size: r.Size, SHA256: r.SHA256,
		UploadedBy: r.UploadedBy, CreatedAt: r.CreatedAt.time(), chunks: r.Chunks,
	}
}

// Attachments is one page of the attachments of an invoice, in the order in which
// they were added, how many there are in all, and the version of the invoice;
// ErrNotFound.
func (s *Store) Attachments(ctx context.Context, org, inv uid.ID, page, perPage int) (items []Attachment, total int, version uint64, err error) {
	err = s.db.View(ctx, func(r kv.Reader) error {
		i, _, err := readCore(r, org, inv)
		if err != nil {
			return err
		}
		version = i.Version
		items, err = attachmentsOf(r, org, inv)
		return err
	})
	if err != nil {
		return nil, 0, 0, s.lostIfAbsent(ctx, err, org, inv)
	}
	total = len(items)
	from := min(offset(page, perPage), total)
	return items[from:min(from+perPage, total)], total, version, nil
}

// lostIfAbsent is lost for the one invoice that was asked for.
func (s *Store) lostIfAbsent(ctx context.Context, err error, org, inv uid.ID) error {
	if errors.Is(err, ErrNotFound) {
		return s.lost(ctx, err, org, inv)
	}
	return err
}

// attachmentsOf are all attachments of an invoice.
func attachmentsOf(r kv.Reader, org, inv uid.ID) (items []Attachment, err error) {
	err = scan(r, inFamily(org, famAttachment, inv[:]), famAttachment, func(key []byte, record *attachmentRecord) error {
		id, err := idAt(key, orgKeyHead+len(inv))
		items = append(items, record.attachment(inv, id))
		return err
	})
	return items, err
}

// attachmentOf is one attachment; ErrNotFound.
func attachmentOf(r kv.Reader, org, inv, id uid.ID) (Attachment, error) {
	var record attachmentRecord
	if err := get(r, keyAttachment(org, inv, id), famAttachment, &record); err != nil {
		return Attachment{}, err
	}
	return record.attachment(inv, id), nil
}

// DeleteAttachment takes a file off an invoice and returns the version of the
// invoice after that. Errors: ErrNotFound, ErrConflict, ErrTooLarge.
func (s *Store) DeleteAttachment(ctx context.Context, by auth.Principal, inv, id uid.ID, ifMatch uint64) (version uint64, err error) {
	r := reattaching{id: inv, ifMatch: ifMatch, action: invoiceDetach, change: func(t *tx) ([]uid.ID, error) {
		a, err := attachmentOf(t, by.OrgID, inv, id)
		if err != nil {
			return nil, err
		}
		return []uid.ID{id}, t.unlink(&a)
	}}
	err = s.update(ctx, by, r.run)
	return r.version, s.lost(ctx, err, by.OrgID, r.absent...)
}

// reattaching is a change of the attachments of one invoice, and what came of it.
type reattaching struct {
	id      uid.ID
	ifMatch uint64
	action  Action
	change  func(*tx) ([]uid.ID, error) // returns the attachments that came or went

	version uint64   // of the invoice after that
	absent  []uid.ID // id, if there is no such invoice
}

func (r *reattaching) run(t *tx) (err error) {
	var i storedInvoice
	if i, r.absent, err = t.take(r.id, r.ifMatch); err != nil {
		return err
	}
	changed, err := r.change(t)
	if err != nil {
		return err
	}
	ids := make([]string, len(changed))
	for n, id := range changed {
		ids[n] = id.String()
	}
	err = t.advance(&i, r.action, Detail{"attachments": strings.Join(ids, " ")})
	r.version = i.Version
	return err
}

// link enters an attachment whose content is there.
func (t *tx) link(a *Attachment) error {
	record := attachmentRecordOf(a)
	return errors.Join(
		insert(t, keyAttachment(t.by.OrgID, a.InvoiceID, a.ID), famAttachment, &record),
		t.Delete(keyLoose(t.by.OrgID, a.InvoiceID, a.ID)),
		t.count(func(c *counts) { c.Attachments++ }),
	)
}

// unlink removes an attachment and leaves its content to the sweeper.
func (t *tx) unlink(a *Attachment) error {
	sweeper := t.store.sweeper
	t.OnCommit(sweeper.wake)
	return errors.Join(
		t.Delete(keyAttachment(t.by.OrgID, a.InvoiceID, a.ID)),
		put(t, keyLoose(t.by.OrgID, a.InvoiceID, a.ID), famLoose, &looseRecord{stampOf(t.now)}),
		t.count(func(c *counts) { c.Attachments-- }),
	)
}

// unlinkAttachments removes all attachments of an invoice that is being deleted.
func (t *tx) unlinkAttachments(inv uid.ID) error {
	all, err := attachmentsOf(t, t.by.OrgID, inv)
	for n := range all {
		err = errors.Join(err, t.unlink(&all[n]))
	}
	return err
}
