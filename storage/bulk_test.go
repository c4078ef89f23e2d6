package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

func change(id uid.ID, p billing.InvoicePatch) storage.InvoiceChange {
	return storage.InvoiceChange{ID: id, Patch: p}
}

func TestBulkUpdateAnswersInTheOrderAsked(t *testing.T) {
	b := openBooks(t)
	first, second := b.draft(100), b.draft(200)
	got, err := b.UpdateInvoices(t.Context(), b.by, []storage.InvoiceChange{
		change(second.ID, billing.InvoicePatch{Status: new(billing.Sent)}),
		change(first.ID, billing.InvoicePatch{Tax: new(billing.Cents(7))}),
	})
	if err != nil || len(got) != 2 || got[0].ID != second.ID || got[1].ID != first.ID {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got[0].Number != "INV-2026-000001" || got[1].Total != 107 || got[1].Version != 2 || len(got[0].Lines) != 1 {
		t.Errorf("got number %q, total %d of version %d", got[0].Number, got[1].Total, got[1].Version)
	}
	if stored := b.invoice(first.ID); stored.Total != 107 {
		t.Errorf("stored total = %d, want 107", stored.Total)
	}
}

// All or nothing, and one answer names every bad element.
func TestBulkUpdateChangesNothingIfOneElementIsBad(t *testing.T) {
	b := openBooks(t)
	good, sent, other := b.draft(100), b.reading(billing.Sent), b.draft(1)
	b.update(other.ID, billing.InvoicePatch{Number: new("TAKEN")})
	_, err := b.UpdateInvoices(t.Context(), b.by, []storage.InvoiceChange{
		change(good.ID, billing.InvoicePatch{Tax: new(billing.Cents(7)), Status: new(billing.Sent)}),
		change(sent.ID, billing.InvoicePatch{Status: new(billing.Draft)}),
		change(other.ID, billing.InvoicePatch{Tax: new(billing.Cents(-1))}),
	})
	var batch *storage.BatchError
	if !errors.As(err, &batch) || len(batch.Elements) != 2 || batch.Elements[0].Index != 1 || batch.Elements[1].Index != 2 {
		t.Fatalf("got %v, want elements 1 and 2 refused", err)
	}
	if !errors.Is(err, billing.ErrTransition) || !errors.Is(batch.Elements[1].Err, input.ErrInvalid) {
		t.Errorf("elements are %v", batch.Elements)
	}
	if i := b.invoice(good.ID); i.Version != good.Version || i.Status != billing.Draft || i.Tax != 0 {
		t.Errorf("the good element is changed: %+v", i)
	}
	if next := b.reading(billing.Sent); next.Number != "INV-2026-000002" {
		t.Errorf("a refused batch used up a number: the next is %q", next.Number)
	}
}

func TestBulkNamesWhatIsAbsentForeignOrTwice(t *testing.T) {
	b := openBooks(t)
	rival := booksOf(t, b.Store, b.clock)
	mine, theirs, nobodys := b.draft(1), rival.draft(1), uid.ID{15: 9}
	ids := []uid.ID{mine.ID, theirs.ID, nobodys}
	refused(t, b.DeleteInvoices(t.Context(), b.by, ids), storage.ErrNotFound, "not found: [[1]: not found [2]: not found]")
	_, err := b.UpdateInvoices(t.Context(), b.by, []storage.InvoiceChange{change(mine.ID, billing.InvoicePatch{}), change(mine.ID, billing.InvoicePatch{})})
	refused(t, err, input.ErrInvalid, "invalid: [[1]: names the same invoice again]")
	if err := b.DeleteInvoices(t.Context(), b.by, []uid.ID{mine.ID, mine.ID}); !errors.Is(err, input.ErrInvalid) {
		t.Errorf("deleting twice in one call: %v", err)
	}
	b.invoice(mine.ID)
	rival.invoice(theirs.ID)
}

func TestOnlyDraftsAreDeleted(t *testing.T) {
	b := openBooks(t)
	for _, status := range billing.Statuses() {
		inv, draft := b.reading(status), b.draft(1)
		err := b.DeleteInvoices(t.Context(), b.by, []uid.ID{draft.ID, inv.ID})
		if status == billing.Draft {
			if err != nil {
				t.Errorf("DRAFT: %v", err)
			}
			continue
		}
		if !errors.Is(err, billing.ErrNotDeletable) {
			t.Errorf("%s: %v, want it refused", status, err)
		}
		b.invoice(draft.ID)
		b.invoice(inv.ID)
	}
}

func TestDeletedInvoiceLeavesNothingBehind(t *testing.T) {
	b := openBooks(t)
	inv := b.create(billing.InvoicePatch{Number: new("A")})
	b.body(inv)
	long := b.create(billing.InvoicePatch{Fields: &[]billing.Field{{Key: "k", JSON: fmt.Appendf(nil, "%q", strings.Repeat("x", 60_000))}}})
	if err := b.DeleteInvoices(t.Context(), b.by, []uid.ID{inv.ID, long.ID}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Invoice(t.Context(), b.org.ID, inv.ID)
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = b.RenderedInvoice(t.Context(), b.org.ID, inv.ID, render)
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{}, 0)
	refused(t, err, storage.ErrNotFound, "no such record")
	if _, total := b.list(storage.InvoiceQuery{}); total != 0 {
		t.Errorf("the list has %d invoices, want none", total)
	}
	b.create(billing.InvoicePatch{Number: new("A")}) // the number is free again
}

// A list or a read that meets a deletion half way is no damage.
func TestReadersMeetDeletionsWithoutAlarm(t *testing.T) {
	b := openBooks(t)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				page, err := b.Invoices(t.Context(), b.org.ID, storage.InvoiceQuery{PerPage: 20, Desc: true})
				if err != nil {
					t.Errorf("list: %v", err)
					return
				}
				for _, i := range page.Items {
					if _, err := b.Invoice(t.Context(), b.org.ID, i.ID); err != nil && !errors.Is(err, storage.ErrNotFound) {
						t.Errorf("read: %v", err)
					}
					if _, err := b.UpdateInvoice(t.Context(), b.by, i.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))}, 0); err != nil && !errors.Is(err, storage.ErrNotFound) {
						t.Errorf("update: %v", err)
					}
				}
			}
		})
	}
	for range 30 {
		var ids []uid.ID
		for range 10 {
			ids = append(ids, b.draft(1).ID)
		}
		for half := range slices.Chunk(ids, 5) {
			if err := b.DeleteInvoices(t.Context(), b.by, half); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	readers.Wait()
}
