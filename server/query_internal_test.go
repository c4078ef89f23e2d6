package server

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// readInvoiceQuery reads the parameters of the list as one organization's key sends them.
func readInvoiceQuery(q *query) (storage.InvoiceQuery, error) {
	x := &exchange{Server: &Server{signing: auth.NewSigningKey([32]byte{1})}, admitted: auth.Admission{Key: &auth.Key{OrgID: uid.ID{1}}}}
	iq, _, err := x.readInvoiceList(q)
	return iq, err
}

func TestEveryBadParameterIsNamedAtOnce(t *testing.T) {
	q := readQuery([]byte("page=0&per_page=101&status=SENT,LATE&sort=-secret&due_date_from=soon&total_from=1.5" +
		"&overdue_days_to=-1&currency=&cursor=abc&issue_date_to=%zz&target_party_uid=x&%ff=1&page=2"))
	_, err := readInvoiceQuery(q)
	want := []string{
		"issue_date_to: is not percent-encoded UTF-8",
		"query: holds a name that is not percent-encoded UTF-8",
		"page: is given twice",
		"status: " + oneOf(statusWords),
		"target_party_uid: must be a uid",
		"currency: must not be empty",
		"due_date_from: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		"total_from: must be an integer from -9007199254740991 to 9007199254740991",
		"overdue_days_to: must be an integer from 0 to 10000000",
		"sort: " + oneOf(invoiceSortNames) + ", after a minus sign for descending order",
		"page: must be an integer from 1 to 1000000000",
		"per_page: must be an integer from 1 to 100",
		"cursor: is not one that this list has given for these parameters",
		"page: does not go with a cursor",
	}
	if got := problemsOf(err); !slices.Equal(got, want) {
		t.Errorf("problems = %q\nwant %q", got, want)
	}
}

func TestSortTakesASign(t *testing.T) {
	for raw, want := range map[string]string{
		"": "created_at desc", "sort=due_date": "due_date", "sort=-due_date": "due_date desc",
		"sort=+due_date": "due_date", "sort=%2Bdue_date": "due_date", "sort=%20due_date": "due_date",
		"sort=--due_date": "", "sort=-": "", "sort=due_date,total": "", "sort=Due_Date": "", "sort=": "",
	} {
		q := readQuery([]byte(raw))
		iq, err := readInvoiceQuery(q)
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
	iq, err := readInvoiceQuery(readQuery([]byte("due_date_from=2026-01-02&due_date_to=2026-01-03&issue_date_to=2026-01-03T10:00:00+01:00&total_from=-5&total_to=7")))
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
	q := readQuery([]byte(strings.TrimSuffix(raw, "%0d")))
	got := q.pageLink("/api/invoices", 3)
	if want := "/api/invoices?status=SENT%2COVERDUE&sort=%20due_date&page=3&invoice_number=a%26b%3D%22"; got != want {
		t.Errorf("link = %s, want %s", got, want)
	}
	if got := readQuery([]byte("per_page=5")).pageLink("/api/invoices", 2); got != "/api/invoices?per_page=5&page=2" {
		t.Errorf("link = %s", got)
	}
	if got := readQuery(nil).pageLink("/api/invoices", 1); got != "/api/invoices" {
		t.Errorf("link = %s", got)
	}
	if got := problemsOf(readQuery([]byte(raw)).done()); len(got) == 0 || got[0] != "invoice_number: is not percent-encoded UTF-8" {
		t.Errorf("a control character passed: %q", got)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "page=2&per_page=100&sort=-total", "status=sent,OVERDUE&sort=+due_date",
		"cursor=&search=caf%C3%A9", "due_date_from=2026-01-01&due_date_to=2026-02-01T00:00:00%2B01:00", "a=%zz&b=%ff&c", "total_from=-1&page=1&page=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := readQuery([]byte(raw))
		iq, err := readInvoiceQuery(q)
		if err != nil {
			if len(problemsOf(err)) == 0 {
				t.Errorf("%q: %v names nothing", raw, err)
			}
			return
		}
		if iq.Page < 1 || iq.PerPage < 1 || iq.PerPage > maxPerPage {
			t.Errorf("%q: page %d of %d", raw, iq.Page, iq.PerPage)
		}
		if _, walk := q.takeEmpty("cursor"); walk {
			return // has no pages by number
		}
		link := q.pageLink("/api/invoices", 2)
		u, err := url.Parse(link)
		if err != nil || u.Query().Get("page") != "2" {
			t.Fatalf("%q: link %q: %v", raw, link, err)
		}
		again, err := readInvoiceQuery(readQuery([]byte(u.RawQuery)))
		iq.Page = 2
		if err != nil || !equalQueries(iq, again) {
			t.Errorf("%q: the link %q reads %+v (%v), want %+v", raw, link, again, err, iq)
		}
	})
}

func equalQueries(a, b storage.InvoiceQuery) bool {
	lists := slices.Equal(a.Statuses, b.Statuses) && slices.Equal(a.CollectionMethods, b.CollectionMethods) &&
		slices.Equal(a.PartyIDs, b.PartyIDs) && slices.Equal(a.Currencies, b.Currencies)
	return lists && a.Number == b.Number && a.Search == b.Search && a.Issue == b.Issue && a.Due == b.Due && a.PaidOn == b.PaidOn &&
		a.Total == b.Total && a.UpdatedSince == b.UpdatedSince && a.OverdueDays == b.OverdueDays && a.Sort == b.Sort && a.Desc == b.Desc && a.Page == b.Page
}
