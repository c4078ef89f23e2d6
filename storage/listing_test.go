package storage_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

func (b *books) list(q storage.InvoiceQuery) ([]billing.Invoice, int) {
	b.Helper()
	if q.PerPage == 0 {
		q.PerPage = 100
	}
	page := b.page(q)
	return page.Items, page.Total
}

func (b *books) page(q storage.InvoiceQuery) storage.InvoicePage {
	b.Helper()
	page, err := b.Invoices(context.Background(), b.org.ID, q)
	if err != nil {
		b.Fatalf("list %+v: %v", q, err)
	}
	return page
}

// oneOfEach makes an invoice that reads each status, a second apart.
func (b *books) oneOfEach() map[billing.Status]billing.Invoice {
	b.Helper()
	all := map[billing.Status]billing.Invoice{}
	for _, s := range billing.Statuses() {
		b.clock.Advance(time.Second)
		all[s] = b.reading(s)
	}
	return all
}

func TestListHasReceivableInvoicesAsTheyAre(t *testing.T) {
	b := openBooks(t)
	all := b.oneOfEach()
	b.create(billing.InvoicePatch{Type: new(billing.Payable)})
	items, total := b.list(storage.InvoiceQuery{})
	if len(items) != len(all) || total != len(all) {
		t.Fatalf("%d items of %d, want %d: payable invoices are in no list", len(items), total, len(all))
	}
	for i, s := range billing.Statuses() {
		want := b.invoice(all[s].ID)
		if want.Lines, want.Fields = nil, nil; !reflect.DeepEqual(items[i], want) {
			t.Errorf("item %d is %+v\nwant %+v", i, items[i], want)
		}
	}
}

func TestListFollowsTheClock(t *testing.T) {
	b := openBooks(t)
	inv := b.reading(billing.Sent)
	overdue := storage.InvoiceQuery{Statuses: []billing.Status{billing.Overdue}}
	b.clock.Set(inv.DueDate.Truncate(24 * time.Hour).Add(24*time.Hour - time.Second))
	if _, total := b.list(overdue); total != 0 {
		t.Errorf("on the due date %d invoices are overdue, want none", total)
	}
	b.clock.Advance(time.Second)
	if items, total := b.list(overdue); total != 1 || items[0].ID != inv.ID || items[0].OverdueDays(b.clock.Now()) != 1 {
		t.Errorf("a day later %d invoices are overdue, want one", total)
	}
	if _, total := b.list(storage.InvoiceQuery{Statuses: []billing.Status{billing.Sent}}); total != 0 {
		t.Errorf("an overdue invoice is still listed as SENT")
	}
}

func TestListFilters(t *testing.T) {
	b := openBooks(t)
	all := b.oneOfEach()
	other := b.newParty("Initech")
	special := b.create(billing.InvoicePatch{
		PartyID: &other.ID, Currency: new(billing.Currency("EUR")), Number: new("X-1"), CollectionMethod: new(billing.ChargeAutomatically),
		Tax: new(billing.Cents(555)), IssueDate: new(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)), DueDate: new(time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC)),
	})
	on := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	paid := all[billing.Paid]
	for name, c := range map[string]struct {
		query storage.InvoiceQuery
		want  []uid.ID
	}{
		"party":     {storage.InvoiceQuery{PartyIDs: []uid.ID{other.ID, {1}}}, []uid.ID{special.ID}},
		"currency":  {storage.InvoiceQuery{Currencies: []billing.Currency{"EUR"}}, []uid.ID{special.ID}},
		"number":    {storage.InvoiceQuery{Number: "X-1"}, []uid.ID{special.ID}},
		"no number": {storage.InvoiceQuery{Number: "X"}, nil},
		"method":    {storage.InvoiceQuery{CollectionMethods: []billing.CollectionMethod{billing.ChargeAutomatically}}, []uid.ID{special.ID}},
		"total":     {storage.InvoiceQuery{Total: storage.IntRange{From: 555, To: 555, HasFrom: true, HasTo: true}}, []uid.ID{special.ID}},
		"issue":     {storage.InvoiceQuery{Issue: storage.TimeRange{To: on(2020, 1, 1)}}, []uid.ID{special.ID}},
		"due":       {storage.InvoiceQuery{Due: storage.TimeRange{From: on(2020, 2, 1), To: on(2020, 2, 1)}}, []uid.ID{special.ID}},
		"not due":   {storage.InvoiceQuery{Due: storage.TimeRange{From: on(2020, 2, 1).Add(1), To: on(2020, 3, 1)}}, nil},
		"paid":      {storage.InvoiceQuery{PaidOn: storage.TimeRange{From: on(2000, 1, 1)}}, []uid.ID{paid.ID}},
		"overdue":   {storage.InvoiceQuery{OverdueDays: storage.IntRange{From: 1, HasFrom: true}}, []uid.ID{all[billing.Overdue].ID}},
		"updated":   {storage.InvoiceQuery{UpdatedSince: special.UpdatedAt, CollectionMethods: []billing.CollectionMethod{billing.ChargeAutomatically}}, []uid.ID{special.ID}},
		"since":     {storage.InvoiceQuery{UpdatedSince: special.UpdatedAt.Add(time.Millisecond)}, nil},
		"two": {storage.InvoiceQuery{Statuses: []billing.Status{billing.Paid, billing.Void}, Desc: true},
			[]uid.ID{all[billing.Void].ID, paid.ID}},
	} {
		items, total := b.list(c.query)
		var ids []uid.ID
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		if total != len(c.want) || !slices.Equal(ids, c.want) {
			t.Errorf("%s: found %v of %d, want %v", name, ids, total, c.want)
		}
	}
}

