package storage_test

import (
	"testing"

	"exante/storage"
	"exante/storage/billing"
)

// The list in memory follows a commit a moment after it can be read. In between
// it must not vouch for an invoice that its filter no longer lets through.
func TestListShowsOnlyWhatPassesItsFilterWhileItChanges(t *testing.T) {
	b := openBooks(t)
	i := b.draft(100)
	done := make(chan error, 1)
	go func() {
		for n := range 2000 {
			to := []billing.Status{billing.Approved, billing.Draft}[n%2]
			if _, err := b.UpdateInvoice(t.Context(), b.by, i.ID, billing.InvoicePatch{Status: &to}, 0); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	lists, wrong := 0, 0
	for {
		for _, item := range b.page(storage.InvoiceQuery{Statuses: []billing.Status{billing.Draft}, Page: 1, PerPage: 10}).Items {
			if item.Status != billing.Draft {
				wrong++
			}
		}
		lists++
		select {
		case err := <-done:
			if err != nil || wrong > 0 {
				t.Errorf("%d of %d lists of drafts had an invoice that is none; %v", wrong, lists, err)
			}
			return
		default:
		}
	}
}
