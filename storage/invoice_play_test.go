package storage_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/storagetest"
)

// Check compares every invoice, one by one, in its body, and in the list.
func (m *model) Check(t *rapid.T) {
	now, perStatus := m.clock.Now(), map[billing.Status][]uid.ID{}
	for _, id := range m.order {
		want := m.invoices[id]
		got := m.invoice(id)
		if !want.everSent {
			want.client = m.parties[want.party].Name
		}
		var lines []modelLine
		for _, l := range got.Lines {
			lines = append(lines, modelLine{l.ID, l.SKU, l.Type == billing.Discount, l.Total})
		}
		was := *want
		is := modelInvoice{got.Version, got.Status, got.Number, want.party, got.Client.Name, got.DueDate, got.Tax, got.Paid, lines, !got.SentAt.IsZero(), want.bySeries}
		if len(lines) == 0 {
			is.lines, was.lines = nil, nil
		}
		if !reflect.DeepEqual(is, was) || got.Total != want.total() || got.PartyID != m.parties[want.party].ID {
			t.Fatalf("invoice %s is %+v\nwant %+v", id, is, was)
		}
		text := fmt.Sprintf("%d %s %d %s %d", got.Version, want.reads(now), got.OverdueDays(now), got.Client.Name, got.Client.Version)
		if body, _ := m.body(got); body != text {
			t.Fatalf("the body is %q, want %q", body, text)
		}
		perStatus[want.reads(now)] = append(perStatus[want.reads(now)], id)
	}
	m.checkSums(t, perStatus)
	for _, s := range billing.Statuses() {
		items, total := m.list(storage.InvoiceQuery{Statuses: []billing.Status{s}})
		var ids []uid.ID
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		byID := func(a, b uid.ID) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(ids, byID)
		slices.SortFunc(perStatus[s], byID)
		if want := perStatus[s]; total != len(want) || !slices.Equal(ids, want) {
			t.Fatalf("%s: the list has %v of %d, want %v", s, ids, total, want)
		}
	}
}

// checkSums holds the stats, as they read now, against a recount.
func (m *model) checkSums(t *rapid.T, perStatus map[billing.Status][]uid.ID) {
	sums, own, err := m.InvoiceSums(m.Context(), m.org.ID)
	if err != nil || own != billing.DefaultCurrency {
		t.Fatalf("sums: %q, %v", own, err)
	}
	counted := 0
	for _, sum := range sums {
		want := billing.Cents(0)
		for _, id := range perStatus[sum.Status] {
			want += m.invoices[id].total()
		}
		total, _ := sum.Total.Int64()
		if sum.Count != len(perStatus[sum.Status]) || total != int64(want) || sum.Currency != own {
			t.Fatalf("%s: %d invoices of %d %s, want %d of %d", sum.Status, sum.Count, total, sum.Currency, len(perStatus[sum.Status]), want)
		}
		counted += sum.Count
	}
	if _, total := m.list(storage.InvoiceQuery{}); counted != len(m.order) || total != counted {
		t.Fatalf("the sums are of %d invoices, the list has %d, want %d", counted, total, len(m.order))
	}
}

// Every sequence of operations has an organization of its own, in one store.
func TestRandomOperationsLeaveWhatTheModelSays(t *testing.T) {
	clock := storagetest.NewClock()
	options := storagetest.Options(t, clock)
	store := storagetest.Reopen(t, options)
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			books: booksOf(t, store, clock), options: options,
			invoices: map[uid.ID]*modelInvoice{}, prices: map[string]billing.Cents{},
		}
		m.parties = []billing.Party{m.party, m.newParty("Initech")}
		defer func() { store = m.Store }()
		rt.Repeat(rapid.StateMachineActions(m))
	})
}

func (m *model) Wait(t *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(0, 10*24).Draw(t, "hours")) * time.Hour)
}

func (m *model) Reopen(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "reopen") > 0 {
		t.Skip("seldom")
	}
	storagetest.Close(m.TB, m.Store)
	m.Store = storagetest.Reopen(m.TB, m.options)
}

func (m *model) RenameParty(t *rapid.T) {
	n := rapid.IntRange(0, len(m.parties)-1).Draw(t, "party")
	name := rapid.SampledFrom([]string{"Globex", "Initech", "Hooli"}).Draw(t, "name")
	p, err := m.UpdateParty(m.Context(), m.by, m.parties[n].ID, billing.PartyPatch{Name: &name}, 0)
	outcome(t, "rename", err, nil)
	m.parties[n] = p
}

func (m *model) Pay(t *rapid.T) {
	id, i := m.pick(t)
	amount := billing.Cents(rapid.IntRange(0, 150).Draw(t, "amount"))
	var want error
	switch {
	case i.status != billing.Sent && i.status != billing.PartiallyPaid && i.status != billing.Disputed:
		want = billing.ErrTransition
	case amount < 1 || amount > i.total()-i.paid:
		want = input.ErrInvalid
	}
	if _, _, err := m.RecordPayment(m.Context(), m.by, id, amount, time.Time{}, "", 0); !outcome(t, "pay", err, want) {
		return
	}
	i.version++
	if i.paid += amount; i.paid == i.total() {
		i.status = billing.Paid
	} else {
		i.status = billing.PartiallyPaid
	}
}
