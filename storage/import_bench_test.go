package storage_test

import (
	"fmt"
	"testing"
	"time"

	"exante/storage"
	"exante/storage/billing"
)

func BenchmarkImport(b *testing.B) {
	k := openBooks(b)
	m, err := k.BeginImport(b.Context(), k.by, storage.ImportOptions{ID: [32]byte{1}})
	if err != nil {
		b.Fatal(err)
	}
	lines := make([]storage.ImportLine, 400)
	n := 0
	began := time.Now()
	for b.Loop() {
		for i := range lines {
			n++
			lines[i] = storage.ImportLine{
				Patch: billing.InvoicePatch{PartyID: &k.party.ID, Number: new(fmt.Sprintf("N-%08d", n)), Lines: &[]billing.LinePatch{product("work", 1000)}},
				End:   storage.ImportMark{Lines: uint64(n), Bytes: uint64(n) * 300},
			}
		}
		for left := lines; len(left) > 0; {
			done, err := m.Put(b.Context(), left)
			if err != nil {
				b.Fatal(err)
			}
			for i, refused := range done {
				if refused != nil {
					b.Fatal(left[i].Patch.Number, refused)
				}
			}
			left = left[len(done):]
		}
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "invoices/s")
}
