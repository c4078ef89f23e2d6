package storage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// What the product promises a company with a million invoices is measured here as
// it is used: brought in by the import, opened by a fresh process, listed.

const (
	million    = 1_000_000
	millionDir = "EXANTE_TEST_MILLION_DIR" // tells the child what to open
)

func millionOptions(tb testing.TB, dir string) Options {
	tb.Helper()
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, Slots: 1, Queue: 1, MaxWait: time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	return Options{Dir: dir, Create: true, Hasher: hasher, Environment: auth.Live}
}

// millionLine is the n-th invoice: a draft in ten, every other one sent or paid,
// issued over three years, to one of 2,000 clients.
func millionLine(n int, parties []uid.ID, today time.Time) ImportLine {
	issued := today.AddDate(0, 0, -n*7919%1000)
	due := issued.AddDate(0, 0, 14+n%60)
	status := []billing.Status{billing.Draft, billing.Sent, billing.Paid, billing.Paid, billing.Sent,
		billing.Paid, billing.Paid, billing.Sent, billing.Void, billing.Paid}[n%10]
	currency := []billing.Currency{"USD", "USD", "EUR"}[n%3]
	return ImportLine{
		Patch: billing.InvoicePatch{
			PartyID: &parties[n*31%len(parties)], Number: new(fmt.Sprintf("OLD-%07d", n*7%million)), Status: &status,
			IssueDate: &issued, DueDate: &due, Currency: &currency,
			Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("consulting"), UnitPrice: new(billing.Cents(n * 7919 % 1_000_003))}},
		},
		Past: billing.History{CreatedAt: &issued, SentAt: sentAt(status, issued), PaidDate: paidDate(status, issued)},
		End:  ImportMark{Lines: uint64(n + 1), Bytes: uint64(n+1) * 300},
	}
}

func sentAt(s billing.Status, issued time.Time) *time.Time {
	if s == billing.Draft {
		return nil
	}
	return &issued
}

func paidDate(s billing.Status, issued time.Time) *time.Time {
	if s != billing.Paid {
		return nil
	}
	return &issued
}

// fillInvoices imports into a new store and returns how long that took.
func fillInvoices(b *testing.B, dir string, most int) time.Duration {
	b.Helper()
	s, err := Open(millionOptions(b, dir))
	if err != nil {
		b.Fatal(err)
	}
	ctx, shell := context.Background(), auth.Principal{Shell: true}
	org, _, err := s.CreateOrg(ctx, shell, OrgDraft{Name: "Acme"})
	if err != nil {
		b.Fatal(err)
	}
	parties := make([]uid.ID, 2000)
	for n := range parties {
		p, err := s.CreateParty(ctx, shell.In(org.ID), billing.PartyPatch{Name: new(fmt.Sprintf("%s & Sons %d", []string{"Müller", "Harbor", "Oak"}[n%3], n))})
		if err != nil {
			b.Fatal(err)
		}
		parties[n] = p.ID
	}
	m, err := s.BeginImport(ctx, shell.In(org.ID), ImportOptions{ID: [32]byte{1}})
	if err != nil {
		b.Fatal(err)
	}
	began, today := time.Now(), time.Now().UTC().Truncate(24*time.Hour)
	var lines []ImportLine
	for n := 0; n < most || len(lines) > 0; {
		for ; n < most && len(lines) < 400; n++ {
			lines = append(lines, millionLine(n, parties, today))
		}
		refused, err := m.Put(ctx, lines)
		if err != nil {
			b.Fatal(err)
		}
		for i, refusal := range refused {
			if refusal != nil {
				b.Fatalf("%s: %v", *lines[i].Patch.Number, refusal)
			}
		}
		lines = slices.Clone(lines[len(refused):])
	}
	took := time.Since(began)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}

// BenchmarkMillion prints, of one store: the rate of the import, the start and the
// memory of a fresh process, and each list beside a scan that decodes everything.
func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("takes a minute and a gigabyte of disk")
	}
	dir := filepath.Join(b.TempDir(), "data")
	took := fillInvoices(b, dir, million)
	b.Run("import", func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(million/took.Seconds(), "invoices/s")
	})
	b.Run("start", func(b *testing.B) {
		child := exec.Command(os.Args[0], "-test.run", "^TestStartWithAMillion$", "-test.v")
		child.Env = append(os.Environ(), millionDir+"="+dir)
		out, err := child.CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		_, figures, _ := strings.Cut(string(out), "figures: ")
		var seconds, rss, anonymous float64
		if _, err := fmt.Sscanf(figures, "%f s, %f MiB, %f MiB", &seconds, &rss, &anonymous); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(seconds, "s-to-open")
		b.ReportMetric(rss, "MiB-RSS")
		b.ReportMetric(anonymous, "MiB-anonymous")
	})
	s, err := Open(millionOptions(b, dir))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	orgs, err := s.Orgs(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	scan := scanAndDecode(b, s, orgs[0].ID)
	for _, c := range millionLists {
		b.Run(c.name, func(b *testing.B) { benchmarkList(b, s, orgs[0].ID, c.ask, scan) })
	}
}

