package server

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"time"

	"exante/storage"
	"exante/storage/input"
)

const (
	maxPartHead = 16 << 10                       // bytes before the content of a file, and after the last
	maxForm     = storage.MaxFilesSize + 512<<10 // bytes of a whole form: its files, and what stands around them
	fileField   = "files"
)

// form is a body of multipart/form-data (RFC 7578), whose files are read as they
// come. It holds no more than a buffer of one.
type form struct {
	body  *intake
	parts *multipart.Reader
	files int // that were begun

	print *fingerprint           // nil: nobody asks for it
	whole bool                   // all has come
	ended func(whole bool) error // called then, or when no more will be read
}

// boundaryOf is the boundary in a Content-Type that says that a form is coming.
func boundaryOf(contentType []byte) (string, error) {
	media, parameters, err := mime.ParseMediaType(string(contentType))
	boundary := parameters["boundary"]
	if err != nil || media != "multipart/form-data" || boundary == "" || len(boundary) > 70 { // RFC 2046 §5.1.1
		return "", errFormMedia
	}
	return boundary, nil
}

// form begins to read the body. finished ends that, whatever became of it: only so
// many are read at once.
func (x *exchange) form() (f *form, finished func(), err error) {
	boundary, err := boundaryOf(x.http.Request.Header.ContentType())
	if err != nil {
		return nil, nil, err
	}
	if finished, err = x.uploads.enter(x.org()); err != nil {
		return nil, nil, err
	}
	body := &intake{
		in: x.http.RequestBodyStream(), length: int64(x.http.Request.Header.ContentLength()),
		pace: x.newPace(), until: x.http.SetReadDeadline,
	}
	f = newForm(boundary, body)
	if x.claim.made {
		f.print = &fingerprint{files: sha256.New(), last: sha256.New()}
	}
	return f, finished, nil
}

func newForm(boundary string, body *intake) *form {
	return &form{body: body, parts: multipart.NewReader(&unended{body, "\r\n"}, boundary)}
}

// unended is a body whose end is no io.EOF: the parser takes that for the end of
// the form even within the head of a part. A line end comes before it, which the
// last boundary may lack.
type unended struct {
	body *intake
	rest string
}

func (u *unended) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	switch {
	case err != io.EOF:
		return n, err
	case n == 0 && u.rest == "":
		return 0, errForm
	case n == 0:
		n = copy(p, u.rest)
		u.rest = u.rest[n:]
	}
	return n, nil
}

// next is the next file, io.EOF after the last one. Storage asks for it when it
// has read the one before to its end.
func (f *form) next() (storage.File, error) {
	f.body.allow(maxPartHead)
	part, err := f.parts.NextRawPart()
	if err == io.EOF {
		return storage.File{}, f.end()
	}
	if err != nil {
		return storage.File{}, f.failure()
	}
	f.body.allow(maxForm)
	name, err := f.nameOf(part)
	f.files++
	f.print.file(name)
	return storage.File{Name: name, Content: content{f, part}}, err
}

// nameOf is the name of the file that a part brings. Any other field is refused.
func (f *form) nameOf(part *multipart.Part) (string, error) {
	path := fmt.Sprintf("%s[%d]", fileField, f.files)
	disposition, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name, isFile := parameters["filename"]
	switch field := parameters["name"]; {
	case err != nil || disposition != "form-data":
		return "", input.Invalid(path, "has no Content-Disposition of form-data that can be read")
	case field != fileField:
		return "", input.Invalid(input.ShortName(field), "is not known here")
	case !isFile:
		return "", input.Invalid(path, "must be a file, with a file name")
	}
	return name, nil
}

// end reads what follows the last part, so that the next request can follow.
func (f *form) end() error {
	f.body.allow(maxPartHead)
	if _, err := io.Copy(io.Discard, f.body); err != nil {
		return f.failure()
	}
	f.whole = true
	if err := f.ended(true); err != nil {
		return err
	}
	return io.EOF
}

// refused is what to answer when the files are not taken: err, or what there is to
// say of a request that came before under the same Idempotency-Key.
func (f *form) refused(err error) error {
	if f.whole {
		return err
	}
	return cmp.Or(f.ended(false), err)
}

// failure says why the form can't be read on: its body did, or else its own making.
// What the parser says wraps io.EOF at times, where nothing ended well.
func (f *form) failure() error {
	if err := f.body.err; err != nil && err != io.EOF {
		return err
	}
	return errForm
}

// content is what one part holds.
type content struct {
	form *form
	part io.Reader
}

func (c content) Read(p []byte) (int, error) {
	n, err := c.part.Read(p)
	c.form.print.content(p[:n])
	if err != nil && err != io.EOF {
		err = c.form.failure()
	}
	return n, err
}

// intake reads a body, counts it, and moves the deadline on while it comes.
type intake struct {
	in     io.Reader // nil: there is no body
	length int64     // that was announced; -1: none was
	pace   pace
	until  func(time.Time) error // sets the deadline

	read, most int64
	err        error // that it ended with
}

// allow lets n more bytes come.
func (i *intake) allow(n int64) { i.most = i.read + n }

func (i *intake) Read(p []byte) (n int, err error) {
	switch {
	case i.err != nil:
		return 0, i.err
	case i.in == nil:
		i.err = io.EOF
		return 0, io.EOF
	}
	if err = i.until(i.pace.deadline(i.read)); err == nil {
		n, err = i.in.Read(p)
	}
	i.read += int64(n)
	switch {
	case i.read > maxForm:
		i.err = storage.ErrFilesTooLarge
	case i.read > i.most:
		i.err = errForm
	case err == io.EOF && i.length >= 0 && i.read != i.length:
		i.err = errUnparsed
	case err == io.EOF:
		i.err = io.EOF
	case err != nil:
		i.err = unparsed(err)
	}
	return n, i.err
}

// checkUpload judges what is known of a form before its body is asked for.
func (x *exchange) checkUpload() error {
	if x.http.Request.Header.ContentLength() > maxForm {
		return storage.ErrFilesTooLarge
	}
	_, err := boundaryOf(x.http.Request.Header.ContentType())
	return err
}

// fingerprint is what a form with an Idempotency-Key brings: the names and contents
// of its files. Who sends them again puts another boundary around them. A nil one
// takes nothing.
type fingerprint struct {
	files hash.Hash
	last  hash.Hash // content of the last file
}

// file says that a file begins, and with it that the one before has ended.
func (p *fingerprint) file(name string) {
	if p != nil {
		p.files.Write(p.last.Sum(nil))
		p.last.Reset()
		p.files.Write(binary.BigEndian.AppendUint64(nil, uint64(len(name))))
		p.files.Write([]byte(name))
	}
}

func (p *fingerprint) content(b []byte) {
	if p != nil {
		p.last.Write(b)
	}
}

// sum is the fingerprint; that of files that did not all come is like no other.
func (p *fingerprint) sum(whole bool) (sum [sha256.Size]byte) {
	if p != nil {
		p.files.Write(p.last.Sum(nil))
		if !whole {
			p.files.Write([]byte("broken off"))
		}
		p.files.Sum(sum[:0])
	}
	return sum
}
