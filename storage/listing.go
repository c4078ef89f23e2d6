package storage

import (
	"context"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
	"exante/storage/kv"
)

// InvoiceQuery selects, orders and pages. Zero fields do not filter.
type InvoiceQuery struct {
	Statuses          []billing.Status // as read now
	CollectionMethods []billing.CollectionMethod
	PartyIDs          []uid.ID
	Currencies        []billing.Currency
	Number            string // exact
	Search            string // part of the number or the client's name, without regard to case

	Issue, Due, PaidOn TimeRange // an invoice without the date is in no range of it
	Total              IntRange  // cents
	OverdueDays        IntRange
	UpdatedSince       time.Time

	Sort          InvoiceSort
	Desc          bool         // reverses the order, ties by uid included
	Page, PerPage int          // from 1
	After         *InvoiceMark // what follows it alone, whatever Page says; nil: from the beginning
}

// InvoiceMark is a place in a list, from which a walk goes on: it meets no invoice
// twice and misses none that stayed in its place.
type InvoiceMark index.Mark

// InvoicePage is one page of a list.
type InvoicePage struct {
	Items []billing.Invoice // without Lines and Fields
	Total int               // that match, on all pages
	Next  *InvoiceMark      // the end of this page; nil if nothing follows
}

// TimeRange has both ends in it; a zero end is open.
type TimeRange struct{ From, To time.Time }

// IntRange has both ends in it.
type IntRange struct {
	From, To       int64
	HasFrom, HasTo bool
}

// InvoiceSort is what a list is sorted by. A missing date or number comes before
// all others, a status by its name.
type InvoiceSort uint8

// The sort orders.
const (
	ByCreated InvoiceSort = iota
	ByUpdated
	ByIssueDate
	ByDueDate
	ByPaidDate
	ByNumber
	ByStatus
	ByTotal
	ByOverdueDays
)

var sortColumns = [...]index.Column{
	ByCreated: index.Created, ByUpdated: index.Updated, ByIssueDate: index.Issue, ByDueDate: index.Due,
	ByPaidDate: index.Paid, ByNumber: index.Number, ByStatus: index.Status, ByTotal: index.Total,
	ByOverdueDays: index.OverdueDays,
}

// Invoices is one page of the receivable invoices that match.
func (s *Store) Invoices(ctx context.Context, org uid.ID, q InvoiceQuery) (InvoicePage, error) {
	for attempt := 1; ; attempt++ {
		found := s.lists.Find(org, q.query(s.now()))
		page := InvoicePage{Items: []billing.Invoice{}, Total: found.Total, Next: (*InvoiceMark)(found.Next)}
		if len(found.IDs) == 0 {
			return page, nil
		}
		var gone []uid.ID
		err := s.db.View(ctx, func(r kv.Reader) (err error) {
			page.Items, gone, err = readListed(r, org, found.IDs, false)
			return err
		})
		if err = s.lost(ctx, err, org, gone...); err != nil {
			return InvoicePage{}, err
		}
		if attempt == maxListAttempts || len(gone) == 0 && asListed(page.Items, found.Rows) {
			return page, nil
		}
		if s.settle(ctx) != nil { // nothing more will come
			return page, nil
		}
	}
}

// asListed reports whether invoices are read as the list had them: one that was
// changed since may be in a page that its filter keeps it from.
func asListed(items []billing.Invoice, rows []index.Row) bool {
	for n := range items {
		if rowOf(&items[n]) != rows[n] {
			return false
		}
	}
	return true
}

// maxListAttempts bounds how often a page is made anew because one of its
// invoices was deleted or changed between the list and the reading. After that the
// page goes without the one, and shows the other as it is.
const maxListAttempts = 3

// query is q in the terms of the index.
func (q *InvoiceQuery) query(now time.Time) index.Query {
	out := index.Query{
		Parties: q.PartyIDs, Number: q.Number,
		Issue: q.Issue.seconds(), Due: q.Due.seconds(), Paid: q.PaidOn.seconds(),
		Total: index.Range(q.Total), OverdueDays: index.Range(q.OverdueDays),
		Search: q.Search,
		Sort:   sortColumns[q.Sort], Desc: q.Desc, After: (*index.Mark)(q.After), Limit: q.PerPage, Now: now,
	}
	if q.After == nil {
		out.Offset = offset(q.Page, q.PerPage)
	}
	for _, s := range q.Statuses {
		out.Statuses = append(out.Statuses, uint8(s))
	}
	for _, m := range q.CollectionMethods {
		out.Methods = append(out.Methods, uint8(m))
	}
	for _, c := range q.Currencies {
		out.Currencies = append(out.Currencies, string(c))
	}
	if !q.UpdatedSince.IsZero() {
		out.Updated = index.Range{From: q.UpdatedSince.UnixMilli(), HasFrom: true}
	}
	return out
}

