package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// sent is the path of an invoice over so many cents that has been sent.
func (w *world) sent(key string, total int) (path string) {
	w.tb.Helper()
	inv := w.invoice(key, fmt.Sprintf(`"currency":"EUR","status":"SENT","line_items":[{"context_type":"PRODUCT","sku":"work","unit_price":%d}]`, total))
	return "/api/invoices/" + inv["uid"].(string)
}

func TestPaymentIsRecordedAndMovesTheInvoice(t *testing.T) {
	w := start(t, nil)
	path := w.sent(w.acme.key, 1000)
	r := w.do("POST", path+"/payments", w.acme.key, `{"amount_cents":400,"paid_at":"2026-11-20","reference":" wire 7 "}`)
	p := w.data(r, 201)
	sameNames(t, "a payment", p, strings.Fields("uid invoice_uid amount_cents currency paid_at reference created_at"))
	if "/api/invoices/"+p["invoice_uid"].(string) != path || p["amount_cents"] != 400.0 || p["currency"] != "EUR" ||
		p["paid_at"] != "2026-11-20T00:00:00Z" || p["reference"] != "wire 7" || p["created_at"] != "2026-11-23T09:30:00Z" {
		t.Errorf("payment = %v", p)
	}
	shown := w.get(path, w.acme.key)
	if inv := w.data(shown, 200); inv["status"] != "PARTIALLY_PAID" || inv["amount_paid_cents"] != 400.0 || shown.header.Get("ETag") != r.header.Get("ETag") {
		t.Errorf("the invoice is %v with ETag %s, want %s", inv, shown.header.Get("ETag"), r.header.Get("ETag"))
	}
	w.refused(w.do("POST", path+"/payments", w.acme.key, `{"amount_cents":1}`, "If-Match", `"1"`), 412, "precondition_failed")
	w.clock.Advance(time.Minute)
	p = w.data(w.do("POST", path+"/payments", w.acme.key, `{"amount_cents":600,"reference":null}`, "If-Match", shown.header.Get("ETag")), 201)
	if p["reference"] != nil || p["paid_at"] != "2026-11-23T09:31:00Z" {
		t.Errorf("payment = %v", p)
	}
	if inv := w.data(w.get(path, w.acme.key), 200); inv["status"] != "PAID" || inv["amount_remaining_cents"] != 0.0 || inv["paid_date"] != "2026-11-23T09:31:00Z" {
		t.Errorf("the invoice is %v", inv)
	}
}

func TestPaymentsAreListedInTheOrderOfRecording(t *testing.T) {
	w := start(t, nil)
	path := w.sent(w.acme.key, 100) + "/payments"
	none := w.data(w.get(path, w.acme.key), 200)
	if meta := none["_meta"].(map[string]any); len(none["items"].([]any)) != 0 || meta["total_pages"] != 0.0 {
		t.Errorf("before any: %v", none)
	}
	for cents := range 5 { // the later ones came in earlier
		body := fmt.Sprintf(`{"amount_cents":%d,"paid_at":"2026-11-%d"}`, cents+1, 20-cents)
		w.data(w.do("POST", path, w.acme.key, body), 201)
	}
	for query, want := range map[string]string{"": "[1 2 3 4 5]", "?per_page=2": "[1 2]", "?per_page=2&page=3": "[5]", "?per_page=2&page=4": "[]",
		"?page=1000000000&per_page=100": "[]"} {
		data := w.data(w.get(path+query, w.acme.key), 200)
		amounts := []any{}
		for _, item := range data["items"].([]any) {
			amounts = append(amounts, item.(map[string]any)["amount_cents"])
		}
		if fmt.Sprint(amounts) != want || data["_meta"].(map[string]any)["total_items"] != 5.0 {
			t.Errorf("%s: %v of %v, want %s", query, amounts, data["_meta"], want)
		}
	}
	links := w.data(w.get(path+"?page=2&per_page=2", w.acme.key), 200)["_links"].(map[string]any)
	if links["self"] != path+"?page=2&per_page=2" || links["next"] != path+"?page=3&per_page=2" || links["prev"] != path+"?page=1&per_page=2" {
		t.Errorf("links = %v", links)
	}
	if details := w.refused(w.get(path+"?sort=paid_at", w.acme.key), 422, "invalid"); !slices.Equal(details, []string{"sort: is not a known parameter"}) {
		t.Errorf("details = %q", details)
	}
}

func TestBadPaymentsAreRefused(t *testing.T) {
	w := start(t, nil)
	path := w.sent(w.acme.key, 100)
	for body, want := range map[string]string{
		`{}`:                                  "amount_cents: is required",
		`{"amount_cents":0}`:                  "amount_cents: must be 1 to 9007199254740991",
		`{"amount_cents":-5}`:                 "amount_cents: must be 1 to 9007199254740991",
		`{"amount_cents":1.0}`:                "amount_cents: must be an integer",
		`{"amount_cents":"1"}`:                "amount_cents: must be an integer",
		`{"amount_cents":null}`:               "amount_cents: must be an integer",
		`{"amount_cents":101}`:                "amount_cents: is more than the 100 that remain",
		`{"amount_cents":1,"paid_at":"soon"}`: "paid_at: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		`{"amount_cents":1,"paid_at":null}`:   "paid_at: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		`{"amount_cents":1,"reference":7}`:    "reference: must be a string",
		`{"amount_cents":1,"currency":"USD"}`: "currency: is not known here",
		`[{"amount_cents":1}]`:                "body: must be an object",
		`{"amount_cents":1,"reference":"` + strings.Repeat("é", 201) + `"}`: "reference: must have 0 to 200 characters",
	} {
		if details := w.refused(w.do("POST", path+"/payments", w.acme.key, body), 422, "invalid"); !slices.Equal(details, []string{want}) {
			t.Errorf("%.60s: details = %q, want %q", body, details, want)
		}
	}
	w.refused(w.do("POST", path+"/payments", w.acme.key, `{"amount_cents":1`), 400, "malformed_json")
	if inv := w.data(w.get(path, w.acme.key), 200); inv["amount_paid_cents"] != 0.0 {
		t.Errorf("a refused payment was taken: %v", inv)
	}
	draft := "/api/invoices/" + w.invoice(w.acme.key, `"tax_cents":5`)["uid"].(string)
	r := w.do("POST", draft+"/payments", w.acme.key, `{"amount_cents":5}`)
	w.refused(r, 409, "illegal_transition")
	if !strings.Contains(r.body, `"available_actions":["APPROVED","SCHEDULED","SENT","CANCELLED","DELETE"]`) {
		t.Errorf("the answer names no actions: %s", r.body)
	}
}
