package storage

import (
	"context"
	"slices"
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

	Issue, Due, PaidOn TimeRange // an invoice without the date is in no range of it
	Total              IntRange  // cents
	OverdueDays        IntRange
	UpdatedSince       time.Time

	Sort          InvoiceSort
	Desc          bool // reverses the order, ties by uid included
	Page, PerPage int  // from 1
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

// Invoices is one page of the receivable invoices that match, and how many match
// in all. Items come without Lines and Fields.
func (s *Store) Invoices(ctx context.Context, org uid.ID, q InvoiceQuery) (items []billing.Invoice, total int, err error) {
	page := s.lists.Find(org, q.query(s.now()))
	ids, total := page.IDs, page.Total
	items = make([]billing.Invoice, 0, len(ids))
	if len(ids) == 0 {
		return items, total, nil
	}
	err = s.db.View(ctx, func(r kv.Reader) error {
		items, err = readCores(r, org, ids)
		return err
	})
	return items, total, err
}

// query is q in the terms of the index.
func (q *InvoiceQuery) query(now time.Time) index.Query {
	out := index.Query{
		Parties: q.PartyIDs, Number: q.Number,
		Issue: q.Issue.seconds(), Due: q.Due.seconds(), Paid: q.PaidOn.seconds(),
		Total: index.Range(q.Total), OverdueDays: index.Range(q.OverdueDays),
		Sort: sortColumns[q.Sort], Desc: q.Desc, Offset: offset(q.Page, q.PerPage), Limit: q.PerPage, Now: now,
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

// rowOf is what the list knows of an invoice.
func rowOf(i *billing.Invoice) index.Row {
	return index.Row{
		ID: i.ID, Party: i.PartyID, Number: i.Number, Currency: string(i.Currency),
		Status: uint8(i.Status), Method: uint8(i.CollectionMethod),
		Issue: i.IssueDate.Unix(), Due: i.DueDate.Unix(), Paid: dateOrNone(i.PaidDate),
		Created: i.CreatedAt.UnixMilli(), Updated: i.UpdatedAt.UnixMilli(), Total: int64(i.Total),
	}
}

func dateOrNone(t time.Time) int64 {
	if t.IsZero() {
		return index.None
	}
	return t.Unix()
}

// readCores reads invoices that the list names, without their details. The list
// knows of a write only after it can be read.
func readCores(r kv.Reader, org uid.ID, ids []uid.ID) ([]billing.Invoice, error) {
	keys := make([][]byte, len(ids))
	for n, id := range ids {
		keys[n] = keyInvoice(org, id)
	}
	values, err := r.GetMany(keys)
	if err != nil {
		return nil, err
	}
	items := make([]billing.Invoice, len(ids))
	var unsent []uid.ID
	for n, value := range values {
		if value == nil {
			return nil, missing(ErrNotFound, "invoice", keys[n])
		}
		core, _, err := openCore(keys[n], value)
		if err != nil {
			return nil, err
		}
		items[n] = core.invoice(org, ids[n]).Invoice
		if core.Client == nil && !slices.Contains(unsent, core.Party) {
			unsent = append(unsent, core.Party)
		}
	}
	parties, err := readParties(r, org, unsent)
	for n := range items {
		if items[n].SentAt.IsZero() {
			items[n].Client = parties[items[n].PartyID]
		}
	}
	return items, err
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
		return nil
	})
	if err != nil {
		return err
	}
	return agree("parties", n, c.Parties)
}

func (s *Store) loadInvoices(r kv.Reader, org uid.ID, c counts) error {
	n := 0
	err := scanCores(r, org, func(i *storedInvoice, _ []byte) error {
		n++
		if i.Type == billing.Receivable {
			s.lists.Put(org, rowOf(&i.Invoice))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return agree("invoices", n, c.Invoices)
}
