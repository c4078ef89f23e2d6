package storage

import (
	"crypto/sha256"
	"errors"

	"exante/auth/uid"
	"exante/storage/kv"
)

// attachments checks the attachments of an organization and reads what they hold.
// Content that is marked as loose may be there or not; any other belongs to an
// attachment.
func (v *verification) attachments(org uid.ID, c counts) {
	in := inFamily(org, famAttachment)
	found := each(v, in, famAttachment, func(key []byte, record *attachmentRecord) {
		invoice, id, ok := contentAt(key)
		if !ok {
			return // survey named it
		}
		_, _, err := readCore(v, org, invoice)
		v.check(key, missing(err, "invoice", keyInvoice(org, invoice)))
		if record.Name == "" || record.ContentType == "" || record.CreatedAt == 0 {
			v.find(key, "has no name, no content type or no time")
		}
		if err := get(v, keyLoose(org, invoice, id), famLoose, &looseRecord{}); err == nil {
			v.find(key, "is marked to be swept")
		}
		v.check(key, v.content(org, record.attachment(invoice, id)))
	})
	v.agree("attachments", in, found, c.Attachments)
	each(v, inFamily(org, famLoose), famLoose, func([]byte, *looseRecord) {})
	v.chunks(org)
}

// content reads all that an attachment holds.
func (v *verification) content(org uid.ID, a Attachment) error {
	c := Content{Attachment: a, org: org, sum: sha256.New()}
	err := c.load(v)
	for err == nil && c.next < c.chunks && v.ctx.Err() == nil {
		err = c.load(v)
	}
	return err
}

// chunks checks that every chunk is one of its attachment, or loose; that an
// attachment has all of its own was seen when it was read.
func (v *verification) chunks(org uid.ID) {
	in := inFamily(org, famContent)
	err := v.Scan(in, kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
		v.counted()
		invoice, id, ok := contentAt(key)
		if !ok {
			return true, nil
		}
		a, err := attachmentOf(v, org, invoice, id)
		if errors.Is(err, ErrNotFound) {
			err = get(v, keyLoose(org, invoice, id), famLoose, &looseRecord{})
			v.check(key, missing(err, "attachment", keyAttachment(org, invoice, id)))
		} else if err == nil && string(key) >= string(keyContent(org, invoice, id, a.chunks)) {
			v.find(key, "is beyond the %d chunks of its attachment", a.chunks)
		}
		return true, nil
	})
	v.check(in.Start, err)
}

// contentAt is the invoice and the attachment in a key.
func contentAt(key []byte) (invoice, id uid.ID, ok bool) {
	invoice, err := idAt(key, orgKeyHead)
	id, err2 := idAt(key, orgKeyHead+len(invoice))
	return invoice, id, err == nil && err2 == nil
}
