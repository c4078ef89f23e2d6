package storage

import (
	"errors"
	"fmt"
	"testing"

	"exante/auth"
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
