package server_test

import (
	"slices"
	"strings"
	"testing"
)

// A parameter that a route does not know is named, never dropped, and nothing is done.
func TestUnknownParametersAreRefusedOnEveryRoute(t *testing.T) {
	w := start(t, nil)
	invoice := w.invoice(w.acme.key, "")["uid"].(string)
	party := w.party(w.acme.key, "Client")["uid"].(string)
	for _, c := range [][3]string{
		{"GET", "/api/invoices", ""}, {"GET", "/api/invoices/" + invoice, ""}, {"PUT", "/api/invoices/" + invoice, `{"status":"SENT"}`},
		{"POST", "/api/invoices", `{"target_party_uid":"` + party + `"}`},
		{"POST", "/api/invoices/" + invoice + "/line_items", `{"context_type":"PRODUCT","sku":"x","unit_price":1}`},
		{"GET", "/api/parties", ""}, {"GET", "/api/parties/" + party, ""}, {"POST", "/api/parties", `{"name":"Second"}`},
		{"GET", "/api/api-keys", ""}, {"GET", "/api/api-keys/current", ""}, {"GET", "/api/api-keys/" + w.acme.id, ""},
		{"POST", "/api/api-keys", `{"name":"Second"}`}, {"DELETE", "/api/api-keys/" + w.acme.id, ""},
		{"GET", "/api/api-keys/" + w.acme.id + "/activity", ""},
	} {
		details := w.refused(w.do(c[0], c[1]+"?verbose=1", w.acme.key, c[2]), 422, "invalid")
		if !slices.Equal(details, []string{"verbose: is not a known parameter"}) {
			t.Errorf("%s %s: details = %q", c[0], c[1], details)
		}
	}
	if list := w.get("/api/parties", w.acme.key).body; strings.Contains(list, "Second") {
		t.Errorf("a refused request made a party: %s", list)
	}
	if r := w.get("/livez?from=probe", ""); r.status != 200 {
		t.Errorf("livez with a parameter: %d", r.status)
	}
}
