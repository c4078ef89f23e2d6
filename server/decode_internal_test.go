package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"exante/storage/billing"
	"exante/storage/input"
)

func TestOnlyOneWholeJSONTextIsRead(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ name, body, reason string }{
		{"empty", "", "is empty"},
		{"blank", " \r\n\t", "is empty"},
		{"byte order mark", "\ufeff{}", "starts with a byte order mark"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "is not valid UTF-8"},
		{"raw NUL", "{\"a\":\"\x00\"}", "contains NUL"},
		{"escaped NUL", `{"a":"x\u0000"}`, "contains NUL"},
		{"escaped NUL in a name", `{"\u0000":1}`, "contains NUL"},
		{"lone surrogate", `{"a":"\ud800"}`, "is not JSON"},
		{"control character", "{\"a\":\"\x01\"}", "is not JSON"},
		{"trailing value", `{}{}`, "has data after the value"},
		{"trailing garbage", `{}x`, "has data after the value"},
		{"trailing comma", `{"a":1,}`, "is not JSON"},
		{"cut off", `{"a":`, "is not JSON"},
		{"form", `name=x`, "is not JSON"},
		{"single quotes", `{'a':1}`, "is not JSON"},
		{"comment", `{}//x`, "has data after the value"},
		{"NaN", `{"a":NaN}`, "is not JSON"},
		{"leading zero", `{"a":01}`, "is not JSON"},
		{"twice", `{"a":1,"a":2}`, "names a member of an object twice"},
		{"twice, escaped", `{"a":1,"\u0061":2}`, "names a member of an object twice"},
		{"twice, deep", `{"a":[{"b":1,"b":1}]}`, "names a member of an object twice"},
		{"33 levels", deep(33), "is nested deeper than 32 levels"},
		{"12,000 levels", deep(12_000), "is nested deeper than 32 levels"},
		{"32 levels", deep(32), ""},
		{"escaped backslash before u0000", `{"a":"\\u0000"}`, ""},
		{"surrounding blanks", " {} \n", ""},
		{"a lone string is JSON too", `"x"`, ""},
	} {
		err := checkJSON([]byte(c.body))
		if c.reason == "" {
			if err != nil {
				t.Errorf("%s: checkJSON = %v, want nil", c.name, err)
			}
			continue
		}
		var malformed *malformedError
		if !errors.As(err, &malformed) || malformed.reason != c.reason || !errors.Is(err, errMalformed) {
			t.Errorf("%s: checkJSON = %v, want %q", c.name, err, c.reason)
		}
	}
}

// problemsOf are the details that a client would read.
func problemsOf(err error) []string {
	var invalid *input.InvalidError
	if !errors.As(err, &invalid) {
		return nil
	}
	return texts(invalid.Problems)
}

func TestEveryBadFieldIsNamedAtOnce(t *testing.T) {
	body := `{"target_party_uid":"nope","document_uid":7,"issue_date":"yesterday","due_date":"2026-13-01",
		"invoice_number":"","status":"LATE","currency":"usd","collection_method":null,"invoice_fields":[],
		"tax_cents":1.0,"invoice_type":"OTHER","line_items":[{"context_type":"GIFT","quantity":"2","unit_price":-1},7],
		"organization_uid":"x","total\n":1}`
	_, err := readInvoice([]byte(body), true)
	want := []string{
		"target_party_uid: must be a uid",
		"document_uid: must be a uid",
		"issue_date: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		"due_date: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		"invoice_number: must not be empty",
		"status: must be one of DRAFT, APPROVED, SCHEDULED, SENT, OVERDUE, PARTIALLY_PAID, PAID, DISPUTED, VOID, CANCELLED",
		"currency: must be one of the upper-case codes of ISO 4217",
		"collection_method: must be a string",
		"invoice_fields: must be an object",
		"tax_cents: must be an integer",
		"invoice_type: must be one of ACCOUNTS_RECEIVABLE, ACCOUNTS_PAYABLE",
		"line_items[0].sku: is required",
		"line_items[0].context_type: must be one of PRODUCT, DISCOUNT",
		"line_items[0].quantity: must be a number",
		"line_items[0].unit_price: must be 0 to 9007199254740991",
		"line_items[1]: must be an object",
		"organization_uid: is not known here",
		`"total\n": is not known here`,
	}
	if got := problemsOf(err); !slices.Equal(got, want) {
		t.Errorf("problems = %q\nwant %q", got, want)
	}
}

