package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// Import, export and backup on the socket. They differ from the other operations in what
// goes along: the body of an import is the request as one line of JSON and then
// the file; among its replies are the refused lines. The replies of an export
// or a backup carry the data, and only a result says that it was all.

const (
	importName = "invoices/import"
	exportName = "invoices/export"
	backupName = "backup"
	maxHead    = 64 << 10 // bytes of the line before a file
)

func mountTransfers(mux *http.ServeMux, ops func(*http.Request) Ops) {
	mux.HandleFunc("POST /"+importName, func(w http.ResponseWriter, r *http.Request) { serveImport(w, r, ops(r)) })
	mux.HandleFunc("POST /"+exportName, func(w http.ResponseWriter, r *http.Request) { serveExport(w, r, ops(r)) })
	mux.HandleFunc("POST /"+backupName, func(w http.ResponseWriter, r *http.Request) { serveBackup(w, r, ops(r)) })
}

func serveImport(w http.ResponseWriter, r *http.Request, ops Ops) {
	out := &replies{w: w}
	var in ImportRequest
	file := bufio.NewReaderSize(r.Body, maxHead)
	head, err := file.ReadSlice('\n')
	if err == nil {
		err = http.NewResponseController(w).EnableFullDuplex() // replies while the file is still read
	}
	if err != nil || decodeStrict(bytes.NewReader(head), &in) != nil {
		out.end(nil, errSkew)
		return
	}
	out.begin()
	refused := func(l RefusedLine) error { return out.note(reply{Refused: &l}) }
	report, err := ops.ImportInvoices(r.Context(), in, file, refused, out.progress)
	out.end(report, err)
	// A client that is still sending would be cut off before it has read the answer.
	_, _ = io.Copy(io.Discard, file)
}

func serveExport(w http.ResponseWriter, r *http.Request, ops Ops) {
	out := &replies{w: w}
	var in ExportRequest
	if decodeStrict(http.MaxBytesReader(w, r.Body, maxRequest), &in) != nil {
		out.end(nil, errSkew)
		return
	}
	out.begin()
	report, err := ops.ExportInvoices(r.Context(), in, dataReplies{out}, out.progress)
	out.end(report, err)
}

// backupStall is how long a backup waits for a client to take the next piece: the
// store keeps what is replaced meanwhile.
const backupStall = 2 * time.Minute

func serveBackup(w http.ResponseWriter, r *http.Request, ops Ops) {
	out := &replies{w: w}
	if decodeStrict(http.MaxBytesReader(w, r.Body, maxRequest), &nothing{}) != nil {
		out.end(nil, errSkew)
		return
	}
	out.begin()
	report, err := ops.Backup(r.Context(), prompt{dataReplies{out}, http.NewResponseController(w)}, out.progress)
	out.end(report, err)
}

// prompt gives a client so long for each piece.
type prompt struct {
	to       io.Writer
	deadline interface{ SetWriteDeadline(time.Time) error }
}

func (p prompt) Write(b []byte) (int, error) {
	if err := p.deadline.SetWriteDeadline(time.Now().Add(backupStall)); err != nil {
		return 0, err
	}
	return p.to.Write(b)
}

func decodeStrict(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// dataReplies sends what is written to it, a reply each time.
type dataReplies struct{ *replies }

func (d dataReplies) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return len(p), d.note(reply{Data: p})
}

// ImportInvoices implements Ops.
func (r Remote) ImportInvoices(ctx context.Context, in ImportRequest, file io.Reader, refused func(RefusedLine) error, progress Progress) (report ImportReport, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // the file is read no further than the answer goes
	head, err := json.Marshal(in)
	if err != nil {
		return report, err
	}
	body := io.MultiReader(bytes.NewReader(append(head, '\n')), file)
	err = r.ask(ctx, importName, body, &report, progress, func(line reply) error {
		if line.Refused == nil {
			return errSkew
		}
		return refused(*line.Refused)
	})
	return report, err
}

// ExportInvoices implements Ops.
func (r Remote) ExportInvoices(ctx context.Context, in ExportRequest, out io.Writer, progress Progress) (report ExportReport, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return report, err
	}
	err = r.ask(ctx, exportName, bytes.NewReader(body), &report, progress, func(line reply) error {
		_, err := out.Write(line.Data)
		return err
	})
	return report, err
}

// Backup implements Ops.
func (r Remote) Backup(ctx context.Context, out io.Writer, progress Progress) (report BackupReport, err error) {
	err = r.ask(ctx, backupName, strings.NewReader("{}"), &report, progress, func(line reply) error {
		_, err := out.Write(line.Data)
		return err
	})
	return report, err
}
