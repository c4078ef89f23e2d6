package storage

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"exante/auth"
	"exante/storage/billing"
	"exante/storage/kv"
)

// What is too large for one transaction is refused whole, by a name of ours.
func TestTooLargeATransactionChangesNothing(t *testing.T) {
	l := openLedger(t)
	err := l.update(t.Context(), auth.Principal{Shell: true}, func(tx *tx) error {
		for i := range kv.MaxTxnWrites + 1 {
			if err := tx.Put(fmt.Appendf(nil, "z%d", i), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, ErrTooLarge) || !errors.Is(err, kv.ErrTooLarge) {
		t.Fatalf("update = %v, want ErrTooLarge", err)
	}
	err = l.db.View(t.Context(), func(r kv.Reader) error {
		if n, err := r.Count(kv.Prefix([]byte("z"))); n != 0 || err != nil {
			return fmt.Errorf("%d of its writes are there, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// An invoice that the lists know and the disk does not have is damage, never
// "no such record".
func TestListedInvoiceThatIsGoneIsDamage(t *testing.T) {
	l := openLedger(t)
	by := auth.Principal{Shell: true, OrgID: l.org}
	err := l.update(t.Context(), by, func(tx *tx) error { return tx.Delete(keyInvoice(l.org, l.draft.ID)) })
	if err != nil {
		t.Fatal(err)
	}
	_, readErr := l.Invoice(t.Context(), l.org, l.draft.ID)
	_, writeErr := l.UpdateInvoice(t.Context(), by, l.draft.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))}, 0)
	for _, err := range []error{readErr, writeErr} {
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "is listed and can't be read") {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
	}
}
