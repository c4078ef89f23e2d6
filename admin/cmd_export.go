package admin

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
)

func (s *shell) invoicesExport() *cli.Command {
	return s.command(spec{
		name: "export", usage: "write invoices to a file",
		about: "NDJSON has on each line what GET /api/invoices/{uid} answers, CSV the flat fields of\n" +
			"the list. In CSV a text that a spreadsheet would run as a formula begins with an\n" +
			"apostrophe. The file is there once it is complete. What was written can be imported.",
		flags: []cli.Flag{
			orgFlag(),
			&cli.StringFlag{Name: "format", Usage: "write `FORMAT`: ndjson or csv", Value: "ndjson"},
			&cli.StringFlag{Name: "output", Usage: "write to `FILE`, or to standard output", Value: "-"},
			&cli.StringFlag{Name: "status", Usage: "only those that read `STATUSES`, joined by commas"},
			&cli.StringFlag{Name: "updated-since", Usage: "only those that changed since `TIME`: RFC 3339 or a date"},
		},
		examples: "exante invoices export --output invoices.ndjson\n" +
			"exante invoices export --format csv --status SENT,OVERDUE > open.csv",
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runInvoicesExport(ctx, c.String("output"), ExportRequest{
				Org: c.String("org"), Format: c.String("format"), Statuses: splitList(c.String("status")), UpdatedSince: c.String("updated-since"),
			})
		},
	})
}

func (s *shell) runInvoicesExport(ctx context.Context, path string, in ExportRequest) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		var done ExportReport
		export := func(out io.Writer) (err error) {
			progress, finish := s.progressBar("export")
			done, err = ops.ExportInvoices(ctx, in, out, progress)
			finish()
			return err
		}
		if path == "-" {
			return export(s.stdout)
		}
		if err := writeWhole(path, true, export); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(done)
		}
		_, err := fmt.Fprintf(s.stdout, "%d invoices exported to %s\n", done.Exported, printable(path))
		return err
	})
}
