package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"exante/admin/transfer"
)

func (s *shell) invoicesImport() *cli.Command {
	return s.command(spec{
		name: "import", usage: "take the invoices of a file into the books", args: []string{"FILE|-"},
		about: importHelp(),
		flags: []cli.Flag{
			orgFlag(),
			&cli.StringFlag{Name: "format", Usage: "read `FORMAT`: ndjson or csv (default: as the name ends)"},
			&cli.StringFlag{Name: "numbers", Usage: "`WHAT` becomes of numbers of the server's own form: keep (and so refuse them) or new", Value: "keep"},
			&cli.StringFlag{Name: "report", Usage: "append refused lines to `FILE`, with their reasons, as NDJSON"},
			&cli.StringFlag{Name: "id", Usage: "know the import again by `NAME` (default: by the file's content; needed for -)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "change nothing, only tell what would be refused", DisableDefaultText: true},
		},
		examples: "exante invoices import old.ndjson --report refused.ndjson\n" +
			"exante invoices import book.csv --dry-run\n" +
			"zcat old.ndjson.gz | exante invoices import - --format ndjson --id 2024",
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runInvoicesImport(ctx, c.Args().First(), c.String("id"), c.String("report"), ImportRequest{
				Org: c.String("org"), Format: c.String("format"), Numbers: c.String("numbers"), DryRun: c.Bool("dry-run"),
			})
		},
	})
}

func importHelp() string {
	return `Each line stands for itself: a good one becomes an invoice, another is refused and
told, with exit code 4 at the end. Run again after an interruption, the command
goes on where it stopped; an import that is done is not done again, unless it gets
another --id. A kill may cost the report its last refused lines, never the count
of them. A dry run misses a number that comes twice far apart.

NDJSON has one object a line: the body of POST /api/invoices, and beside it
   party               {name, address, billing_contact} in place of a
                       target_party_uid: the party with exactly that name, or
                       else a new one
   status              any; then sent_at, paid_date, amount_paid_cents as it was
   created_at          in the past
   *_cents             sums that are refused if the lines do not come to them
or what an export wrote: then uids of another organization, computed members and
new uids are left out, and parties.client is the party.

CSV has a header line and one invoice a row, with one line item (sku, unit_price,
quantity, context_type), or only sums. Times are as in the API; an empty cell is
left out. Columns, in any order:
` + wrapped(transfer.Columns(), "   ", 80)
}

// wrapped joins words by commas into lines of at most wide characters.
func wrapped(words []string, indent string, wide int) string {
	var b strings.Builder
	column := 0
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		switch {
		case column == 0:
			word = indent + word
		case column+1+len(word) > wide:
			b.WriteString("\n")
			word, column = indent+word, 0
		default:
			word = " " + word
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

func (s *shell) runInvoicesImport(ctx context.Context, name, id, report string, in ImportRequest) (err error) {
	file, err := s.openImport(name, id, &in)
	if err != nil {
		return err
	}
	defer file.Close()
	out := &refusals{shell: s, path: report}
	defer func() { err = errors.Join(err, out.close()) }()
	return s.withOps(ctx, false, func(ops Ops) error {
		progress, finish := s.progressBar("import")
		done, err := ops.ImportInvoices(ctx, in, file, out.add, progress)
		finish()
		if err != nil {
			return err
		}
		return s.printImport(done, out)
	})
}

// openImport opens the file, and fills in what follows from it.
func (s *shell) openImport(name, id string, in *ImportRequest) (io.ReadCloser, error) {
	if in.Format == "" {
		in.Format = map[string]string{".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}[strings.ToLower(filepath.Ext(name))]
	}
	switch {
	case in.Format != "ndjson" && in.Format != "csv":
		return nil, usagef("", "flag --format must be ndjson or csv, where the name of the file does not say it")
	case in.Numbers != "keep" && in.Numbers != "new":
		return nil, usagef("", "flag --numbers must be keep or new")
	case id != "":
		in.ID = hashOf("exante import by name\x00" + id)
	}
	if name == "-" {
		if id == "" {
			return nil, usagef("", "flag --id is missing: an import from standard input goes on by its name")
		}
		return io.NopCloser(s.input), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if err := s.identify(file, in); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// identify gives an import without a name the SHA-256 of its file.
func (s *shell) identify(file *os.File, in *ImportRequest) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory", file.Name())
	case info.Mode().IsRegular():
		in.Size = info.Size()
	case in.ID == "":
		return usagef("", "flag --id is missing: %s can be read only once, so the import goes on by its name", file.Name())
	}
	if in.ID != "" {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	in.ID = hex.EncodeToString(sum.Sum(nil))
	_, err = file.Seek(0, io.SeekStart)
	return err
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (s *shell) printImport(r ImportReport, out *refusals) error {
	if r.DoneBefore != nil {
		s.tell("this import was finished at %s: nothing was done", *r.DoneBefore)
	}
	if out.untold > 0 {
		s.tell("and %d more; --report has them all", out.untold)
	}
	err := s.printReportOf(r)
	if n := r.Refused + r.SkippedRefused; err == nil && n > 0 {
		return fmt.Errorf("%w: %d, %d of them by earlier runs", errRefused, n, r.SkippedRefused)
	}
	return err
}

func (s *shell) printReportOf(r ImportReport) error {
	if s.json {
		return s.printJSON(r)
	}
	would := ""
	if r.DryRun {
		would = "dry run: "
	}
	_, err := fmt.Fprintf(s.stdout, "%s%d lines read, %d imported, %d refused, %d skipped\n", would, r.Read, r.Imported, r.Refused, r.Skipped)
	return err
}

// refusals are the refused lines on their way to the operator: all of them to a
// file, or the first few to his terminal.
type refusals struct {
	*shell
	path   string // "": no file
	file   *os.File
	told   int
	untold int
}

// mostTold is how many refused lines are told where no file takes them.
const mostTold = 10

func (r *refusals) add(l RefusedLine) (err error) {
	if r.path == "" {
		if r.told == mostTold {
			r.untold++
			return nil
		}
		r.told++
		r.tell("line %d: %s", l.Line, printable(strings.Join(l.Reasons, "; ")))
		return nil
	}
	if r.file == nil {
		if r.file, err = os.OpenFile(r.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
			return err
		}
	}
	e := json.NewEncoder(r.file)
	e.SetEscapeHTML(false)
	return e.Encode(l)
}

func (r *refusals) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
