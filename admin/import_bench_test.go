package admin_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"exante/admin"
	"exante/server"
	"exante/storage/kv"
)

// BenchmarkImport imports files of simple invoices, each run a file and a store of
// its own, and compares with a ceiling: the keys and values that the import left,
// written again in as large transactions as there are, by nobody who reads or
// judges anything.
func BenchmarkImport(b *testing.B) {
	for _, lines := range []int{20_000, 200_000} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			text := simpleFile(lines)
			var took, ceiling time.Duration
			for b.Loop() {
				dir := dataDir(b)
				took += importOnce(b, dir, text)
				ceiling += writeAgain(b, dir)
				os.RemoveAll(dir)
			}
			done := float64(b.N * lines)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(done/took.Seconds(), "invoices/s")
			b.ReportMetric(ceiling.Seconds()/took.Seconds(), "x-ceiling")
			var used syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(used.Maxrss>>10), "MiB-peak-RSS")
		})
	}
}

// simpleFile has invoices of one line item to the same party.
func simpleFile(lines int) []byte {
	var b bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&b, `{"party":{"name":"Globex"},"invoice_number":"N-%07d","status":"SENT","issue_date":"2026-01-01","line_items":[{"context_type":"PRODUCT","sku":"work","unit_price":1000}]}`+"\n", i)
	}
	return b.Bytes()
}

// importOnce imports text into a new store and says how long that took.
func importOnce(b *testing.B, dir string, text []byte) time.Duration {
	store := openStore(b, dir)
	defer func() {
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}()
	ops := admin.NewDesk(store, configOf(b, dir), server.Wire{}, nil).As(os.Getuid())
	if _, err := ops.CreateOrg(b.Context(), admin.OrgRequest{Name: "Acme"}); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	refused := func(l admin.RefusedLine) error { return fmt.Errorf("line %d: %v", l.Line, l.Reasons) }
	_, err := ops.ImportInvoices(b.Context(), admin.ImportRequest{ID: strings.Repeat("00", 32), Format: "ndjson", Numbers: "keep"},
		bytes.NewReader(text), refused, nil)
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// writeAgain writes all that is in the store at dir to a new one.
func writeAgain(b *testing.B, dir string) time.Duration {
	from, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	to, err := kv.Open(kv.Options{Dir: dataDir(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	var pairs [][2][]byte
	var took time.Duration
	write := func() error {
		began := time.Now()
		err := to.Update(b.Context(), func(t kv.Txn) error {
			for _, p := range pairs {
				if err := t.Put(p[0], p[1]); err != nil {
					return err
				}
			}
			return nil
		})
		took, pairs = took+time.Since(began), pairs[:0]
		return err
	}
	err = from.View(b.Context(), func(r kv.Reader) error {
		err := r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			pairs = append(pairs, [2][]byte{bytes.Clone(key), bytes.Clone(value)})
			if len(pairs) < kv.MaxTxnWrites {
				return true, nil
			}
			return true, write()
		})
		if err != nil {
			return err
		}
		return write()
	})
	if err != nil {
		b.Fatal(err)
	}
	return took
}
