package admin

import (
	"context"
	"encoding/hex"
	"io"
	"strings"

	"exante/admin/transfer"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// ImportInvoices implements Ops.
func (l Local) ImportInvoices(ctx context.Context, in ImportRequest, file io.Reader, refused func(RefusedLine) error, progress Progress) (ImportReport, error) {
	options, err := importOptions(in)
	if err != nil {
		return ImportReport{}, err
	}
	org, err := l.oneOrg(ctx, in.Org)
	if err != nil {
		return ImportReport{}, err
	}
	m, err := l.store.BeginImport(ctx, l.by.In(org), options)
	if err != nil {
		return ImportReport{}, err
	}
	before := m.State()
	err = transfer.Import(ctx, m, transfer.Source{
		File: file, CSV: in.Format == "csv",
		Read: func(line []byte) storage.ImportLine { return l.wire.ReadImport(org, line) },
		Refused: func(r transfer.Refusal) error {
			return refused(RefusedLine{r.Line, l.wire.Reasons(r.Err), strings.ToValidUTF8(r.Text, "\ufffd")})
		},
		Progress: bytesOf(in.Size, progress),
	})
	if err != nil {
		return ImportReport{}, err
	}
	return importReport(in.DryRun, before, m.State()), nil
}

func importOptions(in ImportRequest) (o storage.ImportOptions, err error) {
	var refused input.Refusals
	id, err := hex.DecodeString(in.ID)
	if err != nil || copy(o.ID[:], id) != len(o.ID) || len(id) != len(o.ID) {
		refused.Add("id", "must be a SHA-256 in hex")
	}
	if in.Format != "ndjson" && in.Format != "csv" {
		refused.Add("format", "must be ndjson or csv")
	}
	if in.Numbers != "keep" && in.Numbers != "new" {
		refused.Add("numbers", "must be keep or new")
	}
	o.NewNumbers, o.DryRun = in.Numbers == "new", in.DryRun
	return o, refused.Err()
}

// bytesOf is a progress in bytes of a file, whose size may not be known.
func bytesOf(size int64, progress Progress) func(uint64) {
	if progress == nil {
		return nil
	}
	return func(done uint64) { progress(int(done), max(int(size), int(done))) }
}

func importReport(dry bool, before, after storage.ImportState) ImportReport {
	skipped := before.Imported + before.Refused
	return ImportReport{
		Read: after.Imported + after.Refused, Imported: after.Imported - before.Imported, Refused: after.Refused - before.Refused,
		Skipped: skipped, SkippedRefused: before.Refused, DryRun: dry, DoneBefore: whenever(before.FinishedAt),
	}
}

// exportPiece is how much is made ready before it is written, in bytes.
const exportPiece = 64 << 10

// ExportInvoices implements Ops.
func (l Local) ExportInvoices(ctx context.Context, in ExportRequest, out io.Writer, progress Progress) (report ExportReport, err error) {
	org, q, err := l.exportQuery(ctx, in)
	if err != nil {
		return report, err
	}
	piece, add := l.wire.Export(in.Format)
	if add == nil {
		return report, input.Invalid("format", "must be ndjson or csv")
	}
	piece = append(make([]byte, 0, 2*exportPiece), piece...)
	for walk := l.store.WalkInvoices(org, q); ; {
		batch, err := walk.Next(ctx)
		if err != nil {
			return report, err
		}
		for i := range batch {
			if piece = add(piece, &batch[i], l.now()); len(piece) < exportPiece {
				continue
			}
			if _, err := out.Write(piece); err != nil {
				return report, err
			}
			piece = piece[:0]
		}
		if report.Exported += len(batch); progress != nil {
			progress(report.Exported, max(walk.Len(), report.Exported))
		}
		if len(batch) == 0 {
			_, err = out.Write(piece)
			return report, err
		}
	}
}

func (l Local) exportQuery(ctx context.Context, in ExportRequest) (org uid.ID, q storage.InvoiceQuery, err error) {
	if org, err = l.oneOrg(ctx, in.Org); err != nil {
		return org, q, err
	}
	var refused input.Refusals
	for _, name := range in.Statuses {
		status, known := billing.ParseStatus(name)
		if !known {
			refused.Add("status", "is not known: "+name)
		}
		q.Statuses = append(q.Statuses, status)
	}
	if in.UpdatedSince != "" {
		if q.UpdatedSince, err = parseTime(in.UpdatedSince); err != nil {
			refused.Add("updated_since", err.Error())
		}
	}
	return org, q, refused.Err()
}
