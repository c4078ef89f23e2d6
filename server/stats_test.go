package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func (w *world) stats(query string) map[string]any {
	w.tb.Helper()
	return w.data(w.get("/api/organization/"+w.acme.org.ID.String()+"/invoices/stats"+query, w.acme.key), 200)
}

func (w *world) filterOptions() map[string]any {
	w.tb.Helper()
	return w.data(w.get("/api/organization/"+w.acme.org.ID.String()+"/invoices/filter-options", w.acme.key), 200)
}

var statusMembers = strings.Fields("draft approved scheduled sent overdue paid disputed partially_paid void cancelled")

// Stats, list counts and a recount agree, before and after invoices fall due.
func TestStatsAgreeWithTheLists(t *testing.T) {
	w := start(t, nil)
	for i, status := range []string{"DRAFT", "APPROVED", "SCHEDULED", "SENT", "SENT", "CANCELLED"} {
		w.invoice(w.acme.key, fmt.Sprintf(`"status":%q,"tax_cents":%d`, status, 100+i))
	}
	for _, to := range []string{"DISPUTED", "VOID", "PAID"} {
		inv := w.invoice(w.acme.key, `"status":"SENT","tax_cents":1000`)["uid"].(string)
		w.data(w.do("PUT", "/api/invoices/"+inv, w.acme.key, `{"status":"`+to+`"}`), 200)
	}
	w.invoice(w.acme.key, `"currency":"EUR","status":"SENT","tax_cents":50`)
	w.invoice(w.rival.key, `"status":"SENT","tax_cents":7777`)
	for _, later := range []time.Duration{0, 31 * 24 * time.Hour} {
		w.clock.Advance(later)
		s := w.stats("")
		sameNames(t, "countTotals", s["countTotals"].(map[string]any), statusMembers)
		sameNames(t, "amountTotals", s["amountTotals"].(map[string]any), statusMembers)
		if s["currency"] != "USD" {
			t.Errorf("currency = %v", s["currency"])
		}
		all := 0.0
		for _, member := range statusMembers {
			items := w.data(w.get("/api/invoices?per_page=100&status="+strings.ToUpper(member), w.acme.key), 200)
			total, sum := items["_meta"].(map[string]any)["total_items"], 0.0
			for _, item := range items["items"].([]any) {
				if item := item.(map[string]any); item["currency"] == "USD" {
					sum += item["total_cents"].(float64)
				}
			}
			if count, amount := s["countTotals"].(map[string]any)[member], s["amountTotals"].(map[string]any)[member]; count != total || amount != sum {
				t.Errorf("after %v, %s: %v invoices of %v, the list has %v of %v", later, member, count, amount, total, sum)
			}
			all += total.(float64)
		}
		if all != 10 {
			t.Errorf("%v invoices in all, want 10", all)
		}
		byCurrency := s["amountTotalsByCurrency"].(map[string]any)
		sameNames(t, "amountTotalsByCurrency", byCurrency, []string{"EUR", "USD"})
		if got := w.stats("?currency=EUR"); fmt.Sprint(got["amountTotals"]) != fmt.Sprint(byCurrency["EUR"]) || got["currency"] != "EUR" {
			t.Errorf("in EUR: %v, want %v", got, byCurrency["EUR"])
		}
	}
	if sent := w.stats("")["countTotals"].(map[string]any)["overdue"]; sent != 3.0 {
		t.Errorf("%v invoices are overdue, want 3", sent)
	}
}

func TestStatsRefuseASumThatNoClientCouldHold(t *testing.T) {
	w := start(t, nil)
	for range 2 {
		w.invoice(w.acme.key, `"tax_cents":9007199254740991`)
	}
	path := "/api/organization/" + w.acme.org.ID.String() + "/invoices/stats"
	if got := w.refused(w.get(path, w.acme.key), 422, "invalid"); !slices.Equal(got, []string{"amountTotalsByCurrency.USD.draft: comes to more than 2^53-1"}) {
		t.Errorf("details = %q", got)
	}
	if got := w.refused(w.get(path+"?currency=usd", w.acme.key), 422, "invalid"); len(got) != 1 || !strings.HasPrefix(got[0], "currency: ") {
		t.Errorf("details = %q", got)
	}
}

func TestFilterOptionsAreWhatThereIs(t *testing.T) {
	w := start(t, nil)
	none := w.filterOptions()
	if got := fmt.Sprint(none); got != "map[collection_methods:[] date_range:map[due_date:map[max:<nil> min:<nil>] issue_date:map[max:<nil> min:<nil>] max:<nil> min:<nil> paid_date:map[max:<nil> min:<nil>]] overdue_days:map[max:<nil> min:<nil>] statuses:[] total:map[max:<nil> min:<nil>]]" {
		t.Errorf("with no invoice: %s", got)
	}
	w.invoice(w.acme.key, `"status":"SENT","issue_date":"2026-01-05","due_date":"2026-02-05","tax_cents":5`)
	w.invoice(w.acme.key, `"issue_date":"2026-03-05","due_date":"2027-02-05","tax_cents":7,"collection_method":"charge_automatically"`)
	w.invoice(w.rival.key, `"issue_date":"2020-01-05","due_date":"2030-02-05","tax_cents":9`)
	options := w.filterOptions()
	dates := options["date_range"].(map[string]any)
	for name, got := range map[string]any{
		"[DRAFT OVERDUE]":                                        options["statuses"],
		"[send_invoice charge_automatically]":                    options["collection_methods"],
		"map[max:2026-03-05T00:00:00Z min:2026-01-05T00:00:00Z]": dates["issue_date"],
		"map[max:2027-02-05T00:00:00Z min:2026-02-05T00:00:00Z]": dates["due_date"],
		"map[max:<nil> min:<nil>]":                               dates["paid_date"],
		"[2026-01-05T00:00:00Z 2027-02-05T00:00:00Z]":            []any{dates["min"], dates["max"]},
		"map[max:7 min:5]":                                       options["total"],
		"map[max:291 min:0]":                                     options["overdue_days"],
	} {
		if fmt.Sprint(got) != name {
			t.Errorf("got %v, want %s", got, name)
		}
	}
}
