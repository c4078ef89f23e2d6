package demo_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"exante/admin/demo"
	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
)

func TestDemonstrationShowsEveryStatus(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := demo.New()
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}})
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(storage.Options{Dir: d.Dir, Create: true, Hasher: hasher, Environment: auth.Live})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := d.Fill(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled in %s", time.Since(began).Round(time.Millisecond))
	orgs, err := store.Orgs(t.Context())
	if err != nil || len(orgs) != 1 {
		t.Fatalf("organizations = %v, %v", orgs, err)
	}
	all := count(t, store, orgs[0], storage.InvoiceQuery{})
	if all != 500 {
		t.Errorf("%d invoices, want 500", all)
	}
	sum := 0
	for s := billing.Draft; s <= billing.Cancelled; s++ {
		n := count(t, store, orgs[0], storage.InvoiceQuery{Statuses: []billing.Status{s}})
		if sum += n; n < 10 {
			t.Errorf("%d invoices are %s, want at least 10", n, s)
		}
	}
	if sum != all {
		t.Errorf("the statuses add up to %d", sum)
	}
	if n := count(t, store, orgs[0], storage.InvoiceQuery{Total: storage.IntRange{To: 0, HasTo: true}}); n != 0 {
		t.Errorf("%d invoices over nothing", n)
	}
	if report, err := store.Verify(t.Context(), nil); err != nil || len(report.Findings) != 0 {
		t.Errorf("Verify = %+v, %v", report, err)
	}
	if _, err := auth.ParseToken(auth.Live, d.Key.Reveal()); err != nil {
		t.Errorf("the key can't be used: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err := d.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(d.Dir)); !os.IsNotExist(err) {
		t.Errorf("something is left: %v", err)
	}
}

func count(t *testing.T, store *storage.Store, org storage.Organization, q storage.InvoiceQuery) int {
	t.Helper()
	q.Page, q.PerPage = 1, 1
	page, err := store.Invoices(t.Context(), org.ID, q)
	if err != nil {
		t.Fatal(err)
	}
	return page.Total
}
