package server

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"exante/auth/uid"
	"exante/server/filter"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

const (
	maxExports    = 4             // under way at once
	maxExportsOrg = 3             // of one organization, so that others have a place
	exportPiece   = 64 << 10      // bytes that are made ready before they are sent
	exportTime    = 2 * time.Hour // for all of one
)

// exportInvoices streams every invoice that matches. The answer is sent in chunks,
// so one that was cut off does not look complete.
func exportInvoices(x *exchange) error {
	q := x.query()
	format := readExportFormat(q)
	iq := filter.Invoices(q)
	if err := q.Done(); err != nil {
		return err
	}
	if string(x.http.Request.Header.Protocol()) != "HTTP/1.1" {
		return errNoChunks
	}
	stream, err := x.newExport(format, x.store.WalkInvoices(x.org(), iq))
	if err != nil {
		return err
	}
	x.http.Response.Header.SetContentType(format.media)
	x.http.Response.Header.Set("Content-Disposition",
		fmt.Sprintf(`attachment; filename="invoices-%s.%s"`, x.options.Now().UTC().Format(time.DateOnly), format.ending))
	x.http.SetBodyStream(stream, -1)
	return nil
}

func readExportFormat(q *filter.Query) *exportFormat {
	name, sent := q.Take("format")
	if !sent {
		return exportFormats[0]
	}
	for _, f := range exportFormats {
		if f.name == name {
			return f
		}
	}
	q.Refuse("format", "%s", input.OneOf([]string{"ndjson", "csv"}))
	return nil
}

// export is one answer under way. fasthttp pulls it after the handler is done, and
// closes it whatever becomes of the connection.
type export struct {
	server *Server
	leave  func() // gives back the place
	key    uid.ID // on whose word it goes on
	conn   net.Conn
	format *exportFormat
	walk   *storage.InvoiceWalk
	batch  []billing.Invoice // read, and not yet written
	w      *jsonWriter
	ready  []byte // of w's, not yet sent
	ends   time.Time
}

// newExport takes one of the places for exports, until Close. In place of one
// deadline for the whole answer, each piece has one.
func (x *exchange) newExport(f *exportFormat, walk *storage.InvoiceWalk) (*export, error) {
	leave, err := x.exports.enter(x.org())
	if err != nil {
		return nil, err
	}
	e := &export{server: x.Server, leave: leave, key: x.admitted.Key.ID, conn: x.http.Conn(), format: f, walk: walk, w: x.newWriter(), ends: time.Now().Add(exportTime)}
	e.w.buf = append(e.w.buf, f.head...)
	e.ready = e.w.buf
	if err := x.http.SetWriteDeadline(e.deadline()); err != nil {
		_ = e.Close()
		return nil, fmt.Errorf("export: %w", err)
	}
	return e, nil
}

// deadline is when the next piece must have been taken by the client.
func (e *export) deadline() time.Time {
	next := time.Now().Add(e.server.options.ExportStall)
	if next.After(e.ends) {
		return e.ends
	}
	return next
}

// fill makes the next piece ready; io.EOF when there is none. Any other error ends
// the connection in the middle of the chunks.
func (e *export) fill() (err error) {
	if len(e.ready) > 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err != nil && err != io.EOF && e.server.life.Err() == nil {
			e.server.log.LogAttrs(e.server.life, slog.LevelError, "an export was cut off", slog.String("error", err.Error()))
		}
	}()
	if err := e.server.life.Err(); err != nil {
		return err
	}
	now := e.server.options.Now()
	for e.w.buf = e.w.buf[:0]; len(e.w.buf) < exportPiece; e.batch = e.batch[1:] {
		if len(e.batch) == 0 {
			if err := e.stillUsable(now); err != nil {
				return err
			}
			if e.batch, err = e.walk.Next(e.server.life); err != nil {
				return err
			}
			if len(e.batch) == 0 {
				break
			}
		}
		e.format.append(e.w, &e.batch[0], now)
	}
	if e.ready = e.w.buf; len(e.ready) == 0 {
		return io.EOF
	}
	return e.conn.SetWriteDeadline(e.deadline())
}

// stillUsable cuts an export off whose key was revoked or suspended or has expired
// meanwhile: it may go on for hours, and a key opens nothing from that instant on.
func (e *export) stillUsable(now time.Time) error {
	return e.server.store.Keyring().Usable(e.key, now)
}

// Read implements io.Reader.
func (e *export) Read(p []byte) (int, error) {
	if err := e.fill(); err != nil {
		return 0, err
	}
	n := copy(p, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}

// WriteTo sends piece by piece: one chunk each.
func (e *export) WriteTo(w io.Writer) (sent int64, err error) {
	for {
		switch err := e.fill(); err {
		case nil:
		case io.EOF:
			return sent, nil
		default:
			return sent, err
		}
		n, err := w.Write(e.ready)
		if sent, e.ready = sent+int64(n), nil; err != nil {
			return sent, err
		}
	}
}

// SupportsBodyWriteTo tells fasthttp that WriteTo does what Read does.
func (e *export) SupportsBodyWriteTo() bool { return true }

// Close gives back the place.
func (e *export) Close() error {
	e.server.free(e.w)
	e.leave()
	return nil
}

// exportFormat is one form of an export.
type exportFormat struct {
	name, ending string // ending: of a file's name
	media        string
	head         []byte // what comes before the first invoice
	append       func(w *jsonWriter, inv *billing.Invoice, now time.Time)
}

// exportFormats are all there are; the first is the default.
var exportFormats = []*exportFormat{
	{"ndjson", "ndjson", "application/x-ndjson", nil, writeInvoiceLine},
	{"csv", "csv", "text/csv; charset=utf-8", []byte(csvHead()), writeInvoiceRow},
}

// writeInvoiceLine writes what GET /api/invoices/{uid} answers as data, on one line.
func writeInvoiceLine(w *jsonWriter, inv *billing.Invoice, now time.Time) {
	writeInvoice(w, inv, now)
	w.buf = append(w.buf, '\n')
}
