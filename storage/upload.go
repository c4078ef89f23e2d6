package storage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
)

// A file may be larger than a transaction, and comes slowly. So its content is
// written in chunks as it comes, marked as loose, and one transaction at the end
// makes attachments of all files. Whatever ends before that, by an error or a
// crash, leaves loose content, which the sweeper deletes.

const (
	chunkSize    = 60 << 10 // of content, in one value
	chunksAtOnce = 8        // in one transaction: memory of an upload, and share of the writer
	sniffed      = 512      // bytes that tell the type of a file
)

// File is one that is to be added: its name as it was sent, a path before it
// included, and its content, which ends with io.EOF. Any other error, such as
// io.ErrUnexpectedEOF, means that the rest did not come.
type File struct {
	Name    string
	Content io.Reader
}

// AddAttachments adds the files that next returns until it returns io.EOF, all or
// none. It returns them and the version of the invoice with them. Whether the
// invoice can take them is asked before the first is read. Errors: those of next
// and of contents, ErrNotFound, ErrConflict, *input.InvalidError with paths such
// as "files[0]", ErrFileTooLarge, ErrTooManyFiles, ErrFilesTooLarge,
// ErrTooManyAttachments, and those of Once, whose Fingerprint next may set at the end.
func (s *Store) AddAttachments(ctx context.Context, by auth.Principal, inv uid.ID, ifMatch uint64, next func() (File, error), once ...*Once[AddedAttachments]) (added []Attachment, version uint64, err error) {
	if only(once) == nil { // else what was done before is found out at the end
		err = s.mayAttach(ctx, by.OrgID, inv, ifMatch)
	}
	if err != nil {
		return nil, 0, err
	}
	u := &upload{Store: s, ctx: ctx, by: by, invoice: inv}
	defer u.end()
	for {
		f, err := next()
		if err == io.EOF { // and nothing that wraps it
			break
		}
		if err == nil {
			err = u.add(f)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	if len(u.files) == 0 {
		return nil, 0, input.Invalid("files", "is required")
	}
	made, err := u.publish(ifMatch, only(once))
	return made.Attachments, made.Version, err
}

// AddedAttachments are new attachments and the version of the invoice with them.
type AddedAttachments struct {
	Attachments []Attachment
	Version     uint64
}

// mayAttach says early what publish says in the end.
func (s *Store) mayAttach(ctx context.Context, org, inv uid.ID, ifMatch uint64) error {
	_, total, version, err := s.Attachments(ctx, org, inv, 1, 1)
	switch {
	case err != nil:
		return err
	case ifMatch != 0 && ifMatch != version:
		return ErrConflict
	case total >= MaxAttachments:
		return ErrTooManyAttachments
	}
	return nil
}

// upload is files on their way into an invoice.
type upload struct {
	*Store
	ctx     context.Context // of the one call that it lives for
	by      auth.Principal
	invoice uid.ID

	files     []Attachment
	size      int64                // of all files
	pending   []entry              // not written yet
	buffers   [chunksAtOnce][]byte // of their values; the rest is free
	used      int                  // of the buffers
	published bool
}

// entry is a key and its sealed value.
type entry struct{ key, value []byte }

// add reads one file to its end.
func (u *upload) add(f File) error {
	n := len(u.files)
	if n == MaxFiles {
		return ErrTooManyFiles
	}
	name, reason := cleanFileName(f.Name)
	if reason != "" {
		return input.Invalid(fmt.Sprintf("files[%d]", n), "file name "+reason)
	}
	id, err := u.ids.New()
	if err != nil {
		return err
	}
	a := Attachment{ID: id, InvoiceID: u.invoice, Name: name, UploadedBy: u.by.UserID}
	u.sweeper.spare(id)
	u.files = append(u.files, a)
	return u.read(&u.files[n], f.Content)
}

// cleanFileName is the name as it is kept: what follows the last slash of either
// kind, by the rules of texts. It is shown, and never used as a path.
func cleanFileName(sent string) (clean, reason string) {
	clean, reason = input.Text(sent[strings.LastIndexAny(sent, `/\`)+1:], 1, maxFileName)
	if clean == "." || clean == ".." {
		return "", "must name a file"
	}
	return clean, reason
}

// read takes the content of a, chunk by chunk.
func (u *upload) read(a *Attachment, in io.Reader) error {
	sum := sha256.New()
	for {
		value := u.buffer()
		n, readErr := readFull(in, value[envelopeHead:])
		if readErr != nil && readErr != io.EOF {
			return readErr
		}
		chunk := value[envelopeHead : envelopeHead+n]
		a.Size += int64(n)
		u.size += int64(n)
		switch {
		case a.Size > MaxFileSize:
			return ErrFileTooLarge
		case u.size > MaxFilesSize:
			return ErrFilesTooLarge
		}
		if a.chunks == 0 {
			a.ContentType = http.DetectContentType(chunk[:min(n, sniffed)])
		}
		sum.Write(chunk)
		if n > 0 {
			if err := u.keep(a, value[:envelopeHead+n]); err != nil {
				return err
			}
		}
		if readErr != nil {
			sum.Sum(a.SHA256[:0])
			return nil
		}
	}
}

// readFull reads until buf is full or in ends. Unlike that of io it leaves io.EOF
// as it is: io.ErrUnexpectedEOF is for in to say.
func readFull(in io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var more int
		more, err = in.Read(buf[n:])
		n += more
	}
	return n, err
}

// buffer is room for the value of the next chunk.
func (u *upload) buffer() []byte {
	if u.buffers[u.used] == nil {
		u.buffers[u.used] = make([]byte, envelopeHead+chunkSize)
	}
	return u.buffers[u.used]
}

// keep puts the next chunk of a, which is in the buffer, behind those that are to
// be written, with the mark before its first.
func (u *upload) keep(a *Attachment, value []byte) error {
	if a.chunks == 0 {
		key := keyLoose(u.by.OrgID, u.invoice, a.ID)
		mark, err := seal(key, famLoose, &looseRecord{stampOf(u.now())})
		if err != nil {
			return err
		}
		u.pending = append(u.pending, entry{key, mark})
	}
	key := keyContent(u.by.OrgID, u.invoice, a.ID, a.chunks)
	sealHere(key, famContent, value)
	u.pending = append(u.pending, entry{key, value})
	a.chunks++
	if u.used++; u.used < chunksAtOnce {
		return nil
	}
	return u.flush()
}

// flush writes what is pending.
func (u *upload) flush() error {
	if len(u.pending) == 0 {
		return nil
	}
	err := u.update(u.ctx, u.by, func(t *tx) error {
		for _, e := range u.pending {
			if err := t.Put(e.key, e.value); err != nil {
				return err
			}
		}
		return nil
	})
	clear(u.pending)
	u.pending, u.used = u.pending[:0], 0
	return err
}

// publish makes attachments of all files, in one transaction.
func (u *upload) publish(ifMatch uint64, once *Once[AddedAttachments]) (made AddedAttachments, err error) {
	if err := u.flush(); err != nil {
		return made, err
	}
	r := reattaching{id: u.invoice, ifMatch: ifMatch, action: invoiceAttach, change: u.link}
	err = u.update(u.ctx, u.by, once.around(&made, func(t *tx) error {
		err := r.run(t)
		made = AddedAttachments{u.files, r.version}
		return err
	}))
	if err != nil {
		return AddedAttachments{}, u.lost(u.ctx, err, u.by.OrgID, r.absent...)
	}
	u.published = true
	return made, nil
}

// link enters all files.
func (u *upload) link(t *tx) (ids []uid.ID, err error) {
	had, err := attachmentsOf(t, u.by.OrgID, u.invoice)
	if err != nil {
		return nil, err
	}
	if len(had)+len(u.files) > MaxAttachments {
		return nil, ErrTooManyAttachments
	}
	for n := range u.files {
		u.files[n].CreatedAt = t.now
		if err := t.link(&u.files[n]); err != nil {
			return nil, err
		}
		ids = append(ids, u.files[n].ID)
	}
	return ids, nil
}

// end leaves to the sweeper what was not published.
func (u *upload) end() {
	for n := range u.files {
		u.sweeper.release(u.files[n].ID)
	}
	if !u.published && len(u.files) > 0 {
		u.sweeper.wake()
	}
}
