package storage_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

func (b *books) walk(q storage.InvoiceQuery) (all []billing.Invoice) {
	b.Helper()
	w := b.WalkInvoices(b.org.ID, q)
	for {
		batch, err := w.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		all = append(all, batch...)
	}
	if len(all) != w.Len() {
		b.Errorf("%d invoices walked, %d announced", len(all), w.Len())
	}
	return all
}

func TestWalkReadsEveryMatchWholeAndInOrder(t *testing.T) {
	b := openBooks(t)
	var ids []uid.ID
	for _, inv := range b.oneOfEach() {
		ids = append(ids, inv.ID)
	}
	for range 230 {
		ids = append(ids, b.draft(100).ID)
	}
	fields := []billing.Field{{Key: "long", JSON: []byte(`"` + strings.Repeat("x", 60<<10) + `"`)}}
	ids = append(ids, b.create(billing.InvoicePatch{Fields: &fields}).ID) // in chunks
	b.create(billing.InvoicePatch{Type: new(billing.Payable)})
	want, _ := b.list(storage.InvoiceQuery{Sort: storage.ByStatus, Desc: true, PerPage: 1000})
	got := b.walk(storage.InvoiceQuery{Sort: storage.ByStatus, Desc: true})
	if len(got) != len(ids) || len(got) != len(want) {
		t.Fatalf("%d invoices, want %d", len(got), len(ids))
	}
	for i := range got {
		if whole := b.invoice(want[i].ID); !reflect.DeepEqual(got[i], whole) {
			t.Fatalf("invoice %d is %+v\nwant %+v", i, got[i], whole)
		}
	}
	if paid := b.walk(storage.InvoiceQuery{Statuses: []billing.Status{billing.Paid}}); len(paid) != 1 {
		t.Errorf("%d paid invoices, want 1", len(paid))
	}
	if none := b.walk(storage.InvoiceQuery{Number: "none"}); len(none) != 0 {
		t.Errorf("%d invoices, want none", len(none))
	}
}

func TestWalkReadsEachInvoiceAsItIsWhenItsTurnComes(t *testing.T) {
	b := openBooks(t)
	var ids []uid.ID
	for range 150 {
		ids = append(ids, b.draft(100).ID)
	}
	w := b.WalkInvoices(b.org.ID, storage.InvoiceQuery{})
	first, err := w.Next(t.Context())
	if err != nil || len(first) == 0 || len(first) == 150 {
		t.Fatalf("the first batch has %d invoices, %v", len(first), err)
	}
	b.draft(1) // came later: not in it
	b.move(ids[149], billing.Sent)
	if err := b.DeleteInvoices(t.Context(), b.by, ids[120:130]); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := w.Next(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
	var last []billing.Invoice // all that follow
	for batch, err := w.Next(t.Context()); len(batch) > 0 || err != nil; batch, err = w.Next(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		last = append(last, batch...)
	}
	if len(last) != 150-len(first)-10 || last[len(last)-1].ID != ids[149] || last[len(last)-1].Status != billing.Sent {
		t.Errorf("%d more, the last is %+v", len(last), last[len(last)-1])
	}
}
