package dashboard

import (
	"net/http"
	"time"

	"exante/storage"
	"exante/storage/billing"
)

// invoicesPage lists invoices.
type invoicesPage struct {
	*invoiceFilter
	Totals     []statusTotal
	Currencies []billing.Currency
	Clients    []string // to choose from, if they are few
	Rows       []invoiceRow
	Total      int // that match
	Address    string
}

// invoiceRow is an invoice as the list shows it.
type invoiceRow struct {
	*billing.Invoice
	Late int // days overdue
	Word statusWord
}

// invoicesAtOnce is how many invoices are on one page of the list.
const invoicesAtOnce = 50

func listInvoices(v *visit) error {
	sums, own, err := v.store.InvoiceSums(v.req.Context, v.org.ID)
	if err != nil {
		return err
	}
	filter, err := v.readInvoiceFilter(own)
	if err != nil {
		return err
	}
	p := invoicesPage{invoiceFilter: filter, Address: v.address(), Currencies: currenciesOf(sums, own)}
	p.Totals = invoiceTotals(filter, sums, p.Currencies)
	if p.Clients, err = v.fewClients(); err != nil {
		return err
	}
	status := http.StatusOK
	switch {
	case filter.Form.Bad():
		status = http.StatusUnprocessableEntity
	case !filter.nobody:
		found, err := v.store.Invoices(v.req.Context, v.org.ID, filter.query)
		if err != nil {
			return err
		}
		p.Total = found.Total
		for i := range found.Items {
			p.Rows = append(p.Rows, rowOf(&found.Items[i], v.now))
		}
	}
	v.res.set("HX-Push-Url", filter.Here()) // without the fields that were left empty
	return v.show(status, "invoices", "Invoices", p)
}

func rowOf(inv *billing.Invoice, now time.Time) invoiceRow {
	return invoiceRow{Invoice: inv, Late: inv.OverdueDays(now), Word: wordOf(inv.StatusAt(now))}
}

// fewClients are the names of all clients, if they fit into a list to choose from.
func (v *visit) fewClients() (names []string, err error) {
	const few = 50
	parties, total, err := v.store.Parties(v.req.Context, v.org.ID, storage.PartyQuery{Sort: "name", Page: 1, PerPage: few})
	if err != nil || total > few {
		return nil, err
	}
	for i := range parties {
		names = append(names, parties[i].Name)
	}
	return names, nil
}

// Pages is how many pages the list has.
func (p invoicesPage) Pages() int { return max(1, (p.Total+invoicesAtOnce-1)/invoicesAtOnce) }

// From and To are the places of the first and the last row that is shown.
func (p invoicesPage) From() int { return (p.query.Page-1)*invoicesAtOnce + 1 }

// To is the place of the last row that is shown.
func (p invoicesPage) To() int { return p.From() + len(p.Rows) - 1 }

// Previous and Next lead to the pages beside; "" where there is none.
func (p invoicesPage) Previous() string {
	if p.query.Page <= 1 {
		return ""
	}
	return p.page(min(p.query.Page-1, p.Pages()))
}

// Next leads to the next page.
func (p invoicesPage) Next() string {
	if p.query.Page >= p.Pages() {
		return ""
	}
	return p.page(p.query.Page + 1)
}

// address is what URLs of this server begin with, as the browser reached it.
func (v *visit) address() string {
	switch {
	case v.public != "":
		return v.public
	case v.req.Secure:
		return "https://" + v.req.Host
	}
	return "http://" + v.req.Host
}