func TestListSortsByEveryColumn(t *testing.T) {
	b := openBooks(t)
	b.oneOfEach()
	now := b.clock.Now()
	text := map[storage.InvoiceSort]func(*billing.Invoice) string{
		storage.ByCreated:     func(i *billing.Invoice) string { return i.CreatedAt.Format(time.RFC3339Nano) },
		storage.ByUpdated:     func(i *billing.Invoice) string { return i.UpdatedAt.Format(time.RFC3339Nano) },
		storage.ByIssueDate:   func(i *billing.Invoice) string { return i.IssueDate.Format(time.RFC3339) },
		storage.ByDueDate:     func(i *billing.Invoice) string { return i.DueDate.Format(time.RFC3339) },
		storage.ByPaidDate:    func(i *billing.Invoice) string { return i.PaidDate.Format(time.RFC3339) },
		storage.ByNumber:      func(i *billing.Invoice) string { return i.Number },
		storage.ByStatus:      func(i *billing.Invoice) string { return i.StatusAt(now).String() },
		storage.ByTotal:       func(i *billing.Invoice) string { return fmt.Sprintf("%020d", i.Total) },
		storage.ByOverdueDays: func(i *billing.Invoice) string { return fmt.Sprintf("%020d", i.OverdueDays(now)) },
	}
	if len(text) != int(storage.ByOverdueDays)+1 {
		t.Fatal("a sort order has no test")
	}
	for sort, of := range text {
		for _, desc := range []bool{false, true} {
			items, _ := b.list(storage.InvoiceQuery{Sort: sort, Desc: desc})
			if !slices.IsSortedFunc(items, func(x, y billing.Invoice) int {
				c := compareText(of(&x), of(&y))
				if c == 0 {
					c = compareText(x.ID.String(), y.ID.String())
				}
				if desc {
					c = -c
				}
				return c
			}) {
				t.Errorf("sort %d, desc %v: not in order", sort, desc)
			}
		}
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestPagesOfAListNeitherOverlapNorSkip(t *testing.T) {
	b := openBooks(t)
	for range 23 {
		b.draft(1)
	}
	seen := map[uid.ID]bool{}
	for page := 1; page <= 4; page++ {
		items, total := b.list(storage.InvoiceQuery{Sort: storage.ByTotal, Page: page, PerPage: 10})
		if want := max(0, min(10, 23-10*(page-1))); len(items) != want || total != 23 {
			t.Errorf("page %d has %d of %d, want %d of 23", page, len(items), total, want)
		}
		for _, i := range items {
			seen[i.ID] = true
		}
	}
	if len(seen) != 23 {
		t.Errorf("the pages have %d invoices between them, want 23", len(seen))
	}
	if items, total := b.list(storage.InvoiceQuery{Page: 1 << 62}); len(items) != 0 || total != 23 {
		t.Errorf("a page far past the end has %d of %d", len(items), total)
	}
}

func TestListIsTheSameAfterReopening(t *testing.T) {
	clock := storagetest.NewClock()
	options := storagetest.Options(t, clock)
	b := booksOf(t, storagetest.Reopen(t, options), clock)
	b.oneOfEach()
	before, _ := b.list(storage.InvoiceQuery{Sort: storage.ByStatus})
	parties, _, _ := b.Parties(t.Context(), b.org.ID, storage.PartyQuery{PerPage: 10})
	storagetest.Close(t, b.Store)
	b.Store = storagetest.Reopen(t, options)
	after, _ := b.list(storage.InvoiceQuery{Sort: storage.ByStatus})
	if !reflect.DeepEqual(before, after) {
		t.Errorf("before: %+v\nafter: %+v", before, after)
	}
	if again, _, _ := b.Parties(t.Context(), b.org.ID, storage.PartyQuery{PerPage: 10}); !reflect.DeepEqual(parties, again) {
		t.Errorf("before: %+v\nafter: %+v", parties, again)
	}
}

// The snapshot of a verification is behind the lists when writers go on.
func TestVerifyBesideWritersFindsNothing(t *testing.T) {
	b := openBooks(t)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 40 {
				inv, err := b.tryCreate(billing.InvoicePatch{Status: new(billing.Sent), Tax: new(billing.Cents(10))})
				if err != nil {
					t.Errorf("create: %v", err)
				}
				if _, _, err = b.RecordPayment(context.Background(), b.by, inv.ID, 3, time.Time{}, "", 0); err != nil {
					t.Errorf("pay: %v", err)
				}
			}
		})
	}
	for range 10 {
		if report, err := b.Verify(t.Context(), nil); err != nil || len(report.Findings) > 0 {
			t.Errorf("found %v, %v", report.Findings, err)
		}
	}
	writers.Wait()
}
