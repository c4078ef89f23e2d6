package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// model is what a client of the store may expect of its invoices: a map, and the
// rules of the contract in their plainest words.
type model struct {
	*books
	options  storage.Options
	parties  []billing.Party
	invoices map[uid.ID]*modelInvoice
	order    []uid.ID // by creation
	prices   map[string]billing.Cents
	sent     int // numbers given by the series
}

type modelInvoice struct {
	version            uint64
	status             billing.Status
	number             string
	party              int // place in parties
	client             string
	due                time.Time
	tax, paid          billing.Cents
	lines              []modelLine
	everSent, bySeries bool
}

type modelLine struct {
	id    uid.ID
	sku   string
	minus bool
	price billing.Cents
}

func (i *modelInvoice) total() billing.Cents {
	total := i.tax
	for _, l := range i.lines {
		if l.minus {
			total -= l.price
		} else {
			total += l.price
		}
	}
	return total
}

func (i *modelInvoice) open() bool {
	return i.status == billing.Draft || i.status == billing.Approved || i.status == billing.Scheduled
}

func (i *modelInvoice) reads(now time.Time) billing.Status {
	late := now.UTC().Format(time.DateOnly) > i.due.UTC().Format(time.DateOnly)
	if late && (i.status == billing.Sent || i.status == billing.PartiallyPaid) {
		return billing.Overdue
	}
	return i.status
}

// outcome compares what the store said of a call with what it should have said;
// true if it was carried out.
func outcome(t *rapid.T, call string, err, want error) bool {
	if want == nil && err == nil {
		return true
	}
	if want == nil || !errors.Is(err, want) {
		t.Fatalf("%s: got error %v, want %v", call, err, want)
	}
	return false
}

func (m *model) pick(t *rapid.T) (uid.ID, *modelInvoice) {
	if len(m.order) == 0 {
		t.Skip("no invoice yet")
	}
	id := m.order[rapid.IntRange(0, len(m.order)-1).Draw(t, "invoice")]
	return id, m.invoices[id]
}

func (m *model) drawLine(t *rapid.T) (billing.LinePatch, modelLine, bool) {
	l := modelLine{
		sku:   rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "sku"),
		minus: rapid.IntRange(0, 3).Draw(t, "discount") == 0,
		price: billing.Cents(rapid.IntRange(0, 200).Draw(t, "price")),
	}
	p := billing.LinePatch{Type: new(billing.Product), SKU: &l.sku}
	if l.minus {
		p.Type = new(billing.Discount)
	}
	key := fmt.Sprint(l.sku, l.minus)
	if rapid.Bool().Draw(t, "priced") {
		p.UnitPrice = &l.price
		return p, l, true
	}
	known := false
	l.price, known = m.prices[key]
	return p, l, known
}

func (m *model) remember(l modelLine) { m.prices[fmt.Sprint(l.sku, l.minus)] = l.price }

func (m *model) Create(t *rapid.T) {
	i := &modelInvoice{version: 1, status: billing.Draft, party: rapid.IntRange(0, len(m.parties)-1).Draw(t, "party")}
	now := m.clock.Now()
	i.due = now.Truncate(time.Second).AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "term"))
	i.number = rapid.SampledFrom([]string{"", "", "", "N1", "N2", "N3"}).Draw(t, "number")
	p := billing.InvoicePatch{PartyID: &m.parties[i.party].ID, DueDate: &i.due, Number: &i.number}
	var want error
	for _, other := range m.invoices {
		if i.number != "" && other.number == i.number {
			want = storage.ErrExists
		}
	}
	status := rapid.SampledFrom([]billing.Status{billing.Draft, billing.Sent, billing.Approved, billing.Paid}).Draw(t, "status")
	p.Status = &status
	if want == nil && status == billing.Paid {
		want = billing.ErrTransition
	}
	inv, err := m.CreateInvoice(m.Context(), m.by, p)
	if !outcome(t, "create", err, want) {
		return
	}
	if i.status = status; status == billing.Sent {
		m.send(i)
	}
	m.invoices[inv.ID] = i
	m.order = append(m.order, inv.ID)
}

func (m *model) send(i *modelInvoice) {
	if !i.everSent {
		i.everSent, i.client = true, m.parties[i.party].Name
	}
	if i.number == "" {
		m.sent++
		i.bySeries = true
		i.number = fmt.Sprintf("INV-%04d-%06d", m.clock.Now().Year(), m.sent)
	}
}

