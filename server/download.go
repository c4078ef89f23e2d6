package server

import (
	"errors"
	"io"
	"log/slog"
	"strings"

	"github.com/valyala/fasthttp"

	"exante/storage"
)

// sendFile answers with an attachment, which a browser saves and never shows: it
// comes from whoever may write invoices, and would act in the name of this host.
func (x *exchange) sendFile(c *storage.Content) error {
	out := &outflow{content: c, http: x.http, log: x.log, id: string(x.id), pace: x.newPace()}
	if err := out.due(); err != nil { // from here on the deadlines are ours
		return err
	}
	h := &x.http.Response.Header
	h.SetContentType(c.ContentType)
	h.Set("Content-Disposition", disposition(c.Name))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Accept-Ranges", "none")
	x.http.Response.SetStatusCode(fasthttp.StatusOK)
	x.http.Response.SetBodyStream(out, int(c.Size))
	return nil
}

// disposition names a file to be saved (RFC 6266): in UTF-8, percent-encoded (RFC
// 8187), and before that in plain letters for who does not know the other.
func disposition(name string) string {
	const hex = "0123456789ABCDEF"
	var plain, encoded strings.Builder
	for _, c := range name {
		if isPlain(c) || c == ' ' {
			plain.WriteRune(c)
		} else {
			plain.WriteByte('_')
		}
	}
	for _, c := range []byte(name) {
		if isPlain(rune(c)) {
			encoded.WriteByte(c)
		} else {
			encoded.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return `attachment; filename="` + plain.String() + `"; filename*=UTF-8''` + encoded.String()
}

// isPlain characters mean themselves in any part of a header and of a URL.
func isPlain(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_'
}

// outflow sends content for as long as its reader keeps up. It lives on after the
// exchange. When it fails, fewer bytes than were announced have been sent, and
// fasthttp ends the connection: nobody takes that for the whole.
type outflow struct {
	content *storage.Content
	http    *fasthttp.RequestCtx
	log     *slog.Logger
	id      string // of the request
	pace    pace
	sent    int64
}

// due moves the deadline on.
func (o *outflow) due() error { return o.http.SetWriteDeadline(o.pace.deadline(o.sent)) }

// Read is io.Reader's.
func (o *outflow) Read(p []byte) (int, error) {
	if err := o.due(); err != nil {
		return 0, err
	}
	n, err := o.content.Read(p)
	o.sent += int64(n)
	if errors.Is(err, storage.ErrCorrupt) {
		o.log.Error("an attachment can't be sent", "request_id", o.id, "error", err)
	}
	return n, err
}

// WriteTo sends it all in pieces as large as they are kept.
func (o *outflow) WriteTo(w io.Writer) (int64, error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := o.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return o.sent, err
			}
		}
		switch {
		case err == io.EOF:
			return o.sent, nil
		case err != nil:
			return o.sent, err
		}
	}
}

// SupportsBodyWriteTo has fasthttp use WriteTo.
func (o *outflow) SupportsBodyWriteTo() bool { return true }
