package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLinesAreAddedOneOrMany(t *testing.T) {
	w := start(t, nil)
	path := "/api/invoices/" + w.invoice(w.acme.key, "")["uid"].(string)
	r := w.do("POST", path+"/line_items", w.acme.key, `{"context_type":"PRODUCT","sku":"seat","quantity":0.333333,"unit_price":100}`)
	line := w.data(r, 201)
	sameNames(t, "a line", line, lineItem)
	if line["line_total"] != 33.0 || line["quantity"] != 0.333333 || r.header.Get("ETag") == "" {
		t.Errorf("line = %v", line)
	}
	r = w.do("POST", path+"/line_items", w.acme.key, `[{"context_type":"PRODUCT","sku":"seat"},{"context_type":"DISCOUNT","sku":"promo","unit_price":5}]`)
	var many struct{ Data []map[string]any }
	if err := json.Unmarshal([]byte(r.body), &many); err != nil || r.status != 201 || len(many.Data) != 2 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if many.Data[0]["unit_price"] != 100.0 || many.Data[0]["context_type_uid"] != line["context_type_uid"] {
		t.Errorf("the remembered price: %v", many.Data[0])
	}
	inv := w.data(w.get(path, w.acme.key), 200)
	if inv["total_cents"] != 128.0 || len(inv["line_items"].([]any)) != 3 {
		t.Errorf("total = %v of %v", inv["total_cents"], inv["line_items"])
	}
}

func TestLinesChangeAndGo(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, twoLines)
	path := "/api/invoices/" + inv["uid"].(string)
	uid := inv["line_items"].([]any)[0].(map[string]any)["uid"].(string)
	r := w.do("PUT", path+"/line_items", w.acme.key, fmt.Sprintf(`{"uid":%q,"quantity":4}`, uid))
	if line := w.data(r, 200); line["line_total"] != 404.0 || line["unit_price"] != 101.0 {
		t.Errorf("line = %v", line)
	}
	uid = inv["line_items"].([]any)[1].(map[string]any)["uid"].(string)
	r = w.do("DELETE", path+"/line_items", w.acme.key, fmt.Sprintf(`[%q]`, uid))
	if want := `{"status":"success","status_code":200,"message":"Line items deleted","data":{}}`; r.status != 200 || r.body != want {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.refused(w.do("DELETE", path+"/line_items", w.acme.key, fmt.Sprintf(`[%q]`, uid)), 404, "not_found")
}

func TestMissingLinesAreNamedByTheirPlace(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, twoLines)
	other := w.invoice(w.acme.key, twoLines)
	path := "/api/invoices/" + inv["uid"].(string) + "/line_items"
	lineOf := func(inv map[string]any) string { return inv["line_items"].([]any)[0].(map[string]any)["uid"].(string) }
	good, elsewhere := lineOf(inv), lineOf(other)
	want := []string{"[0]: not found", "[2]: not found", "[3]: not found", "[4]: not found"}
	body := fmt.Sprintf(`["nope",%q,%q,"nada",%q]`, good, absent, elsewhere)
	if details := w.refused(w.do("DELETE", path, w.acme.key, body), 404, "not_found"); !slices.Equal(details, want) {
		t.Errorf("details = %q", details)
	}
	body = fmt.Sprintf(`[{"uid":"nope"},{"uid":%q,"quantity":9},{"uid":%q},{"uid":"nada"},{"uid":%q}]`, good, absent, elsewhere)
	if details := w.refused(w.do("PUT", path, w.acme.key, body), 404, "not_found"); !slices.Equal(details, want) {
		t.Errorf("details = %q", details)
	}
	if got := w.data(w.get("/api/invoices/"+inv["uid"].(string), w.acme.key), 200); fmt.Sprint(got["line_items"]) != fmt.Sprint(inv["line_items"]) {
		t.Error("a refused call changed something")
	}
	r := w.do("DELETE", path, w.acme.key, fmt.Sprintf(`[%q,%q]`, good, good))
	w.refused(r, 422, "invalid")
}

func TestBadLinesAreRefused(t *testing.T) {
	w := start(t, nil)
	path := "/api/invoices/" + w.invoice(w.acme.key, twoLines)["uid"].(string) + "/line_items"
	for body, want := range map[string]string{
		`{"context_type":"PRODUCT","sku":"s","unit_price":1,"line_total":5}`:       "line_total: is not known here",
		`[{"context_type":"PRODUCT","sku":"s","unit_price":1},{"sku":"s"}]`:        "[1].context_type: is required",
		`{"context_type":"product","sku":"s","unit_price":1}`:                      "context_type: must be one of PRODUCT, DISCOUNT",
		`{"context_type":"PRODUCT","sku":"s","unit_price":1,"uid":"x"}`:            "uid: is not known here",
		`{"context_type":"PRODUCT","sku":"s","unit_price":1,"quantity":0.0000001}`: "quantity: must be at least 0 and have at most 6 decimals",
	} {
		if details := w.refused(w.do("POST", path, w.acme.key, body), 422, "invalid"); !slices.Contains(details, want) {
			t.Errorf("%s: details = %q, want %q", body, details, want)
		}
	}
	w.refused(w.do("POST", path, w.acme.key, `{"context_type":"PRODUCT","sku":"never seen"}`), 422, "invalid")
	w.refused(w.do("PUT", path, w.acme.key, `{"quantity":1}`), 422, "invalid")
	w.refused(w.do("DELETE", path, w.acme.key, ""), 400, "malformed_json")
	w.refused(w.do("POST", path, w.acme.key, "", "Content-Type", "text/plain"), 400, "malformed_json")
	w.refused(w.do("DELETE", path, w.acme.key, " "), 400, "malformed_json")
}

// One object is not told of an array it did not send.
func TestOneLineIsNotCalledAnElement(t *testing.T) {
	w := start(t, nil)
	path := "/api/invoices/" + w.invoice(w.acme.key, "")["uid"].(string) + "/line_items"
	for _, c := range []struct {
		method, body string
		status       int
		code, detail string
	}{
		{"POST", `{"context_type":"PRODUCT","sku":"never priced"}`, 422, "invalid", "unit_price: "},
		{"PUT", fmt.Sprintf(`{"uid":%q,"quantity":2}`, absent), 404, "not_found", "uid: not found"},
		{"POST", `[{"context_type":"PRODUCT","sku":"never priced"}]`, 422, "invalid", "[0].unit_price: "},
	} {
		details := w.refused(w.do(c.method, path, w.acme.key, c.body), c.status, c.code)
		if len(details) != 1 || !strings.HasPrefix(details[0], c.detail) {
			t.Errorf("%s %s: details = %q, want %q", c.method, c.body, details, c.detail)
		}
	}
}

// An invoice may have 1,000 lines, even if each is new to the catalogue.
func TestThousandNewItemsFitOneInvoice(t *testing.T) {
	w := start(t, nil)
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, `,{"context_type":"PRODUCT","sku":"item %d","unit_price":%d}`, i, i)
	}
	inv := w.invoice(w.acme.key, `"line_items":[`+lines.String()[1:]+`]`)
	if inv["total_cents"] != 499500.0 {
		t.Errorf("total = %v", inv["total_cents"])
	}
	changed := w.data(w.do("PUT", "/api/invoices/"+inv["uid"].(string), w.acme.key, `{"currency":"EUR"}`), 200)
	if lines := changed["line_items"].([]any); len(lines) != 1000 || changed["currency"] != "EUR" {
		t.Errorf("%d lines in %v", len(lines), changed["currency"])
	}
}