func TestUpdateTakesOnlyWhatMayChange(t *testing.T) {
	_, err := readInvoice([]byte(`{"owner_uid":"x","invoice_type":"ACCOUNTS_PAYABLE","line_items":[],"uid":"x"}`), false)
	want := []string{
		"owner_uid: is set at creation",
		"invoice_type: is set at creation",
		"line_items: have routes of their own: /api/invoices/{uid}/line_items",
		"uid: is not known here",
	}
	if got := problemsOf(err); !slices.Equal(got, want) {
		t.Errorf("problems = %q, want %q", got, want)
	}
}

func TestNullClearsWhatMayBeAbsent(t *testing.T) {
	p, err := readInvoice([]byte(`{"document_uid":null,"invoice_blueprint_uid":null,"invoice_number":null,"paid_date":null,"invoice_fields":null}`), false)
	if err != nil {
		t.Fatal(err)
	}
	if !p.DocumentID.IsZero() || !p.BlueprintID.IsZero() || *p.Number != "" || !p.PaidDate.IsZero() || len(*p.Fields) != 0 {
		t.Errorf("null did not clear: %+v", p)
	}
	for _, name := range []string{"target_party_uid", "issue_date", "due_date", "status", "currency", "collection_method", "tax_cents"} {
		_, err := readInvoice(fmt.Appendf(nil, `{%q:null}`, name), false)
		if got := problemsOf(err); len(got) != 1 || !strings.HasPrefix(got[0], name+": must be ") {
			t.Errorf("%s null: problems = %q", name, got)
		}
	}
	party, err := readParty([]byte(`{"billing_contact":null,"address":null}`), false)
	if err != nil || *party.Contact != nil || *party.Address != "" || party.Name != nil {
		t.Errorf("party = %+v, %v", party, err)
	}
}

func TestIntegersAreDigits(t *testing.T) {
	for text, want := range map[string]string{
		`0`: "", `9007199254740991`: "", `-0`: "",
		`1.0`: "must be an integer", `1e3`: "must be an integer", `"30"`: "must be an integer", `true`: "must be an integer",
		`null`: "must be an integer", `[1]`: "must be an integer", `{}`: "must be an integer",
		`-1`: "must be 0 to 9007199254740991", `9007199254740992`: "must be 0 to 9007199254740991",
		`9223372036854775808`: "must be 0 to 9007199254740991", `1` + strings.Repeat("0", 400): "must be 0 to 9007199254740991",
	} {
		f, err := readObject([]byte(`{"n":` + text + `}`))
		if err != nil {
			t.Fatal(err)
		}
		f.cents("n")
		got := problemsOf(f.done())
		if want == "" && got != nil || want != "" && (len(got) != 1 || got[0] != "n: "+want) {
			t.Errorf("%s: problems = %q, want %q", text, got, want)
		}
	}
}

func TestQuantityNeverPassesThroughAFloat(t *testing.T) {
	line := func(quantity string) (billing.LinePatch, error) {
		lines, _, err := readLines([]byte(`{"context_type":"PRODUCT","sku":"a","quantity":`+quantity+`}`), readNewLine)
		if err != nil {
			return billing.LinePatch{}, err
		}
		return lines[0], nil
	}
	got, err := line("9007199254.740993")
	if err != nil || *got.Quantity != 9007199254740993 {
		t.Errorf("quantity = %v, %v, want 9007199254740993 millionths", got.Quantity, err)
	}
	for _, bad := range []string{"-1", "0.0000001", "1e300"} {
		_, err := line(bad)
		if p := problemsOf(err); len(p) != 1 || !strings.HasPrefix(p[0], "quantity: must be at least 0") {
			t.Errorf("%s: problems = %q", bad, p)
		}
	}
}

