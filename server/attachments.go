package server

import (
	"errors"
	"fmt"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// linkTime is how long a link to an attachment opens it.
const linkTime = 15 * time.Minute

// The ETag of all these is the invoice's: attachments are part of it.

func listAttachments(x *exchange) error {
	q := x.query()
	at := paging{}
	at.page, at.perPage = q.Page()
	if err := q.Done(); err != nil {
		return err
	}
	inv := x.pathID()
	items, total, version, err := x.store.Attachments(x.ctx(), x.org(), inv, at.page, at.perPage)
	if err != nil {
		return err
	}
	at.total = total
	return x.tag(version).answer(200, "Attachments retrieved", func(w *jsonWriter) {
		page(w, q, "/api/invoices/"+inv.String()+"/attachments", at, items, x.attachmentWriter())
	})
}

func addAttachments(x *exchange) error {
	f, finished, err := x.form()
	if err != nil {
		return err
	}
	defer finished()
	p := postFiles(x, f)
	items, version, err := x.store.AddAttachments(x.ctx(), x.by(), x.pathID(), x.ifMatch(), f.next, p.once)
	if err != nil {
		return f.refused(err)
	}
	return p.answer(storage.AddedAttachments{Attachments: items, Version: version})
}

// postFiles is post for a form, of which the message and the fingerprint are known
// when it has been read.
func postFiles(x *exchange, f *form) posting[storage.AddedAttachments] {
	added := attachmentsAdded
	p := post(x, &added)
	f.ended = func(whole bool) error {
		added.message = fmt.Sprintf("%d file attachment(s) added successfully", f.files)
		return p.sent(f.print.sum(whole))
	}
	return p
}

var attachmentsAdded = receipt[storage.AddedAttachments]{201, "",
	func(a storage.AddedAttachments) uint64 { return a.Version },
	func(x *exchange, w *jsonWriter, a storage.AddedAttachments, _ time.Time) {
		writeAttachments(w, a.Attachments, x.attachmentWriter())
	},
}

func deleteAttachment(x *exchange) error {
	id, err := readAttachmentID(x.body())
	if err != nil {
		return err
	}
	version, err := x.store.DeleteAttachment(x.ctx(), x.by(), x.pathID(), id, x.ifMatch())
	if err != nil {
		return err
	}
	return x.tag(version).answer(200, "Attachment deleted", empty)
}

func readAttachmentID(body []byte) (uid.ID, error) {
	f, err := readObject(body)
	if err != nil {
		return uid.ID{}, err
	}
	f.require("attachment_uid")
	text := f.text("attachment_uid", length{0, maxBody})
	if err := f.done(); err != nil {
		return uid.ID{}, err
	}
	return idOrNowhere(*text, 0), nil
}

// attachmentWriter writes attachments of the organization that asks, with links
// that open them from now on.
func (x *exchange) attachmentWriter() func(*jsonWriter, *storage.Attachment) {
	org, key, until, base := x.org(), x.signing, x.options.Now().Add(linkTime), x.baseURL()
	return func(w *jsonWriter, a *storage.Attachment) {
		link := auth.Link{OrgID: org, InvoiceID: a.InvoiceID, AttachmentID: a.ID, Until: until}
		writeAttachment(w, a, base+"/files/"+key.Sign(link))
	}
}

// baseURL is what absolute URLs of this server begin with: as it is set, or else
// as the caller reached it.
func (x *exchange) baseURL() string {
	if x.options.PublicURL != "" {
		return x.options.PublicURL
	}
	scheme := "http://"
	if x.tls != nil {
		scheme = "https://"
	}
	return scheme + string(x.http.Request.URI().Host())
}

// download answers whoever has a link. Links that were never signed, are over or
// lead nowhere answer alike, and none is ever logged.
func download(x *exchange) error {
	link, ok := x.signing.Open(x.path.Params("link"), x.options.Now())
	if !ok {
		return storage.ErrNotFound
	}
	c, err := x.store.OpenAttachment(x.ctx(), link.OrgID, link.InvoiceID, link.AttachmentID)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.ErrNotFound
	}
	if err != nil {
		return err
	}
	return x.sendFile(c)
}
