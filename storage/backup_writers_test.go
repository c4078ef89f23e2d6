package storage_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// scribe is one of many writers. It numbers what it writes and notes what was
// acknowledged.
type scribe struct {
	n     int
	begun atomic.Int64 // writes that were asked for
	acked atomic.Int64
}

func (s *scribe) write(b *books) error {
	i := s.begun.Add(1)
	name := fmt.Sprintf("%02d-%06d", s.n, i)
	var err error
	switch s.n % 3 {
	case 0:
		_, err = b.CreateParty(context.Background(), b.by, billing.PartyPatch{Name: &name})
	case 1:
		_, _, err = b.CreateKey(context.Background(), b.by, full(name))
	default:
		_, err = b.CreateInvoice(context.Background(), b.by, billing.InvoicePatch{
			PartyID: &b.party.ID, Number: &name, Lines: &[]billing.LinePatch{product("work", 100)},
		})
	}
	if err == nil {
		s.acked.Add(1)
	}
	return err
}

// written is how many of the scribe's writes are in a store; -1 if there is a gap.
func written(t *testing.T, s *storage.Store, org uid.ID) map[int]int {
	t.Helper()
	var names []string
	for _, k := range s.Keys(org) {
		names = append(names, k.Name)
	}
	parties, _, err := s.Parties(t.Context(), org, storage.PartyQuery{Page: 1, PerPage: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parties {
		names = append(names, p.Name)
	}
	for walk := s.WalkInvoices(org, storage.InvoiceQuery{}); ; {
		batch, err := walk.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, inv := range batch {
			names = append(names, inv.Number)
		}
	}
	count, last := map[int]int{}, map[int]int{}
	for _, name := range names {
		var n, i int
		if _, err := fmt.Sscanf(name, "%02d-%06d", &n, &i); err == nil {
			count[n]++
			last[n] = max(last[n], i)
		}
	}
	for n := range count {
		if count[n] != last[n] {
			t.Errorf("of writer %d there are %d writes, the last is number %d: not a prefix", n, count[n], last[n])
		}
	}
	return count
}

// Under 64 writers a backup is of one instant: all that was acknowledged before it
// began, nothing that began after it ended, of each writer a prefix, and no record
// without those that belong to it (Restore verifies).
func TestABackupIsOfOneInstantUnder64Writers(t *testing.T) {
	s, clock := storagetest.Open(t, func(o *storage.Options) { o.CacheBytes = -1 })
	b := booksOf(t, s, clock)
	scribes := make([]*scribe, 64)
	stop, failed := make(chan struct{}), make(chan error, len(scribes))
	var writing sync.WaitGroup
	for i := range scribes {
		scribes[i] = &scribe{n: i}
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := scribes[i].write(b); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	defer writing.Wait()
	defer sync.OnceFunc(func() { close(stop) })()
	type round struct {
		backup        []byte
		before, after []int64 // by writer: acknowledged before it began, asked for when it had ended
	}
	var rounds []round
	for range 4 {
		for all := int64(0); all < int64(200*(len(rounds)+1)); {
			all = 0
			runtime.Gosched()
			for _, s := range scribes {
				all += s.acked.Load()
			}
		}
		var r round
		for _, s := range scribes {
			r.before = append(r.before, s.acked.Load())
		}
		_, r.backup = taken(t, b.Store, nil)
		for _, s := range scribes {
			r.after = append(r.after, s.begun.Load())
		}
		rounds = append(rounds, r)
	}
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
	for i, r := range rounds {
		_, again := restored(t, r.backup, into(t, clock))
		found := written(t, again, b.org.ID)
		total := 0
		for n := range scribes {
			total += found[n]
			if got := int64(found[n]); got < r.before[n] || got > r.after[n] {
				t.Errorf("backup %d has %d writes of writer %d: %d were acknowledged before it, %d begun when it ended", i, got, n, r.before[n], r.after[n])
			}
		}
		t.Logf("backup %d: %d writes, %d KiB", i, total, len(r.backup)>>10)
	}
}
