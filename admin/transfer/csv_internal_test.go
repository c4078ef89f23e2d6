package transfer

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"exante/server"
	"exante/storage/input"
)

func objectOf(t *testing.T, head, row string) (string, error) {
	t.Helper()
	r, err := readHead([]byte(head))
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.object([]byte(row))
	if err == nil && !json.Valid(text) {
		t.Errorf("%q became %s, which is no JSON", row, text)
	}
	return string(text), err
}

func TestRowBecomesTheObjectThatItStandsFor(t *testing.T) {
	for _, c := range []struct{ head, row, want string }{
		{"invoice_number,status", "A-1,SENT", `{"invoice_number":"A-1","status":"SENT"}`},
		{"invoice_number,status", ",", `{}`},
		{"client_name,client_address,contact_name,contact_email", "Globex,\"a\nb\",Ann,a@b.c",
			`{"party":{"name":"Globex","address":"a\u000ab","billing_contact":{"name":"Ann","email":"a@b.c"}}}`},
		{"sku,quantity,unit_price,tax_cents", "hour,2.5,100,19", `{"tax_cents":19,"line_items":[{"sku":"hour","quantity":2.5,"unit_price":100,"context_type":"PRODUCT"}]}`},
		{"sku,context_type,subtotal_cents", "r,DISCOUNT,5", `{"subtotal_cents":5,"line_items":[{"sku":"r","context_type":"DISCOUNT"}]}`},
		{"subtotal_cents,discount_cents,tax_cents,total_cents", "100,10,5,95",
			`{"subtotal_cents":100,"discount_cents":10,"tax_cents":5,"total_cents":95,"line_items":[{"context_type":"PRODUCT","sku":"subtotal","unit_price":100},{"context_type":"DISCOUNT","sku":"discount","unit_price":10}]}`},
		{"tax_cents,total_cents", "5,95", `{"tax_cents":5,"total_cents":95,"line_items":[{"context_type":"PRODUCT","sku":"subtotal","unit_price":90}]}`},
		{"tax_cents", "ten", `{"tax_cents":"ten"}`}, // for the reader to refuse
		{"tax_cents", "007", `{"tax_cents":"007"}`},
		{"tax_cents", "1e3", `{"tax_cents":"1e3"}`},
		{"uid,client_uid,overdue_days", "a,b,c", `{}`},
		{"client_name", "'=HYPERLINK(1)", `{"party":{"name":"=HYPERLINK(1)"}}`},
		{"client_name", "''=x", `{"party":{"name":"'=x"}}`},
		{"client_name", "'s-Gravenhage", `{"party":{"name":"'s-Gravenhage"}}`},
		{"client_name", `"say ""hi"", \o/"`, `{"party":{"name":"say \"hi\", \\o/"}}`},
		{"invoice_number", "a\x00b", `{"invoice_number":"a\u0000b"}`}, // for the reader to refuse
	} {
		if got, err := objectOf(t, c.head, c.row); err != nil || got != c.want {
			t.Errorf("%s / %q: %s, %v\nwant %s", c.head, c.row, got, err, c.want)
		}
	}
}

func TestBrokenRowIsRefused(t *testing.T) {
	for row, want := range map[string]string{
		"a":                                  "row: has 1 cells, the header line has 2",
		"a,b,c":                              "row: has 3 cells, the header line has 2",
		`a"b,c`:                              "row: has a quote in a cell that is not quoted",
		`"a`:                                 "row: has a quoted cell that does not end",
		`"a"b,c`:                             "row: has something between a quoted cell and the comma",
		"a,\xff":                             "row: is not valid UTF-8",
		`"a` + strings.Repeat(`""`, 500_000): "row: has a quoted cell that does not end",
	} {
		_, err := objectOf(t, "invoice_number,status", row)
		var invalid *input.InvalidError
		if !errors.As(err, &invalid) || invalid.Problems[0].String() != want {
			t.Errorf("%.20q: %v, want %s", row, err, want)
		}
	}
	for head, want := range map[string]string{
		"colour": `header line: has an unknown column, "colour"`, "status,status": "header line: has column status twice",
		`"status`: "header line: has a quoted cell that does not end", "": `header line: has an unknown column, ""`,
	} {
		_, err := readHead([]byte(head))
		var invalid *input.InvalidError
		if !errors.As(err, &invalid) || invalid.Problems[0].String() != want {
			t.Errorf("%q: %v, want %s", head, err, want)
		}
	}
}

// The header line of an export can be read, with the mark that Excel puts before it.
func TestEveryColumnOfAnExportIsKnown(t *testing.T) {
	head, _ := server.Wire{}.Export("csv")
	r, err := readHead([]byte("\ufeff" + strings.TrimRight(string(head), "\r\n")))
	if err != nil || len(r.columns) < 20 {
		t.Errorf("%d columns, %v", len(r.columns), err)
	}
}

func FuzzRow(f *testing.F) {
	f.Add("a,b")
	f.Add("\"a\"\"b\",\"\n\"")
	f.Add("'=1,\"")
	f.Fuzz(func(t *testing.T, row string) {
		cells, reason := splitRow([]byte(row))
		if reason == "" && !strings.ContainsAny(row, "\r\n") && row != "" {
			std, err := csv.NewReader(strings.NewReader(row)).Read()
			if err != nil || !slices.Equal(std, cells) {
				t.Errorf("%q: %q, encoding/csv says %q, %v", row, cells, std, err)
			}
		}
		r, _ := readHead([]byte("invoice_number,client_name"))
		if text, err := r.object([]byte(row)); err == nil && !json.Valid(text) {
			t.Errorf("%q became %s", row, text)
		}
	})
}
