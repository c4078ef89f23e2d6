package server_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// fullInvoice and listItem are the members of the public contract, and ours.
var (
	fullInvoice = strings.Fields(`uid invoice_number invoice_type status collection_method issue_date due_date paid_date
		subtotal_cents discount_cents tax_cents total total_cents pre_payment_credit_notes_cents amount_due_cents
		amount_paid_cents amount_remaining_cents overdue_days currency invoice_link document_uid invoice_blueprint_uid
		target_party_uid age has_comments line_items invoice_fields parties
		owner_uid organization_uid created_at updated_at available_actions`)
	listItem = strings.Fields(`uid parent_contract invoice_number subtotal_cents discount_cents tax_cents total total_cents
		pre_payment_credit_notes_cents amount_due_cents amount_paid_cents amount_remaining_cents overdue_days issue_date
		due_date paid_date document_uid status collection_method blueprint parties currency updated_at`)
	lineItem = strings.Fields(`uid invoice_uid context_type_uid context_type context_name currency quantity unit_price line_total`)
)

func sameNames(t *testing.T, what string, object map[string]any, want []string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%s has %q, want %q", what, got, want)
	}
}

const twoLines = `"line_items":[{"context_type":"PRODUCT","sku":"seat","quantity":2.5,"unit_price":101},
	{"context_type":"DISCOUNT","sku":"promo","unit_price":50}]`

func TestInvoiceIsWholeFromTheFirstAnswer(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, `"tax_cents":9,"currency":"EUR","invoice_fields":{"po":"12","n":1.50,"x":null},`+twoLines)
	sameNames(t, "an invoice", inv, fullInvoice)
	line := inv["line_items"].([]any)[0].(map[string]any)
	sameNames(t, "a line", line, lineItem)
	for name, want := range map[string]any{
		"status": "DRAFT", "invoice_number": nil, "subtotal_cents": 252.0, "discount_cents": 50.0, "tax_cents": 9.0,
		"total": 211.0, "total_cents": 211.0, "amount_due_cents": 211.0, "amount_remaining_cents": 211.0, "amount_paid_cents": 0.0,
		"issue_date": "2026-11-23T09:30:00Z", "due_date": "2026-12-23T09:30:00Z", "paid_date": nil, "currency": "EUR",
		"invoice_type": "ACCOUNTS_RECEIVABLE", "collection_method": "send_invoice", "age": 0.0, "overdue_days": 0.0,
		"has_comments": false, "invoice_link": nil, "document_uid": nil,
	} {
		if inv[name] != want {
			t.Errorf("%s = %v, want %v", name, inv[name], want)
		}
	}
	if got := fmt.Sprint(line["quantity"], line["unit_price"], line["line_total"], line["context_name"]); got != "2.5 101 252seat" {
		t.Errorf("line = %s", got)
	}
	client := inv["parties"].(map[string]any)["client"].(map[string]any)
	if client["name"] != "Client" || client["role"] != "client" || client["uid"] != inv["target_party_uid"] {
		t.Errorf("client = %v", client)
	}
	got := w.data(w.get("/api/invoices/"+inv["uid"].(string), w.acme.key), 200)
	if fmt.Sprint(got) != fmt.Sprint(inv) {
		t.Errorf("get = %v\ncreate = %v", got, inv)
	}
}

func TestListItemsAreWhole(t *testing.T) {
	w := start(t, nil)
	w.invoice(w.acme.key, `"invoice_blueprint_uid":"0190b7a0-0000-7000-8000-000000000001"`)
	items := w.data(w.get("/api/invoices", w.acme.key), 200)["items"].([]any)
	item := items[0].(map[string]any)
	sameNames(t, "a list item", item, listItem)
	if got := fmt.Sprint(item["blueprint"], item["parent_contract"]); got != "map[is_active:true] <nil>" {
		t.Errorf("blueprint, parent contract = %s", got)
	}
}

func TestUpdateChangesOnlyWhatWasSent(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, `"invoice_fields":{"a":1},"document_uid":"0190b7a0-0000-7000-8000-000000000001",`+twoLines)
	path := "/api/invoices/" + inv["uid"].(string)
	w.clock.Advance(time.Minute)
	got := w.data(w.do("PUT", path, w.acme.key, `{"tax_cents":7,"document_uid":null,"invoice_fields":null}`), 200)
	changed := map[string]any{"tax_cents": 7.0, "document_uid": nil, "total_cents": 209.0}
	for name, want := range changed {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	for _, name := range []string{"issue_date", "due_date", "currency", "line_items", "target_party_uid", "created_at"} {
		if fmt.Sprint(got[name]) != fmt.Sprint(inv[name]) {
			t.Errorf("%s = %v, was %v", name, got[name], inv[name])
		}
	}
	if len(got["invoice_fields"].([]any)) != 0 || got["updated_at"] == inv["updated_at"] {
		t.Errorf("fields = %v, updated_at = %v", got["invoice_fields"], got["updated_at"])
	}
}

