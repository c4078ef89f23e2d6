package storage

import (
	"path/filepath"
	"testing"
)

// BenchmarkStart opens a store with 100,000 invoices: judged, with its files set
// aside, against its anchor and its audit copy.
func BenchmarkStart(b *testing.B) {
	if testing.Short() {
		b.Skip("takes several seconds to fill the store")
	}
	o := millionOptions(b, filepath.Join(b.TempDir(), "data"))
	fillInvoices(b, o.Dir, 100_000)
	for _, copied := range []bool{false, true} {
		name := "anchor"
		if copied {
			name, o.AuditCopy = "anchor and copy", filepath.Join(b.TempDir(), "data.audit")
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s, err := Open(o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