func (m *model) Move(t *rapid.T) {
	id, i := m.pick(t)
	to := rapid.SampledFrom(billing.Statuses()).Draw(t, "to")
	reads := i.reads(m.clock.Now())
	var want error
	switch {
	case to == i.status || to == reads:
	case to == billing.Overdue:
		want = input.ErrInvalid
	case slices.Contains(allowed[i.status], to):
	case to == billing.PartiallyPaid && (i.status == billing.Sent || i.status == billing.Disputed) && 0 < i.paid && i.paid < i.total():
	default:
		want = billing.ErrTransition
	}
	_, err := m.UpdateInvoice(m.Context(), m.by, id, billing.InvoicePatch{Status: &to}, 0)
	if !outcome(t, fmt.Sprintf("%s to %s", i.status, to), err, want) || to == i.status || to == reads {
		return
	}
	i.version++
	i.status = to
	switch to {
	case billing.Sent:
		m.send(i)
	case billing.Paid:
		i.paid = i.total()
	}
}

func (m *model) Amend(t *rapid.T) {
	id, i := m.pick(t)
	tax := billing.Cents(rapid.IntRange(0, 20).Draw(t, "tax"))
	party := rapid.IntRange(0, len(m.parties)-1).Draw(t, "party")
	ifMatch := i.version + rapid.SampledFrom([]uint64{0, 0, 0, 1}).Draw(t, "stale")
	was := *i
	changes := tax != i.tax || party != i.party
	var want error
	switch {
	case ifMatch != i.version:
		want = storage.ErrConflict
	case changes && !i.open():
		want = billing.ErrLockedFields
	default:
		if i.tax, i.party = tax, party; i.total() < 0 {
			want = input.ErrInvalid
		}
	}
	_, err := m.UpdateInvoice(m.Context(), m.by, id, billing.InvoicePatch{Tax: &tax, PartyID: &m.parties[party].ID}, ifMatch)
	if !outcome(t, "amend", err, want) {
		*i = was
	} else if changes {
		i.version++
	}
}

// Delete takes several at once, which must all be drafts.
func (m *model) Delete(t *rapid.T) {
	var ids []uid.ID
	var want error
	for range rapid.IntRange(1, 3).Draw(t, "how many") {
		id, i := m.pick(t)
		if slices.Contains(ids, id) {
			continue
		}
		if ids = append(ids, id); i.status != billing.Draft {
			want = billing.ErrNotDeletable
		}
	}
	if !outcome(t, "delete", m.DeleteInvoices(m.Context(), m.by, ids), want) {
		return
	}
	for _, id := range ids {
		delete(m.invoices, id)
		m.order = slices.DeleteFunc(m.order, func(other uid.ID) bool { return other == id })
	}
}

// Tax changes the tax of several at once, of all or of none.
func (m *model) Tax(t *rapid.T) {
	var changes []storage.InvoiceChange
	var want error
	after := map[uid.ID]*modelInvoice{}
	for range rapid.IntRange(1, 3).Draw(t, "how many") {
		id, i := m.pick(t)
		if after[id] != nil {
			continue
		}
		next := *i
		next.tax = billing.Cents(rapid.IntRange(0, 20).Draw(t, "tax"))
		if next.tax != i.tax {
			next.version++
		}
		changes = append(changes, storage.InvoiceChange{ID: id, Patch: billing.InvoicePatch{Tax: &next.tax}})
		after[id] = &next
		switch {
		case want != nil || next.tax == i.tax:
		case !i.open():
			want = billing.ErrLockedFields
		case next.total() < 0:
			want = input.ErrInvalid
		}
	}
	updated, err := m.UpdateInvoices(m.Context(), m.by, changes)
	if !outcome(t, "update several", err, want) {
		return
	}
	for n, c := range changes {
		if m.invoices[c.ID] = after[c.ID]; updated[n].ID != c.ID || updated[n].Tax != *c.Patch.Tax {
			t.Fatalf("place %d of the answer is %s with tax %d", n, updated[n].ID, updated[n].Tax)
		}
	}
}

func (m *model) AddLine(t *rapid.T) {
	id, i := m.pick(t)
	p, l, priced := m.drawLine(t)
	was := *i
	var want error
	if i.lines = append(slices.Clip(i.lines), l); !was.open() {
		want = billing.ErrLockedFields
	} else if !priced || i.total() < 0 {
		want = input.ErrInvalid
	}
	added, _, err := m.AddLines(m.Context(), m.by, id, []billing.LinePatch{p}, 0)
	if !outcome(t, "add a line", err, want) {
		*i = was
		return
	}
	i.lines[len(i.lines)-1].id = added[0].ID
	i.version++
	m.remember(l)
}

func (m *model) DeleteLine(t *rapid.T) {
	id, i := m.pick(t)
	if len(i.lines) == 0 {
		t.Skip("no line")
	}
	n := rapid.IntRange(0, len(i.lines)-1).Draw(t, "line")
	was := *i
	i.lines = slices.Delete(slices.Clone(i.lines), n, n+1)
	var want error
	if !i.open() {
		want = billing.ErrLockedFields
	} else if i.total() < 0 {
		want = input.ErrInvalid
	}
	if _, err := m.DeleteLines(m.Context(), m.by, id, []uid.ID{was.lines[n].id}, 0); !outcome(t, "delete a line", err, want) {
		*i = was
		return
	}
	i.version++
}