func TestStatusRulesReachTheClient(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, twoLines)
	path := "/api/invoices/" + inv["uid"].(string)
	r := w.do("PUT", path, w.acme.key, `{"status":"paid"}`)
	w.refused(r, 409, "illegal_transition")
	if !strings.Contains(r.body, `"available_actions":["APPROVED","SCHEDULED","SENT","CANCELLED","DELETE"]`) {
		t.Errorf("body = %s", r.body)
	}
	sent := w.data(w.do("PUT", path, w.acme.key, `{"status":"sent"}`), 200)
	if sent["status"] != "SENT" || sent["invoice_number"] != "INV-2026-000001" {
		t.Errorf("sent = %v %v", sent["status"], sent["invoice_number"])
	}
	details := w.refused(w.do("PUT", path, w.acme.key, `{"currency":"EUR","tax_cents":1}`), 409, "invoice_locked")
	if slices.Sort(details); !slices.Equal(details, []string{"currency: no longer changes", "tax_cents: no longer changes"}) {
		t.Errorf("details = %q", details)
	}
	w.data(w.do("PUT", path, w.acme.key, `{"currency":"USD","issue_date":"2026-11-23T09:30:00Z"}`), 200)
	w.clock.Advance(31 * 24 * time.Hour)
	late := w.data(w.get(path, w.acme.key), 200)
	if late["status"] != "OVERDUE" || late["overdue_days"] != 1.0 || late["age"] != 31.0 {
		t.Errorf("late: %v, %v days, age %v", late["status"], late["overdue_days"], late["age"])
	}
	items := w.data(w.get("/api/invoices?status=overdue", w.acme.key), 200)["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["status"] != "OVERDUE" {
		t.Errorf("overdue = %v", items)
	}
}

func TestNumberIsUnique(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, `"invoice_number":"A-1"`)
	r := w.do("POST", "/api/invoices", w.acme.key, fmt.Sprintf(`{"target_party_uid":%q,"invoice_number":"A-1"}`, inv["target_party_uid"]))
	if details := w.refused(r, 409, "already_exists"); !slices.Equal(details, []string{"invoice_number: is taken"}) {
		t.Errorf("details = %q", details)
	}
}

func TestIfMatchGuardsInvoices(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, twoLines)
	path := "/api/invoices/" + inv["uid"].(string)
	tag := w.get(path, w.acme.key).header.Get("ETag")
	if len(tag) < 3 || tag[0] != '"' {
		t.Fatalf("ETag = %q", tag)
	}
	for _, wrong := range []string{`"999"`, "W/" + tag, "nonsense", `""`, `"0"`, `"18446744073709551616"`, "0" + tag, tag[1:], `"0` + tag[1:], "*, " + `"999"`} {
		w.refused(w.do("PUT", path, w.acme.key, `{"tax_cents":1}`, "If-Match", wrong), 412, "precondition_failed")
		w.refused(w.do("POST", path+"/line_items", w.acme.key, `{"context_type":"PRODUCT","sku":"a","unit_price":1}`, "If-Match", wrong), 412, "precondition_failed")
	}
	if got := w.get(path, w.acme.key); got.header.Get("ETag") != tag || w.data(got, 200)["tax_cents"] != 0.0 {
		t.Error("a refused change changed something")
	}
	r := w.do("PUT", path, w.acme.key, `{"tax_cents":1}`, "If-Match", `"0", W/"7"`, "If-Match", tag)
	w.data(r, 200)
	next := r.header.Get("ETag")
	if next == tag {
		t.Error("the ETag stayed")
	}
	w.refused(w.do("PUT", path, w.acme.key, `{"tax_cents":2}`, "If-Match", tag), 412, "precondition_failed")
	w.data(w.do("PUT", path, w.acme.key, `{"tax_cents":2}`, "If-Match", "*"), 200)
	line := w.data(w.get(path, w.acme.key), 200)["line_items"].([]any)[1].(map[string]any)["uid"]
	before := w.get(path, w.acme.key).header.Get("ETag")
	w.data(w.do("DELETE", path+"/line_items", w.acme.key, fmt.Sprintf(`[%q]`, line), "If-Match", before), 200)
	if after := w.get(path, w.acme.key).header.Get("ETag"); after == before {
		t.Error("the ETag does not move with lines")
	}
	w.clock.Advance(90 * 24 * time.Hour)
	before = w.get(path, w.acme.key).header.Get("ETag")
	w.clock.Advance(90 * 24 * time.Hour)
	if after := w.get(path, w.acme.key).header.Get("ETag"); after != before {
		t.Error("the ETag moves with the clock")
	}
}

