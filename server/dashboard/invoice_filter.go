package dashboard

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"exante/auth/uid"
	"exante/server/filter"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// invoiceFilter is what a person looks for. Its parameters are those of the API,
// but for what is easier to say: statuses may be given several times, amounts have
// decimals, a client has a name, and a field that was left empty is none. They are
// made into those of the API, and read by the rules of the API.
type invoiceFilter struct {
	Form   *form
	Client *billing.Party // the one whose invoices these are; nil: any

	sent  url.Values // what was asked for, without what was left empty
	api   url.Values // the same in the words of the API
	query storage.InvoiceQuery

	nobody bool // no client has the name that was asked for
}

// filterFields are the fields of the form, those of "More filters" last.
var filterFields = slices.Concat([]string{"search", "client", "due_date_from", "due_date_to", "status"}, moreFilters)

var moreFilters = []string{"issue_date_from", "issue_date_to", "paid_date_from", "paid_date_to", "total_from", "total_to",
	"overdue_days_from", "overdue_days_to", "updated_since", "currency", "collection_method", "invoice_number", "sort"}

// usualOrder is that of the API too, if none is asked for.
const usualOrder = "-created_at"

func (v *visit) readInvoiceFilter(own billing.Currency) (*invoiceFilter, error) {
	f := &invoiceFilter{Form: v.blank(), sent: url.Values{}}
	for name, values := range v.req.Query {
		values = slices.DeleteFunc(slices.Clone(values), func(s string) bool {
			return strings.TrimSpace(s) == "" || name == "sort" && s == usualOrder
		})
		if len(values) > 0 {
			f.sent[name] = values
			f.Form.set(name, values...)
		}
	}
	f.api = copied(f.sent)
	f.joinStatuses()
	f.readAmounts(own)
	if err := v.findClient(f); err != nil {
		return nil, err
	}
	q := filter.Read([]byte(f.api.Encode()))
	f.query = filter.Invoices(q)
	f.query.Page, _ = q.Page()
	f.query.PerPage = invoicesAtOnce
	if f.sent.Has("per_page") {
		q.Refuse("per_page", "is always %d here", invoicesAtOnce)
	}
	return f, f.Form.take(q.Done(), filterFields...)
}

// copied is a copy of values.
func copied(values url.Values) url.Values {
	c := url.Values{}
	for name, list := range values {
		c[name] = slices.Clone(list)
	}
	return c
}

// joinStatuses makes one parameter of the statuses that were ticked.
func (f *invoiceFilter) joinStatuses() {
	if statuses := strings.Split(strings.ToUpper(strings.Join(f.sent["status"], ",")), ","); f.sent.Has("status") {
		f.Form.set("status", statuses...)
		f.api.Set("status", strings.Join(statuses, ","))
	}
}

// readAmounts reads amounts as people write them, in the currency that is filtered
// by, or else that of the organization.
func (f *invoiceFilter) readAmounts(own billing.Currency) {
	if c, ok := billing.ParseCurrency(f.sent.Get("currency")); ok {
		own = c
	}
	for _, name := range []string{"total_from", "total_to"} {
		if !f.api.Has(name) {
			continue
		}
		amount, reason := billing.ParseAmount(strings.TrimSpace(f.sent.Get(name)), own)
		if reason != "" {
			f.Form.refuse(name, sentence(reason))
			f.api.Del(name)
			continue
		}
		f.api[name][0] = strconv.FormatInt(int64(amount), 10)
	}
}

// maxClients is how many clients a part of a name may mean.
const maxClients = 100

