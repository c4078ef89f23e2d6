package server_test

import (
	"strings"
	"testing"

	"exante/server"
)

// bodies are well-formed bodies of the routes that need one. TARGET is the record
// that is acted on where the path does not name it.
var bodies = map[string]string{
	"PUT /api/invoices":                    `[{"uid":"TARGET","tax_cents":5}]`,
	"DELETE /api/invoices":                 `["TARGET"]`,
	"PUT /api/invoices/:uid":               `{"tax_cents":5}`,
	"POST /api/invoices/:uid/line_items":   `[{"context_type":"PRODUCT","sku":"s","unit_price":1}]`,
	"PUT /api/invoices/:uid/line_items":    `[{"uid":"LINE","quantity":2}]`,
	"DELETE /api/invoices/:uid/line_items": `["LINE"]`,
	"POST /api/invoices/:uid/payments":     `{"amount_cents":1}`,
	"POST /api/invoices/:uid/attachment":   formOf(upload{"files", "a.txt", "mine now"}),
	"DELETE /api/invoices/:uid/attachment": `{"attachment_uid":"LINE"}`,
	"PUT /api/parties/:uid":                `{"name":"Mine now"}`,
	"POST /api/api-keys/:uid/rotate":       `{"grace_days":1}`,
}

const absent = "0190b7a0-0000-7000-8000-00000000dead"

// Whoever asks for a record of another organization hears, byte for byte, what he
// hears of a record that does not exist; and nothing happens to it.
func TestForeignRecordsAnswerAsAbsentOnes(t *testing.T) {
	w := start(t, nil)
	// Both have a client of the same name, and an invoice with the same number and lines.
	const same = `"invoice_number":"SAME-1","line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":1}]`
	w.invoice(w.acme.key, same)
	invoice := w.invoice(w.rival.key, same)
	foreign := map[string]string{
		"/api/invoices": invoice["uid"].(string),
		"/api/parties":  invoice["target_party_uid"].(string),
		"/api/api-keys": w.rival.id,
	}
	line := invoice["line_items"].([]any)[0].(map[string]any)["uid"].(string)
	before := w.snapshot(foreign)

	visited := 0
	for _, pattern := range server.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if strings.Contains(path, ":organization_uid") {
			visited++
			w.foreignOrg(method, path)
			continue
		}
		if !strings.Contains(path, ":uid") && !strings.Contains(bodies[pattern], "TARGET") {
			continue
		}
		visited++
		ask := func(uid, line string) string {
			body := strings.NewReplacer("LINE", line, "TARGET", uid).Replace(bodies[pattern])
			r := w.do(method, strings.Replace(path, ":uid", uid, 1), w.acme.key, body, "X-Request-Id", "same", "Content-Type", mediaOf(body))
			w.refused(r, 404, "not_found")
			return r.body + r.header.Get("ETag")
		}
		family, _, _ := strings.Cut(path, "/:uid")
		want := ask(absent, absent)
		for name, got := range map[string]string{
			"foreign": ask(foreign[family], line), "malformed": ask("nope", "nope"),
			"upper-case foreign": ask(strings.ToUpper(foreign[family]), line), "of another kind": ask(w.acme.org.ID.String(), absent),
		} {
			if got != want {
				t.Errorf("%s, %s: %s, want %s", pattern, name, got, want)
			}
		}
	}
	if visited < 14 {
		t.Errorf("only %d routes name a record", visited)
	}
	if after := w.snapshot(foreign); after != before {
		t.Errorf("the rival's records changed:\n%s\n%s", before, after)
	}
}

// foreignOrg asks for a route under another organization's uid.
func (w *world) foreignOrg(method, path string) {
	w.tb.Helper()
	ask := func(uid string) string {
		r := w.do(method, strings.Replace(path, ":organization_uid", uid, 1), w.acme.key, "", "X-Request-Id", "same")
		w.refused(r, 404, "not_found")
		return r.body
	}
	want := ask(absent)
	for _, uid := range []string{w.rival.org.ID.String(), "nope"} {
		if got := ask(uid); got != want {
			w.tb.Errorf("%s %s: %s, want %s", path, uid, got, want)
		}
	}
}

// snapshot is what the rival sees of its records.
func (w *world) snapshot(records map[string]string) string {
	var b strings.Builder
	for _, family := range []string{"/api/invoices", "/api/parties"} {
		b.WriteString(w.get(family+"/"+records[family], w.rival.key).body)
	}
	b.WriteString(w.get("/api/invoices/"+records["/api/invoices"]+"/attachments", w.rival.key).body)
	return b.String()
}

func TestForeignReferencesAnswerAsAbsentOnes(t *testing.T) {
	w := start(t, nil)
	party := w.party(w.rival.key, "Rival's client")["uid"].(string)
	owner := w.invoice(w.rival.key, "")["owner_uid"].(string)
	mine := w.party(w.acme.key, "Client")["uid"].(string)
	for _, c := range []struct{ name, foreign, body string }{
		{"target_party_uid", party, `{"target_party_uid":"REF"}`},
		{"owner_uid", owner, `{"target_party_uid":"` + mine + `","owner_uid":"REF"}`},
	} {
		ask := func(uid string) string {
			r := w.do("POST", "/api/invoices", w.acme.key, strings.ReplaceAll(c.body, "REF", uid), "X-Request-Id", "same")
			details := w.refused(r, 422, "invalid")
			if len(details) != 1 || !strings.HasPrefix(details[0], c.name+": ") {
				t.Errorf("%s: details = %q", c.name, details)
			}
			return r.body
		}
		if got, want := ask(c.foreign), ask(absent); got != want {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
		ask("nope")
	}
}

func TestListsShowOnlyOnesOwn(t *testing.T) {
	w := start(t, nil)
	theirs := w.invoice(w.rival.key, `"invoice_number":"RIVAL-1"`)
	w.invoice(w.acme.key, `"invoice_number":"ACME-1"`)
	for _, path := range []string{"/api/invoices?per_page=100", "/api/parties?per_page=100", "/api/api-keys",
		"/api/organization/" + w.acme.org.ID.String() + "/invoices/stats", "/api/organization/" + w.acme.org.ID.String() + "/invoices/filter-options",
		"/api/invoices?search=rival", "/api/invoices?target_party_uid=" + theirs["target_party_uid"].(string), "/api/invoices?invoice_number=RIVAL-1"} {
		r := w.get(path, w.acme.key)
		w.data(r, 200)
		for _, secret := range []string{theirs["uid"].(string), theirs["target_party_uid"].(string), w.rival.id, w.rival.org.ID.String(), "RIVAL"} {
			// The request's own words come back in the links.
			if strings.Contains(strings.Split(r.body, `"_links"`)[0], secret) {
				t.Errorf("%s shows %s: %s", path, secret, r.body)
			}
		}
	}
	// A number is unique in an organization, not across them.
	w.invoice(w.acme.key, `"invoice_number":"RIVAL-1"`)
}