func TestPagesTellWhereTheyStand(t *testing.T) {
	w := start(t, nil)
	for i := range 5 {
		w.invoice(w.acme.key, fmt.Sprintf(`"invoice_number":"N-%d","tax_cents":%d`, i, i))
		w.clock.Advance(time.Second)
	}
	for query, want := range map[string]string{
		"?per_page=2":                          "N-4 N-3 | 1 2 3 5 | /api/invoices?per_page=2 /api/invoices?per_page=2&page=2 <nil>",
		"?per_page=2&page=2&sort=+total":       "N-2 N-3 | 2 2 3 5 | /api/invoices?per_page=2&page=2&sort=%20total /api/invoices?per_page=2&page=3&sort=%20total /api/invoices?per_page=2&page=1&sort=%20total",
		"?page=3&per_page=2":                   "N-0 | 3 2 3 5 | /api/invoices?page=3&per_page=2 <nil> /api/invoices?page=2&per_page=2",
		"?page=9&per_page=2":                   " | 9 2 3 5 | /api/invoices?page=9&per_page=2 <nil> /api/invoices?page=3&per_page=2",
		"?invoice_number=nope":                 " | 1 10 0 0 | /api/invoices?invoice_number=nope <nil> <nil>",
		"?total_from=1&total_to=2&sort=-total": "N-2 N-1 | 1 10 1 2 | /api/invoices?total_from=1&total_to=2&sort=-total <nil> <nil>",
		"?updated_since=2026-11-23T09:30:03Z":  "N-4 N-3 | 1 10 1 2 | /api/invoices?updated_since=2026-11-23T09%3A30%3A03Z <nil> <nil>",
		"?status=draft,SENT&per_page=1":        "N-4 | 1 1 5 5 | /api/invoices?status=draft%2CSENT&per_page=1 /api/invoices?status=draft%2CSENT&per_page=1&page=2 <nil>",
	} {
		data := w.data(w.get("/api/invoices"+query, w.acme.key), 200)
		var numbers []string
		for _, item := range data["items"].([]any) {
			numbers = append(numbers, item.(map[string]any)["invoice_number"].(string))
		}
		meta, links := data["_meta"].(map[string]any), data["_links"].(map[string]any)
		got := fmt.Sprintf("%s | %v %v %v %v | %v %v %v", strings.Join(numbers, " "), meta["page"], meta["per_page"],
			meta["total_pages"], meta["total_items"], links["self"], links["next"], links["prev"])
		if got != want {
			t.Errorf("%s:\n%s, want\n%s", query, got, want)
		}
		if self := links["self"].(string); w.get(self, w.acme.key).status != 200 {
			t.Errorf("self link %s does not work", self)
		}
	}
}

func TestUnknownFiltersAreRefused(t *testing.T) {
	w := start(t, nil)
	for _, query := range []string{"organization_uid=x", "Status=SENT", "limit=5", "status[]=SENT", "%00=1", "status%00=SENT"} {
		if details := w.refused(w.get("/api/invoices?"+query, w.acme.key), 422, "invalid"); len(details) != 1 {
			t.Errorf("%s: %q", query, details)
		}
	}
}

// A number is found by every spelling that is kept as the same one.
func TestNumberIsFoundAsItIsKept(t *testing.T) {
	w := start(t, nil)
	w.invoice(w.acme.key, `"invoice_number":"Cafe\u0301 1"`)
	for _, spelling := range []string{"Caf%C3%A9%201", "Cafe%CC%81%201", "%20Caf%C3%A9%201%20"} {
		data := w.data(w.get("/api/invoices?invoice_number="+spelling, w.acme.key), 200)
		if n := len(data["items"].([]any)); n != 1 {
			t.Errorf("%s finds %d invoices", spelling, n)
		}
	}
	for _, nothing := range []string{"%20", "%E2%80%AE"} {
		w.refused(w.get("/api/invoices?invoice_number="+nothing, w.acme.key), 422, "invalid")
	}
}