// findClient finds the client that the list is of, by his uid or by what was
// written of his name.
func (v *visit) findClient(f *invoiceFilter) error {
	if id, err := uid.Parse(f.sent.Get("target_party_uid")); err == nil {
		p, err := v.store.Party(v.req.Context, v.org.ID, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err != nil {
			p.Name = "unknown"
		}
		f.Client = &p
	}
	if !f.sent.Has("client") {
		return nil
	}
	f.api.Del("client")
	if f.sent.Has("target_party_uid") {
		f.Form.refuse("client", "This list is of one client already.")
		return nil
	}
	name, reason := input.Text(f.sent.Get("client"), 1, 200)
	if reason != "" {
		f.Form.refuse("client", sentence(reason))
		return nil
	}
	return v.findClientsNamed(f, name)
}

// findClientsNamed filters by all clients whose name has a text in it.
func (v *visit) findClientsNamed(f *invoiceFilter, name string) error {
	parties, total, err := v.store.Parties(v.req.Context, v.org.ID, storage.PartyQuery{Search: name, Page: 1, PerPage: maxClients})
	switch {
	case err != nil:
		return err
	case total > maxClients:
		f.Form.refuse("client", "More than "+strconv.Itoa(maxClients)+" clients have that in their name: write more of it.")
		return nil
	case total == 0:
		f.nobody = true
		return nil
	}
	ids := make([]string, len(parties))
	for i := range parties {
		ids[i] = parties[i].ID.String()
	}
	f.api.Set("target_party_uid", strings.Join(ids, ","))
	return nil
}

// link is the list with these parameters.
func link(values url.Values) string {
	if len(values) == 0 {
		return "/invoices"
	}
	return "/invoices?" + values.Encode()
}

// with is the list with one parameter replaced, from its first page; "" takes it
// away.
func (f *invoiceFilter) with(name, value string) string {
	values := copied(f.sent)
	values.Del("page")
	if values.Set(name, value); value == "" {
		values.Del(name)
	}
	return link(values)
}

// page leads to another page of the list.
func (f *invoiceFilter) page(n int) string {
	if n == 1 {
		return f.with("page", "")
	}
	return f.with("page", strconv.Itoa(n))
}

// Here leads to what is shown.
func (f *invoiceFilter) Here() string { return link(f.sent) }

// Filtered reports whether anything was asked for but an order or a page.
func (f *invoiceFilter) Filtered() bool {
	for name := range f.sent {
		if name != "sort" && name != "page" {
			return true
		}
	}
	return false
}

// More reports whether one of "More filters" was used.
func (f *invoiceFilter) More() bool {
	return slices.ContainsFunc(moreFilters, func(name string) bool { return f.sent.Has(name) })
}

// Anyone leads to the same list of all clients.
func (f *invoiceFilter) Anyone() string { return f.with("target_party_uid", "") }

// API is the same list as a program asks for it.
func (f *invoiceFilter) API() string {
	values := copied(f.api)
	values.Del("page")
	if len(values) == 0 {
		return "/api/invoices"
	}
	return "/api/invoices?" + values.Encode()
}

// Statuses are all there are to filter by.
func (f *invoiceFilter) Statuses() (words []statusWord) {
	for _, s := range billing.Statuses() {
		words = append(words, wordOf(s))
	}
	return words
}

// choice is an entry of a list to choose from.
type choice struct{ Value, Label string }

// Orders are what the list can be sorted by.
func (f *invoiceFilter) Orders() []choice {
	return []choice{
		{usualOrder, "Newest first"}, {"created_at", "Oldest first"}, {"-updated_at", "Changed last"},
		{"due_date", "Due first"}, {"-due_date", "Due last"}, {"-issue_date", "Issued last"}, {"issue_date", "Issued first"},
		{"-paid_date", "Paid last"}, {"-total", "Largest total"}, {"total", "Smallest total"}, {"-overdue_days", "Longest overdue"},
		{"invoice_number", "Number"}, {"-invoice_number", "Number, backwards"}, {"status", "Status"}, {"-status", "Status, backwards"},
	}
}

// column is a heading of the list that sorts it.
type column struct {
	Label, Link string
	Sorted      string // "ascending", "descending", or "none"
	Class       string
}

// Columns are the headings; one without a link sorts nothing.
func (f *invoiceFilter) Columns() []column {
	columns := []column{
		{Label: "Number", Link: "invoice_number"}, {Label: "Client"}, {Label: "Status", Link: "status"},
		{Label: "Issued", Link: "issue_date"}, {Label: "Due", Link: "due_date"},
		{Label: "Total", Link: "total", Class: "num"}, {Label: "Remaining", Class: "num"},
	}
	now := strings.TrimLeft(f.sent.Get("sort"), "+ ")
	for i := range columns {
		c := &columns[i]
		if c.Link == "" {
			continue
		}
		field := c.Link
		c.Sorted, c.Link = "none", f.with("sort", field)
		switch now {
		case field:
			c.Sorted, c.Link = "ascending", f.with("sort", "-"+field)
		case "-" + field:
			c.Sorted = "descending"
		}
	}
	return columns
}
