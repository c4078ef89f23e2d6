package storage

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// atomicClock is one that is moved while the store reads it.
type atomicClock struct{ millis atomic.Int64 }

func newAtomicClock() *atomicClock {
	c := &atomicClock{}
	c.millis.Store(wreckTime.UnixMilli())
	return c
}

func (c *atomicClock) now() time.Time          { return time.UnixMilli(c.millis.Load()).UTC() }
func (c *atomicClock) advance(d time.Duration) { c.millis.Add(d.Milliseconds()) }

// logged writes n records into the log, a millisecond apart, as the user, the shell
// and the system of the organizations in turn.
func logged(tb testing.TB, s *Store, clock *atomicClock, n int, by ...auth.Principal) {
	tb.Helper()
	kinds := []Action{keyCreate, keyRevoke, userRole, sessionCreate, invoiceCreate}
	for n > 0 {
		batch := min(n, 1000)
		n -= batch
		err := s.update(context.Background(), by[0], func(t *tx) error {
			for i := range batch {
				t.by, t.now = by[i%len(by)], t.now.Add(time.Millisecond)
				if err := t.audit(kinds[i%len(kinds)], uid.ID{15: byte(i % 7)}, nil); err != nil {
					return err
				}
			}
			t.by = by[0]
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
		clock.advance(time.Second)
	}
}

// backTo reads the whole way back, and says in how many steps.
func backTo(tb testing.TB, s *Store, q AuditQuery) (seqs []uint64, steps int) {
	tb.Helper()
	for {
		page, err := s.AuditBack(context.Background(), q)
		if err != nil {
			tb.Fatal(err)
		}
		steps++
		for _, e := range page.Entries {
			seqs = append(seqs, e.Seq)
		}
		if page.Before == 0 {
			return seqs, steps
		}
		if q.Before != 0 && page.Before >= q.Before {
			tb.Fatalf("%+v goes on before %d", q, page.Before)
		}
		if len(page.Entries) < q.Limit && page.Reached.IsZero() {
			tb.Fatalf("%+v does not say how far it got: %+v", q, page)
		}
		q.Before = page.Before
	}
}

// Audit, which looks at everything, is the reference.
func TestTheWayBackMeetsWhatAuditMeets(t *testing.T) {
	w := newWreck(t)
	clock := newAtomicClock()
	w.options.Now = clock.now
	w.must(w.reopen())
	ann := auth.Principal{OrgID: w.org.ID, UserID: w.owner.ID}
	shell := auth.Principal{Shell: true, LocalUID: 1000, OrgID: w.org.ID}
	rival := auth.Principal{OrgID: uid.ID{9}, UserID: w.owner.ID}
	logged(t, w.store, clock, 2500, ann, shell, rival, auth.System(uid.ID{}))

	seed := uint64(time.Now().UnixNano())
	draw := rand.New(rand.NewPCG(seed, 1))
	one := func(ids ...uid.ID) uid.ID { return ids[draw.IntN(len(ids))] }
	moment := func() time.Time {
		if draw.IntN(2) == 0 {
			return time.Time{}
		}
		return wreckTime.Add(time.Duration(draw.IntN(4500)-500) * time.Millisecond)
	}
	for range 300 {
		q := AuditQuery{
			OrgID: one(uid.ID{}, w.org.ID, rival.OrgID), UserID: one(uid.ID{}, uid.ID{}, w.owner.ID), KeyID: one(uid.ID{}, uid.ID{}, uid.ID{15: 3}),
			Action: []string{"", "key.", "key.revoke", "user."}[draw.IntN(4)],
			Since:  moment(), Until: moment(), Limit: []int{1, 7, 50, 5000}[draw.IntN(4)], Reach: []int{0, 0, 90, 800}[draw.IntN(4)],
		}
		whole := q
		whole.Newest, whole.Limit = true, 10_000
		entries, err := w.store.Audit(t.Context(), whole)
		w.must(err)
		var want []uint64
		for _, e := range entries {
			want = append(want, e.Seq)
		}
		if q.Limit == 1 && len(want) > 100 {
			q.Limit = 7
		}
		if got, _ := backTo(t, w.store, q); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v\ngot  %v\nwant %v", seed, q, got, want)
		}
	}
}

// However much others have written, a step reads no more than it may.
func TestOneStepBackIsBounded(t *testing.T) {
	w := newWreck(t)
	clock := newAtomicClock()
	w.options.Now = clock.now
	w.must(w.reopen())
	before, err := w.store.Audit(t.Context(), AuditQuery{})
	w.must(err)
	logged(t, w.store, clock, 2*auditReach, auth.Principal{OrgID: uid.ID{9}, UserID: uid.ID{8}})
	page, err := w.store.AuditBack(t.Context(), AuditQuery{OrgID: w.org.ID, Limit: 50})
	w.must(err)
	last := uint64(len(before) + 2*auditReach)
	if len(page.Entries) != 0 || page.Before != last-auditReach+1 {
		t.Errorf("%d entries, goes on before %d, want none and before %d", len(page.Entries), page.Before, last-auditReach+1)
	}
	reached, err := w.store.Audit(t.Context(), AuditQuery{After: page.Before - 1, Limit: 1})
	w.must(err)
	if !page.Reached.Equal(reached[0].At) {
		t.Errorf("reached %s, want %s", page.Reached, reached[0].At)
	}
	got, steps := backTo(t, w.store, AuditQuery{OrgID: w.org.ID, Limit: 50})
	if len(got) == 0 || steps != 3 {
		t.Errorf("%d entries in %d steps, want some in 3", len(got), steps)
	}
	if page, err = w.store.AuditBack(t.Context(), AuditQuery{OrgID: w.org.ID, Limit: 50, Reach: 100}); err != nil || page.Before != last-100+1 {
		t.Errorf("with a reach of 100 it goes on before %d, want %d; %v", page.Before, last-100+1, err)
	}
	early, err := w.store.AuditBack(t.Context(), AuditQuery{OrgID: w.org.ID, Until: wreckTime.Add(-2 * clockSkew)})
	if err != nil || early.Before != 0 || !early.Reached.IsZero() {
		t.Errorf("what was before everything: %+v, %v", early, err)
	}
}

// A page of the log costs the same at the end of a million records.
func BenchmarkAuditBack(b *testing.B) {
	o := millionOptions(b, filepath.Join(b.TempDir(), "data"))
	clock := newAtomicClock()
	o.Now = clock.now
	o.Create = true
	s, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	mine, other := auth.Principal{OrgID: uid.ID{1}, UserID: uid.ID{2}}, auth.Principal{OrgID: uid.ID{9}, UserID: uid.ID{8}}
	logged(b, s, clock, 1000, mine)
	middle := clock.now()
	clock.advance(time.Hour)
	logged(b, s, clock, 999_000, other)
	for _, c := range []struct {
		name string
		q    AuditQuery
	}{
		{"a full page", AuditQuery{OrgID: other.OrgID, Limit: 50}},
		{"nothing in reach", AuditQuery{OrgID: mine.OrgID, Limit: 50}},
		{"long ago", AuditQuery{OrgID: mine.OrgID, Until: middle, Limit: 50}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				page, err := s.AuditBack(context.Background(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(page.Entries)), "entries")
			}
		})
	}
}