// seconds is the range in Unix seconds.
func (t TimeRange) seconds() index.Range {
	r := index.Range{HasFrom: !t.From.IsZero(), HasTo: !t.To.IsZero()}
	if r.HasFrom {
		r.From = t.From.Add(time.Second - 1).Unix() // dates have whole seconds: the first one not before From
	}
	if r.HasTo {
		r.To = t.To.Unix()
	}
	return r
}

// readListed reads invoices that the list names, with their lines and fields if
// they are to be whole. The list knows of a write only after it can be read, so
// what is gone was deleted since, or is damaged.
func readListed(r kv.Reader, org uid.ID, ids []uid.ID, whole bool) (items []billing.Invoice, gone []uid.ID, err error) {
	keys := make([][]byte, len(ids))
	for n, id := range ids {
		keys[n] = keyInvoice(org, id)
	}
	values, err := r.GetMany(keys)
	if err != nil {
		return nil, nil, err
	}
	items = make([]billing.Invoice, 0, len(ids))
	for n, value := range values {
		if value == nil {
			gone = append(gone, ids[n])
			continue
		}
		core, follows, err := openCore(keys[n], value)
		if err != nil {
			return nil, nil, err
		}
		i := core.invoice(org, ids[n])
		if whole {
			if err := readDetail(r, &i, follows); err != nil {
				return nil, nil, err
			}
		}
		items = append(items, i.Invoice)
	}
	return items, gone, giveClients(r, org, items)
}

// giveClients gives those invoices their client that do not keep it themselves.
func giveClients(r kv.Reader, org uid.ID, items []billing.Invoice) error {
	var unsent []uid.ID
	seen := map[uid.ID]bool{}
	for n := range items {
		if i := &items[n]; i.SentAt.IsZero() && !seen[i.PartyID] {
			seen[i.PartyID] = true
			unsent = append(unsent, i.PartyID)
		}
	}
	parties, err := readParties(r, org, unsent)
	for n := range items {
		if i := &items[n]; i.SentAt.IsZero() {
			i.Client = parties[i.PartyID]
		}
	}
	return err
}

// loadLists fills the lists of one organization when the store opens.
func (s *Store) loadLists(r kv.Reader, org uid.ID, c counts) error {
	if err := s.loadParties(r, org, c); err != nil {
		return err
	}
	return s.loadInvoices(r, org, c)
}

func (s *Store) loadParties(r kv.Reader, org uid.ID, c counts) error {
	n := 0
	err := scanParties(r, org, func(p *billing.Party) error {
		n++
		s.parties.Put(org, nameRowOf(p))
		s.lists.Rename(org, p.ID, p.Name)
		return nil
	})
	if err != nil {
		return err
	}
	return agree("parties", n, c.Parties)
}

func (s *Store) loadInvoices(r kv.Reader, org uid.ID, c counts) error {
	n := 0
	rows := readAhead(r, org)
	s.lists.Load(org, s.now(), func(yield func(index.Row) bool) {
		for batch := range rows.batches {
			for _, row := range batch {
				n++
				yield(row) // which takes all
			}
		}
	})
	if rows.err != nil {
		return rows.err
	}
	return agree("listed invoices", n, c.Rows)
}

// rowsAhead are the rows of an organization, read and decoded while those before
// them find their places.
type rowsAhead struct {
	batches chan []index.Row
	err     error // once batches is closed
}

func readAhead(r kv.Reader, org uid.ID) *rowsAhead {
	const atOnce, ahead = 2000, 4
	rows := &rowsAhead{batches: make(chan []index.Row, ahead)}
	go func() {
		defer close(rows.batches)
		batch := make([]index.Row, 0, atOnce)
		rows.err = scanRows(r, org, func(row index.Row) (bool, error) {
			if batch = append(batch, row); len(batch) == atOnce {
				rows.batches <- batch
				batch = make([]index.Row, 0, atOnce)
			}
			return true, nil
		})
		rows.batches <- batch
	}()
	return rows
}