// TestStartWithAMillion is the fresh process: it opens the store, lists, and tells
// what that took.
func TestStartWithAMillion(t *testing.T) {
	dir := os.Getenv(millionDir)
	if dir == "" {
		t.Skip("runs in a process of its own, started by BenchmarkMillion")
	}
	began := time.Now()
	s, err := Open(millionOptions(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Since(began)
	defer s.Close()
	orgs, err := s.Orgs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		for _, c := range millionLists {
			q := c.ask(n)
			q.Page, q.PerPage = 1+n, 25
			if _, err := s.Invoices(t.Context(), orgs[0].ID, q); err != nil {
				t.Fatal(err)
			}
		}
	}
	fmt.Printf("figures: %.2f s, %d MiB, %d MiB\n", opened.Seconds(), memoryOf(t, "VmRSS")>>10, memoryOf(t, "RssAnon")>>10)
}

// memoryOf is a line of /proc/self/status, in KiB.
func memoryOf(t *testing.T, name string) (kib int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+name+":")
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// millionLists are what is asked. n makes the filter another one each time, so that
// no answer is one that was given before.
var millionLists = []struct {
	name string
	ask  func(n int) InvoiceQuery
}{
	{"newest", func(int) InvoiceQuery { return InvoiceQuery{Desc: true} }},
	{"overdue,-total", func(int) InvoiceQuery {
		return InvoiceQuery{Statuses: []billing.Status{billing.Overdue}, Sort: ByTotal, Desc: true}
	}},
	{"paid+EUR,paid_date", func(int) InvoiceQuery {
		return InvoiceQuery{Statuses: []billing.Status{billing.Paid}, Currencies: []billing.Currency{"EUR"}, Sort: ByPaidDate}
	}},
	{"issued since,-created_at", func(n int) InvoiceQuery {
		return InvoiceQuery{Issue: TimeRange{From: time.Now().AddDate(0, 0, -300-n)}, Desc: true}
	}},
	{"total from,due_date", func(n int) InvoiceQuery {
		return InvoiceQuery{Total: IntRange{From: int64(500_000 + n*10), HasFrom: true}, Sort: ByDueDate}
	}},
	{"search number", func(n int) InvoiceQuery { return InvoiceQuery{Search: fmt.Sprintf("%03d", n%1000), Desc: true} }},
	{"search name", func(n int) InvoiceQuery { return InvoiceQuery{Search: fmt.Sprintf("sons %d", n%100), Sort: ByTotal} }},
}

// benchmarkList prints the median of page 1, whole with its records, that of page
// 1,000 as a multiple, and how much longer the scan takes.
func benchmarkList(b *testing.B, s *Store, org uid.ID, ask func(n int) InvoiceQuery, scan time.Duration) {
	asked := 0
	median := func(page int) time.Duration {
		took := make([]time.Duration, 101)
		for i := range took {
			asked++
			q := ask(asked)
			q.Page, q.PerPage = page, 25
			began := time.Now()
			if _, err := s.Invoices(b.Context(), org, q); err != nil {
				b.Fatal(err)
			}
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	first, later := median(1), median(1000)
	for b.Loop() {
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(first.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(later)/float64(first), "x-page-1000")
	b.ReportMetric(float64(scan)/float64(first), "x-faster-than-a-scan")
}

// scanAndDecode is what a list costs without an index: every invoice is read,
// decoded and compared, and the totals are sorted.
func scanAndDecode(b *testing.B, s *Store, org uid.ID) time.Duration {
	began := time.Now()
	var totals []billing.Cents
	err := s.db.View(b.Context(), func(r kv.Reader) error {
		return scanCores(r, org, func(i *storedInvoice, _ []byte) error {
			if i.StatusAt(began) == billing.Overdue {
				totals = append(totals, i.Total)
			}
			return nil
		})
	})
	slices.Sort(totals)
	if err != nil || len(totals) == 0 {
		b.Fatal(len(totals), err)
	}
	return time.Since(began)
}
