package server

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

const (
	maxLinesAtOnce = 100  // in one call of the line item routes
	maxLines       = 1000 // of an invoice
)

func addLines(x *exchange) error {
	lines, many, err := readLines(x.body(), readNewLine)
	if err != nil {
		return err
	}
	p := post(x, &lineAdded)
	if many {
		p = post(x, &linesAdded)
	}
	added, inv, err := x.store.AddLines(x.ctx(), x.by(), x.pathID(), lines, x.ifMatch(), p.once)
	if err != nil {
		return inItsPlace(err, many)
	}
	return p.answer(storage.AddedLines{Lines: added, Invoice: inv})
}

var (
	lineAdded = receipt[storage.AddedLines]{201, "Line item created successfully", versionOfLines,
		func(_ *exchange, w *jsonWriter, a storage.AddedLines, _ time.Time) {
			writeLine(w, a.Invoice.ID, a.Invoice.Currency, &a.Lines[0])
		}}
	linesAdded = receipt[storage.AddedLines]{201, "Line item created successfully", versionOfLines,
		func(_ *exchange, w *jsonWriter, a storage.AddedLines, _ time.Time) {
			writeLines(w, a.Invoice.ID, a.Invoice.Currency, a.Lines)
		}}
)

func versionOfLines(a storage.AddedLines) uint64 { return a.Invoice.Version }

func updateLines(x *exchange) error {
	lines, many, err := readLines(x.body(), readChangedLine)
	if err != nil {
		return err
	}
	changed, inv, err := x.store.UpdateLines(x.ctx(), x.by(), x.pathID(), lines, x.ifMatch())
	if err != nil {
		return inItsPlace(err, many)
	}
	return x.answerLines(200, "Line item updated successfully", &inv, changed, many)
}

func deleteLines(x *exchange) error {
	ids, err := readIDs(x.body(), maxLines)
	if err != nil {
		return err
	}
	inv, err := x.store.DeleteLines(x.ctx(), x.by(), x.pathID(), ids, x.ifMatch())
	if err != nil {
		return err
	}
	return x.tag(inv.Version).answer(200, "Line items deleted", empty)
}

// answerLines sends one line for one object, an array for an array. The ETag is
// the invoice's.
func (x *exchange) answerLines(status int, message string, inv *billing.Invoice, lines []billing.LineItem, many bool) error {
	return x.tag(inv.Version).answer(status, message, func(w *jsonWriter) {
		if many {
			writeLines(w, inv.ID, inv.Currency, lines)
		} else {
			writeLine(w, inv.ID, inv.Currency, &lines[0])
		}
	})
}

// inItsPlace words what the store says of lines, which it always takes as an array,
// for a caller who sent one object.
func inItsPlace(err error, many bool) error {
	var invalid *input.InvalidError
	var missing *storage.MissingError
	switch {
	case many:
		return err
	case errors.As(err, &invalid):
		return &input.InvalidError{Problems: unindexed(invalid.Problems)}
	case errors.As(err, &missing):
		return &storage.MissingError{Problems: unindexed(missing.Problems)}
	}
	return err
}

func unindexed(problems []input.Problem) []input.Problem {
	list := make([]input.Problem, len(problems))
	for i, p := range problems {
		list[i] = input.Problem{Path: strings.TrimPrefix(p.Path, "[0]."), Reason: p.Reason}
		if p.Path == "[0]" {
			list[i].Path = "uid"
		}
	}
	return list
}

// readLines reads one object or an array of 1 to 100 of them; many tells which.
func readLines(body []byte, read func(f *fields, i int) billing.LinePatch) (lines []billing.LinePatch, many bool, err error) {
	if err := checkJSON(body); err != nil {
		return nil, false, err
	}
	p := &problems{}
	if kindOf(body) != '[' {
		f := openObject(p, "", body)
		line := read(f, 0)
		return []billing.LinePatch{line}, false, f.done()
	}
	return readEach(p, "", body, maxLinesAtOnce, read), true, p.err()
}

// readInvoiceLines reads line_items in the body of a new invoice.
func readInvoiceLines(f *fields) *[]billing.LinePatch {
	v, sent := f.take("line_items")
	if !sent {
		return nil
	}
	lines := []billing.LinePatch{}
	if string(v) != "[]" {
		lines = readEach(f.problems, "line_items", v, maxLines, readNewLine)
	}
	return &lines
}

// readEach reads an array of 1 to limit objects.
func readEach[T any](p *problems, path string, v jsontext.Value, limit int, read func(f *fields, i int) T) []T {
	if kindOf(v) != '[' {
		p.add(bodyOr(path), "must be an array")
		return nil
	}
	elements := elementsOf(v, limit)
	if len(elements) == 0 || len(elements) > limit {
		p.add(bodyOr(path), "must have 1 to %d elements", limit)
		return nil
	}
	list := make([]T, 0, len(elements))
	for i, e := range elements {
		f := openObject(p, fmt.Sprintf("%s[%d]", path, i), e)
		list = append(list, read(f, i))
		f.unknown()
	}
	return list
}

func readNewLine(f *fields, _ int) billing.LinePatch {
	f.require("context_type", "sku")
	return readLine(f)
}

// readChangedLine reads a line with the uid that it acts on; i tells malformed
// ones apart.
func readChangedLine(f *fields, i int) billing.LinePatch {
	line := readLine(f)
	line.ID = readSubject(f, i)
	return line
}

// readSubject reads the uid of the thing that element i of an array acts on.
func readSubject(f *fields, i int) uid.ID {
	f.require("uid")
	text := f.text("uid", length{0, maxBody})
	if text == nil {
		return uid.ID{}
	}
	return idOrNowhere(*text, i)
}

func readLine(f *fields) billing.LinePatch {
	return billing.LinePatch{
		Type:      word(f, "context_type", billing.ParseContextType, contextWords),
		SKU:       f.text("sku", length{1, 64}),
		Quantity:  number(f, "quantity", billing.ParseQuantity),
		UnitPrice: f.cents("unit_price"),
		Currency:  readCurrency(f),
	}
}

// readIDs reads an array of 1 to limit uids that are acted on.
func readIDs(body []byte, limit int) ([]uid.ID, error) {
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	p := &problems{}
	if kindOf(body) != '[' {
		p.add("body", "must be an array of uids")
		return nil, p.err()
	}
	elements := elementsOf(body, limit)
	if len(elements) == 0 || len(elements) > limit {
		p.add("body", "must have 1 to %d elements", limit)
	}
	ids := make([]uid.ID, 0, len(elements))
	for i, e := range elements {
		text, ok := unquote(e)
		if !ok {
			p.add(fmt.Sprintf("[%d]", i), "must be a uid")
		}
		ids = append(ids, idOrNowhere(text, i))
	}
	return ids, p.err()
}
