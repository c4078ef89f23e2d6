package admin

import (
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// Wire is how invoices are read and written outside: the forms of the HTTP API.
// They are handed in, for this package does not know the server, so that a line of
// a file is judged in the same words as a body of a request, and --json prints what
// the API answers.
type Wire interface {
	// Invoice is an invoice as it reads at now, Payment a payment.
	Invoice(inv *billing.Invoice, now time.Time) []byte
	Payment(p *billing.Payment) []byte
	// ReadImport reads one object; what is wrong with it is in its Refused. It may
	// be called on several goroutines at once.
	ReadImport(org uid.ID, line []byte) storage.ImportLine
	// Reasons are what is wrong with a line that was refused with err.
	Reasons(err error) []string
	// Export is a form, "ndjson" or "csv": what comes before the first invoice, and
	// what appends one as it reads at now. add is nil for another form.
	Export(form string) (head []byte, add func(b []byte, inv *billing.Invoice, now time.Time) []byte)
}

// ImportRequest asks for an import.
type ImportRequest struct {
	Org     string `json:"org"`
	ID      string `json:"id"`      // SHA-256 in hex: what makes a later run the same import
	Format  string `json:"format"`  // ndjson or csv
	Numbers string `json:"numbers"` // keep, or new: see `invoices import --help`
	DryRun  bool   `json:"dry_run"`
	Size    int64  `json:"size"` // of the file, for the progress; 0: not known
}

// ImportReport is what one run of an import did. Read is the sum of the next three.
type ImportReport struct {
	Read           uint64  `json:"read"` // lines, those of earlier runs too
	Imported       uint64  `json:"imported"`
	Refused        uint64  `json:"refused"`
	Skipped        uint64  `json:"skipped"`         // that an earlier run had dealt with
	SkippedRefused uint64  `json:"skipped_refused"` // of these, refused
	DryRun         bool    `json:"dry_run"`
	DoneBefore     *string `json:"done_before"` // when an earlier run had finished the import
}

// RefusedLine is a line of a file that was refused.
type RefusedLine struct {
	Line    uint64   `json:"line"` // from 1
	Reasons []string `json:"reasons"`
	Text    string   `json:"text"` // the line as it was; of one above 1 MiB the beginning
}

// ExportRequest asks for an export.
type ExportRequest struct {
	Org          string   `json:"org"`
	Format       string   `json:"format"` // ndjson or csv
	Statuses     []string `json:"statuses"`
	UpdatedSince string   `json:"updated_since"` // RFC 3339, a plain date, or "": any time
}

// ExportReport is what an export wrote.
type ExportReport struct {
	Exported int `json:"exported"` // invoices
}
