package filter

import (
	"strings"
	"testing"
	"time"

	"exante/storage"
)

func readInvoices(q *Query) (storage.InvoiceQuery, error) {
	iq := Invoices(q)
	q.Page()
	return iq, q.Done()
}

func TestSortTakesASign(t *testing.T) {
	for raw, want := range map[string]string{
		"": "created_at desc", "sort=due_date": "due_date", "sort=-due_date": "due_date desc",
		"sort=+due_date": "due_date", "sort=%2Bdue_date": "due_date", "sort=%20due_date": "due_date",
		"sort=--due_date": "", "sort=-": "", "sort=due_date,total": "", "sort=Due_Date": "", "sort=": "",
	} {
		q := Read([]byte(raw))
		iq, err := readInvoices(q)
		got := ""
		for name, s := range invoiceSorts {
			if err == nil && s == iq.Sort {
				got = name
			}
		}
		if iq.Desc && err == nil {
			got += " desc"
		}
		if got != want {
			t.Errorf("%q sorts by %q (%v), want %q", raw, got, err, want)
		}
	}
}

func TestRangesHoldBothEnds(t *testing.T) {
	iq, err := readInvoices(Read([]byte("due_date_from=2026-01-02&due_date_to=2026-01-03&issue_date_to=2026-01-03T10:00:00+01:00&total_from=-5&total_to=7")))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time { tm, _ := time.Parse(time.RFC3339Nano, s); return tm }
	if want := (storage.TimeRange{From: day("2026-01-02T00:00:00Z"), To: day("2026-01-03T23:59:59.999999999Z")}); iq.Due != want {
		t.Errorf("due = %v, want %v", iq.Due, want)
	}
	if want := (storage.TimeRange{To: day("2026-01-03T09:00:00.999999999Z")}); iq.Issue != want {
		t.Errorf("issue = %v, want %v", iq.Issue, want)
	}
	if want := (storage.IntRange{From: -5, To: 7, HasFrom: true, HasTo: true}); iq.Total != want {
		t.Errorf("total = %v, want %v", iq.Total, want)
	}
}

func TestLinksKeepTheWholeQuery(t *testing.T) {
	raw := "status=SENT%2COVERDUE&sort=+due_date&page=2&invoice_number=a%26b%3D%22%0d"
	q := Read([]byte(strings.TrimSuffix(raw, "%0d")))
	got := q.PageLink("/api/invoices", 3)
	if want := "/api/invoices?status=SENT%2COVERDUE&sort=%20due_date&page=3&invoice_number=a%26b%3D%22"; got != want {
		t.Errorf("link = %s, want %s", got, want)
	}
	if got := Read([]byte("per_page=5")).PageLink("/api/invoices", 2); got != "/api/invoices?per_page=5&page=2" {
		t.Errorf("link = %s", got)
	}
	if got := Read(nil).PageLink("/api/invoices", 1); got != "/api/invoices" {
		t.Errorf("link = %s", got)
	}
	if got := Read([]byte(raw)).Done(); got == nil || !strings.Contains(got.Error(), "invoice_number: is not percent-encoded UTF-8") {
		t.Errorf("a control character passed: %v", got)
	}
}
