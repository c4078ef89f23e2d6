package server

import (
	"net/url"
	"slices"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/filter"
	"exante/storage"
	"exante/storage/input"
)

// readInvoiceQuery reads the parameters of the list as one organization's key sends them.
func readInvoiceQuery(q *filter.Query) (storage.InvoiceQuery, error) {
	x := &exchange{Server: &Server{signing: auth.NewSigningKey([32]byte{1})}, admitted: auth.Admission{Key: &auth.Key{OrgID: uid.ID{1}}}}
	iq, _, err := x.readInvoiceList(q)
	return iq, err
}

func TestEveryBadParameterIsNamedAtOnce(t *testing.T) {
	q := filter.Read([]byte("page=0&per_page=101&status=SENT,LATE&sort=-secret&due_date_from=soon&total_from=1.5" +
		"&overdue_days_to=-1&currency=&cursor=abc&issue_date_to=%zz&target_party_uid=x&%ff=1&page=2"))
	_, err := readInvoiceQuery(q)
	want := []string{
		"issue_date_to: is not percent-encoded UTF-8",
		"query: holds a name that is not percent-encoded UTF-8",
		"page: is given twice",
		"status: " + input.OneOf(filter.StatusWords),
		"target_party_uid: must be a uid",
		"currency: must not be empty",
		"due_date_from: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		"total_from: must be an integer from -9007199254740991 to 9007199254740991",
		"overdue_days_to: must be an integer from 0 to 10000000",
		"sort: " + "must be one of issue_date, due_date, paid_date, created_at, updated_at, invoice_number, status, total, overdue_days" + ", after a minus sign for descending order",
		"page: must be an integer from 1 to 1000000000",
		"per_page: must be an integer from 1 to 100",
		"cursor: is not one that this list has given for these parameters",
		"page: does not go with a cursor",
	}
	if got := problemsOf(err); !slices.Equal(got, want) {
		t.Errorf("problems = %q\nwant %q", got, want)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "page=2&per_page=100&sort=-total", "status=sent,OVERDUE&sort=+due_date",
		"cursor=&search=caf%C3%A9", "due_date_from=2026-01-01&due_date_to=2026-02-01T00:00:00%2B01:00", "a=%zz&b=%ff&c", "total_from=-1&page=1&page=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := filter.Read([]byte(raw))
		iq, err := readInvoiceQuery(q)
		if err != nil {
			if len(problemsOf(err)) == 0 {
				t.Errorf("%q: %v names nothing", raw, err)
			}
			return
		}
		if iq.Page < 1 || iq.PerPage < 1 || iq.PerPage > 100 {
			t.Errorf("%q: page %d of %d", raw, iq.Page, iq.PerPage)
		}
		if _, walk := q.TakeEmpty("cursor"); walk {
			return // has no pages by number
		}
		link := q.PageLink("/api/invoices", 2)
		u, err := url.Parse(link)
		if err != nil || u.Query().Get("page") != "2" {
			t.Fatalf("%q: link %q: %v", raw, link, err)
		}
		again, err := readInvoiceQuery(filter.Read([]byte(u.RawQuery)))
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
