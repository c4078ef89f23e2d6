package dashboard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"exante/storage"
	"exante/storage/billing"
)

// BenchmarkInvoicesPage asks for pages about invoices of which there are many, over
// HTTP, beside the sign-in page, which reads nothing.
func BenchmarkInvoicesPage(b *testing.B) {
	const many, budget = 100_000, 5 * time.Millisecond
	s := open(b)
	began := time.Now()
	last := s.fill(s.acme, many)
	for n := range 1200 { // at the same instant, so that the history has them all to look through
		s.client(s.acme, fmt.Sprintf("Other %d", n))
	}
	b.Logf("%d invoices in %v", many, time.Since(began).Round(time.Millisecond))
	v, nobody := s.as(s.acme.viewer), s.visitor()
	plain := perPage(b, nobody, "/sign-in")
	b.ReportMetric(float64(plain.Microseconds()), "µs/sign-in")
	for name, path := range map[string]string{
		"list": "/invoices", "sorted": "/invoices?sort=-total&status=OVERDUE&status=SENT", "search": "/invoices?search=99", "deep": "/invoices?page=1500",
		"client": "/invoices?client=client+7", "invoice": pathOf(last),
	} {
		took := perPage(b, v, path)
		b.ReportMetric(float64(took.Microseconds()), "µs/"+name)
		b.ReportMetric(float64(took)/float64(plain), name+"/sign-in")
		if took > budget {
			b.Errorf("%s takes %v, more than %v", path, took, budget)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// perPage is the median time of a page.
func perPage(b *testing.B, v *visitor, path string) time.Duration {
	b.Helper()
	const often = 101
	times := make([]time.Duration, 0, often)
	for range often {
		began := time.Now()
		v.get(path).shows(200)
		times = append(times, time.Since(began))
	}
	return medianOf(times)
}

// fill imports n invoices of 40 clients in every status, and returns one of them.
func (s *site) fill(c company, n int) billing.Invoice {
	s.tb.Helper()
	ctx := s.tb.Context()
	clients := make([]billing.Party, 40)
	for i := range clients {
		clients[i] = s.client(c, fmt.Sprintf("Client %d", i))
	}
	m, err := s.store.BeginImport(ctx, c.by, storage.ImportOptions{ID: [32]byte{1}})
	s.must(err)
	statuses := []billing.Status{billing.Draft, billing.Sent, billing.Paid, billing.Sent, billing.Disputed, billing.Void, billing.Cancelled}
	lines := make([]storage.ImportLine, 500)
	for done := 0; done < n; {
		for i := range lines {
			k := done + i
			lines[i] = storage.ImportLine{
				Patch: billing.InvoicePatch{
					PartyID: &clients[k%len(clients)].ID, Number: new(fmt.Sprintf("N-%08d", k)), Status: &statuses[k%len(statuses)],
					IssueDate: new(s.clock.Now().AddDate(0, 0, -k%400)), DueDate: new(s.clock.Now().AddDate(0, 0, 30-k%400)),
					Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("work"), UnitPrice: new(billing.Cents(100 + k%9000))}},
				},
				End: storage.ImportMark{Lines: uint64(k + 1), Bytes: uint64(k+1) * 300},
			}
		}
		for left := lines; len(left) > 0; {
			put, err := m.Put(ctx, left)
			s.must(err)
			for i, refused := range put {
				if refused != nil {
					s.tb.Fatal(*left[i].Patch.Number, refused)
				}
			}
			left = left[len(put):]
		}
		done += len(lines)
	}
	id, err := s.store.InvoiceNumbered(ctx, c.org.ID, fmt.Sprintf("N-%08d", n-1))
	s.must(err)
	inv, err := s.store.Invoice(ctx, c.org.ID, id)
	s.must(err)
	return inv
}

func medianOf(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
