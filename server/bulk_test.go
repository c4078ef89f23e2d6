package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// list is the data of a success that is an array of objects.
func (w *world) list(r reply, status int) []map[string]any {
	w.tb.Helper()
	var envelope struct {
		Message string
		Data    []map[string]any
	}
	if err := json.Unmarshal([]byte(r.body), &envelope); err != nil || r.status != status {
		w.tb.Fatalf("%d %s (%v), want a list with %d", r.status, r.body, err, status)
	}
	return envelope.Data
}

func TestBulkUpdateAnswersFullInvoicesInTheOrderAsked(t *testing.T) {
	w := start(t, nil)
	first, second := w.invoice(w.acme.key, twoLines), w.invoice(w.acme.key, "")
	r := w.do("PUT", "/api/invoices", w.acme.key, fmt.Sprintf(`[{"uid":%q,"due_date":"2027-01-31"},{"uid":%q,"status":"sent"}]`, second["uid"], first["uid"]))
	got := w.list(r, 200)
	if len(got) != 2 || got[0]["uid"] != second["uid"] || got[1]["uid"] != first["uid"] || !strings.Contains(r.body, `"Successfully updated 2 invoice(s)"`) {
		t.Fatalf("answer = %s", r.body)
	}
	for _, inv := range got {
		sameNames(t, "an invoice", inv, fullInvoice)
	}
	if got[0]["due_date"] != "2027-01-31T00:00:00Z" || got[1]["status"] != "SENT" {
		t.Errorf("due_date = %v, status = %v", got[0]["due_date"], got[1]["status"])
	}
}

func TestBulkCallsAreAllOrNothingAndNameEachBadElement(t *testing.T) {
	w := start(t, nil)
	draft, sent := w.invoice(w.acme.key, ""), w.invoice(w.acme.key, `"status":"SENT"`)
	foreign := w.invoice(w.rival.key, "")["uid"]
	many := func(n int, element string) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	for name, c := range map[string]struct {
		method, body string
		status       int
		code         string
		details      []string
	}{
		"absent and foreign": {"PUT", fmt.Sprintf(`[{"uid":%q,"tax_cents":1},{"uid":%q},{"uid":"x"}]`, draft["uid"], foreign), 404, "not_found",
			[]string{"[1]: not found", "[2]: not found"}},
		"delete absent": {"DELETE", fmt.Sprintf(`[%q,%q]`, draft["uid"], absent), 404, "not_found", []string{"[1]: not found"}},
		"twice": {"PUT", fmt.Sprintf(`[{"uid":%[1]q},{"uid":%[1]q}]`, draft["uid"]), 422, "invalid",
			[]string{"[1]: names the same invoice again"}},
		"bad fields": {"PUT", fmt.Sprintf(`[{"uid":%q,"tax_cents":-1,"total":5},{"owner_uid":%q,"line_items":[]},7]`, draft["uid"], absent), 422, "invalid",
			[]string{"[0].tax_cents: must be 0 to 9007199254740991", "[0].total: is not known here", "[1].uid: is required",
				"[1].owner_uid: is set at creation", "[1].line_items: have routes of their own: /api/invoices/{uid}/line_items", "[2]: must be an object"}},
		"locked": {"PUT", fmt.Sprintf(`[{"uid":%q,"tax_cents":1},{"uid":%q,"tax_cents":1}]`, draft["uid"], sent["uid"]), 409, "invoice_locked",
			[]string{"[1].tax_cents: no longer changes"}},
		"illegal move": {"PUT", fmt.Sprintf(`[{"uid":%q,"status":"PAID"},{"uid":%q,"status":"DRAFT"}]`, draft["uid"], sent["uid"]), 409, "illegal_transition",
			[]string{"[0].status: DRAFT can't become PAID", "[1].status: SENT can't become DRAFT"}},
		"no draft":     {"DELETE", fmt.Sprintf(`[%q,%q]`, draft["uid"], sent["uid"]), 409, "not_deletable", []string{"[1].status: is not DRAFT"}},
		"none":         {"PUT", `[]`, 422, "invalid", []string{"body: must have 1 to 100 elements"}},
		"101":          {"PUT", many(101, `{"uid":"x"}`), 422, "invalid", []string{"body: must have 1 to 100 elements"}},
		"delete none":  {"DELETE", `[]`, 422, "invalid", []string{"body: must have 1 to 100 elements"}},
		"delete 101":   {"DELETE", many(101, `"x"`), 422, "invalid", []string{"body: must have 1 to 100 elements"}},
		"an object":    {"PUT", `{"uid":"x"}`, 422, "invalid", []string{"body: must be an array"}},
		"numbers":      {"DELETE", `[1]`, 422, "invalid", []string{"[0]: must be a uid"}},
		"no uids":      {"DELETE", `{}`, 422, "invalid", []string{"body: must be an array of uids"}},
		"broken":       {"DELETE", `["`, 400, "malformed_json", []string{"body: is not JSON"}},
		"no body":      {"DELETE", ``, 400, "malformed_json", []string{"body: is empty"}},
		"owner as uid": {"PUT", fmt.Sprintf(`[{"uid":%q,"target_party_uid":%q}]`, draft["uid"], foreign), 422, "invalid", []string{"[0].target_party_uid: names no party of this organization"}},
	} {
		if got := w.refused(w.do(c.method, "/api/invoices", w.acme.key, c.body), c.status, c.code); !slices.Equal(got, c.details) {
			t.Errorf("%s: details = %q, want %q", name, got, c.details)
		}
	}
	for _, inv := range []map[string]any{draft, sent} {
		if got := w.data(w.get("/api/invoices/"+inv["uid"].(string), w.acme.key), 200); fmt.Sprint(got) != fmt.Sprint(inv) {
			t.Errorf("refused calls changed %v\nto %v", inv, got)
		}
	}
}