func TestArraysHaveBounds(t *testing.T) {
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"context_type":"PRODUCT","sku":"a"},`, 101), ",") + "]"
	for body, want := range map[string]string{
		"[]":   "body: must have 1 to 100 elements",
		many:   "body: must have 1 to 100 elements",
		"7":    "body: must be an object",
		"null": "body: must be an object",
		"[[]]": "[0]: must be an object",
	} {
		_, _, err := readLines([]byte(body), readNewLine)
		if got := problemsOf(err); len(got) == 0 || got[0] != want {
			t.Errorf("readLines(%.20s) = %q, want %q", body, got, want)
		}
	}
	for body, want := range map[string]string{
		"[]":       "body: must have 1 to 3 elements",
		"[1,2]":    "[0]: must be a uid",
		`["a",{}]`: "[1]: must be a uid",
		"{}":       "body: must be an array of uids",
	} {
		_, err := readIDs([]byte(body), 3)
		if got := problemsOf(err); len(got) == 0 || got[0] != want {
			t.Errorf("readIDs(%s) = %q, want %q", body, got, want)
		}
	}
}

func TestMalformedIDsNameNothing(t *testing.T) {
	ids, err := readIDs([]byte(`["x","y","0190b7a0-0000-7000-8000-000000000001"]`), 10)
	if err != nil {
		t.Fatal(err)
	}
	if ids[0] == ids[1] || ids[0].IsZero() || ids[2].String() != "0190b7a0-0000-7000-8000-000000000001" {
		t.Errorf("ids = %v", ids)
	}
}

func TestReportsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("{")
	for i := range 50_000 {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	b.WriteString(`"z":0}`)
	_, err := readParty([]byte(b.String()), true)
	if got := problemsOf(err); len(got) != maxProblems || got[0] != "body: has more than 256 members" {
		t.Errorf("%d problems, first %q", len(got), got[0])
	}
	_, err = readParty([]byte(`{"name":"a","`+strings.Repeat("n", 100_000)+`":1}`), true)
	if got := problemsOf(err); len(got) != 1 || len(got[0]) > 100 {
		t.Errorf("problems = %.200q", got)
	}
}

func TestInvoiceFieldsKeepTheirText(t *testing.T) {
	p, err := readInvoice([]byte(`{"invoice_fields":{"po":" 12\u00e9 ","n":1.50,"big":12345678901234567890,"o":{ "b": [1, 2] },"x":null}}`), false)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`po=" 12é "`, "n=1.50", "big=12345678901234567890", `o={"b":[1,2]}`, "x=null"}
	var got []string
	for _, f := range *p.Fields {
		got = append(got, f.Key+"="+string(f.JSON))
	}
	if !slices.Equal(got, want) {
		t.Errorf("fields = %q, want %q", got, want)
	}
}

func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{}`, `[{"uid":"x","quantity":1.5}]`, `{"name":"a","billing_contact":{"name":"b"}}`,
		`{"invoice_fields":{"a":[1,{"b":null}]},"line_items":[{"context_type":"DISCOUNT","sku":"s","unit_price":1}]}`,
		`["0190b7a0-0000-7000-8000-000000000001"]`, `{"a":"\u0000"}`, "\ufeff{}", `{"due_date":"2026-11-23T00:00:00+01:00"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		well := checkJSON(body) == nil
		if well && !jsontext.Value(body).IsValid() {
			t.Errorf("checkJSON passed %q, which is not JSON", body)
		}
		readers := map[string]error{}
		_, readers["invoice"] = readInvoice(body, true)
		_, readers["change"] = readInvoice(body, false)
		_, readers["party"] = readParty(body, true)
		_, _, readers["lines"] = readLines(body, readChangedLine)
		_, readers["ids"] = readIDs(body, 100)
		for name, err := range readers {
			if err != nil && !errors.Is(err, input.ErrInvalid) && !errors.Is(err, errMalformed) {
				t.Errorf("%s: %v has no row", name, err)
			}
			if !well && !errors.Is(err, errMalformed) {
				t.Errorf("%s took %q", name, body)
			}
			if got := problemsOf(err); len(got) > maxProblems {
				t.Errorf("%s: %d problems", name, len(got))
			}
		}
	})
}
