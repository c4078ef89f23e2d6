package storage_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// benchBooks is a store with n invoices of three lines, every other one sent.
// cache is storage.Options.CacheBytes.
func benchBooks(b *testing.B, n int, cache int64) (*books, []uid.ID) {
	b.Helper()
	s, clock := storagetest.Open(b, func(o *storage.Options) { o.CacheBytes = cache })
	return fillBooks(b, booksOf(b, s, clock), n)
}

func fillBooks(b *testing.B, k *books, n int) (*books, []uid.ID) {
	b.Helper()
	ids := make([]uid.ID, n)
	fill := make(chan int)
	done := make(chan struct{})
	for range 64 {
		go func() {
			for i := range fill {
				inv, err := k.tryCreate(threeLines(i))
				if err != nil {
					b.Error(err)
				}
				ids[i] = inv.ID
			}
			done <- struct{}{}
		}()
	}
	for i := range n {
		fill <- i
	}
	close(fill)
	for range 64 {
		<-done
	}
	return k, ids
}

func threeLines(i int) billing.InvoicePatch {
	status := billing.Draft
	if i%2 == 0 {
		status = billing.Sent
	}
	return billing.InvoicePatch{
		Status: &status, Tax: new(billing.Cents(i)),
		Lines: &[]billing.LinePatch{product("consulting", 12000), product("travel", 4550), discount("rebate", 1000)},
	}
}

func BenchmarkCreateInvoice(b *testing.B) {
	k, _ := benchBooks(b, 0, 0)
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("c=%d", clients), func(b *testing.B) {
			b.SetParallelism(max(1, clients/2)) // times GOMAXPROCS
			if clients == 1 {
				for i := 0; b.Loop(); i++ {
					if _, err := k.tryCreate(threeLines(i)); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			var n atomic.Int64
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := k.tryCreate(threeLines(int(n.Add(1)))); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkReadInvoice(b *testing.B) {
	const known = 2000
	for _, c := range []struct {
		name  string
		cache int64
		only  int // 0: draft and sent ones
	}{{"body", 0, 0}, {"store/draft", -1, 1}, {"store/sent", -1, 2}} {
		b.Run(c.name, func(b *testing.B) {
			k, ids := benchBooks(b, known, c.cache)
			read := func(i int) {
				i %= known
				switch c.only {
				case 1:
					i |= 1
				case 2:
					i &^= 1
				}
				if _, err := k.RenderedInvoice(b.Context(), k.org.ID, ids[i], render); err != nil {
					b.Fatal(err)
				}
			}
			for i := range known {
				read(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for i := 0; p.Next(); i++ {
					read(i)
				}
			})
		})
	}
}

func BenchmarkListInvoices(b *testing.B) {
	k, _ := benchBooks(b, 100_000, 0)
	for name, q := range map[string]storage.InvoiceQuery{
		"newest":        {Desc: true},
		"overdue_total": {Statuses: []billing.Status{billing.Overdue, billing.Sent}, Sort: storage.ByTotal, Desc: true},
		"page=1000":     {Sort: storage.ByNumber, Page: 1000},
	} {
		q.PerPage = 25
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Invoices(b.Context(), k.org.ID, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenWith100kInvoices(b *testing.B) {
	clock := storagetest.NewClock()
	options := storagetest.Options(b, clock)
	k, _ := fillBooks(b, booksOf(b, storagetest.Reopen(b, options), clock), 100_000)
	for b.Loop() {
		b.StopTimer()
		if err := k.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		var err error
		if k.Store, err = storage.Open(options); err != nil {
			b.Fatal(err)
		}
	}
	storagetest.Close(b, k.Store)
}