func TestBulkDeleteRemovesDrafts(t *testing.T) {
	w := start(t, nil)
	a, b := w.invoice(w.acme.key, `"invoice_number":"A"`)["uid"].(string), w.invoice(w.acme.key, twoLines)["uid"].(string)
	r := w.do("DELETE", "/api/invoices", w.acme.key, fmt.Sprintf(`[%q,%q]`, b, a))
	if data := w.data(r, 200); len(data) != 0 {
		t.Errorf("data = %v, want {}", data)
	}
	for _, id := range []string{a, b} {
		w.refused(w.get("/api/invoices/"+id, w.acme.key), 404, "not_found")
	}
	w.invoice(w.acme.key, `"invoice_number":"A"`)
}

// A hundred sent at once fit into one transaction.
func TestBulkTakesAHundred(t *testing.T) {
	w := start(t, nil)
	var elements, ids []string
	for range 100 {
		id := w.invoice(w.acme.key, twoLines)["uid"].(string)
		ids = append(ids, fmt.Sprintf("%q", id))
		elements = append(elements, fmt.Sprintf(`{"uid":%q,"status":"APPROVED","tax_cents":9,"invoice_number":%q}`, id, "N-"+id))
	}
	if got := w.list(w.do("PUT", "/api/invoices", w.acme.key, "["+strings.Join(elements, ",")+"]"), 200); len(got) != 100 || got[99]["status"] != "APPROVED" {
		t.Errorf("%d invoices, the last is %v", len(got), got[len(got)-1])
	}
	w.list(w.do("PUT", "/api/invoices", w.acme.key, strings.ReplaceAll("["+strings.Join(elements, ",")+"]", "APPROVED", "DRAFT")), 200)
	w.data(w.do("DELETE", "/api/invoices", w.acme.key, "["+strings.Join(ids, ",")+"]"), 200)
}

// A collection has no version, so a version in If-Match protects nothing.
func TestBulkCallsRefuseAVersion(t *testing.T) {
	w := start(t, nil)
	inv := w.invoice(w.acme.key, "")["uid"].(string)
	w.refused(w.do("PUT", "/api/invoices", w.acme.key, `[{"uid":"`+inv+`","tax_cents":1}]`, "If-Match", `"1"`), 412, "precondition_failed")
	w.refused(w.do("DELETE", "/api/invoices", w.acme.key, `["`+inv+`"]`, "If-Match", `"1"`), 412, "precondition_failed")
	w.data(w.do("DELETE", "/api/invoices", w.acme.key, `["`+inv+`"]`, "If-Match", "*"), 200)
}
