package kvtest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"exante/storage/kv"
)

var lifecycle = []promise{
	{"WhatIsAcknowledgedSurvivesReopening", testReopen},
	{"SeqOnlyGrows", testSeq},
	{"ASnapshotKnowsItsSeq", testSnapshotSeq},
	{"ChangedHintsAtACommit", testChanged},
	{"AnEndedContextAbandonsWhatHasNotBegun", testContext},
	{"AnUpdateThatHasBegunIsFinished", testContextLater},
	{"AClosedStoreRefuses", testClosed},
	{"CloseWaitsForWhatIsRunning", testCloseWaits},
	{"AHealthyStoreSaysSo", testHealth},
	{"AStoreThatWasFailedTakesNoWrites", testFail},
	{"StatsFollowWhatIsDone", testStats},
}

func testReopen(t *testing.T, s *store) {
	s.put("a", "1", "b", "1")
	s.reopen()
	s.wantContents("a=1 b=1")
	s.update(func(tx kv.Txn) error { return errors.Join(tx.Delete([]byte("a")), putAll(tx, "b", "2", "c", "")) })
	s.reopen()
	s.reopen()
	s.wantContents("b=2 c=")
}

func testSeq(t *testing.T, s *store) {
	last := s.Seq()
	grown := func(what string) {
		t.Helper()
		if seq := s.Seq(); seq <= last {
			t.Errorf("after %s Seq is %d, and was %d", what, seq, last)
		}
		last = s.Seq()
	}
	s.put("a", "1")
	grown("a put")
	s.update(func(tx kv.Txn) error { return tx.Delete([]byte("a")) })
	grown("a deletion")
	s.reopen()
	if s.Seq() < last {
		t.Errorf("reopened, Seq is %d, and was %d", s.Seq(), last)
	}
	last = s.Seq()
	s.put("a", "1")
	grown("a put in the reopened store")
}

func testSnapshotSeq(t *testing.T, s *store) {
	s.put("a", "1")
	before := s.Seq()
	s.view(func(r kv.Reader) error {
		s.put("a", "2")
		if r.Seq() != before {
			t.Errorf("the snapshot is at %d, and was taken at %d", r.Seq(), before)
		}
		return nil
	})
	s.update(func(tx kv.Txn) error {
		if tx.Seq() != s.Seq() {
			t.Errorf("an Update alone begins at %d, the store is at %d", tx.Seq(), s.Seq())
		}
		return nil
	})
}

func testChanged(t *testing.T, s *store) {
	fired := func() bool {
		select {
		case <-s.Changed():
			return true
		default:
			return false
		}
	}
	if fired() {
		t.Error("a hint before the first commit")
	}
	s.view(func(kv.Reader) error { return nil })
	s.update(func(kv.Txn) error { return nil })
	if fired() {
		t.Error("a hint, and nothing was written")
	}
	for i := range 5 { // nobody listens, nobody waits
		s.put("a", strconv.Itoa(i))
	}
	if !fired() || fired() {
		t.Error("want one hint after several commits")
	}
}

func testContext(t *testing.T, s *store) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Update(ended, func(kv.Txn) error { t.Error("Update ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update = %v", err)
	}
	err = s.View(ended, func(kv.Reader) error { t.Error("View ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("View = %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan error)
	s.update(func(tx kv.Txn) error { // holds up all others
		go func() {
			waiting <- s.Update(ctx, func(tx kv.Txn) error { return putAll(tx, "waiting", "1") })
		}()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("Update that waits for its turn = %v", err)
		}
		return putAll(tx, "a", "1")
	})
	s.wantContents("a=1")
}

func testContextLater(t *testing.T, s *store) {
	ctx, cancel := context.WithCancel(context.Background())
	err := s.Update(ctx, func(tx kv.Txn) error {
		cancel()
		_, err := contents(tx)
		return errors.Join(err, putAll(tx, "a", "1"))
	})
	if err != nil {
		t.Errorf("Update = %v", err)
	}
	s.wantContents("a=1")
}

func testClosed(t *testing.T, s *store) {
	s.put("a", "1")
	seq := s.Seq()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := s.View(ctx, func(kv.Reader) error { return nil }); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("View = %v", err)
	}
	if err := s.Update(ctx, func(kv.Txn) error { return nil }); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Update = %v", err)
	}
	if err := s.Close(); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("second Close = %v", err)
	}
	if s.Seq() != seq {
		t.Errorf("Seq = %d, and was %d", s.Seq(), seq)
	}
}

// testCloseWaits closes the store under load: each Update is either refused or
// there after reopening, and a View that has begun reads to its end.
func testCloseWaits(t *testing.T, s *store) {
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var clients sync.WaitGroup
	for client := range 16 {
		clients.Go(func() {
			for i := 0; ; i++ {
				key := strconv.Itoa(client) + "/" + strconv.Itoa(i)
				err := s.Update(context.Background(), func(tx kv.Txn) error { return putAll(tx, key, "1") })
				if errors.Is(err, kv.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged[key] = true
				mu.Unlock()
			}
		})
	}
	closed := make(chan error, 1)
	s.view(func(r kv.Reader) error {
		go func() { closed <- s.Close() }()
		clients.Wait() // they end by ErrClosed alone
		n, err := r.Count(kv.Range{})
		if n > len(acknowledged) {
			t.Errorf("a snapshot of %d keys, %d acknowledged since", n, len(acknowledged))
		}
		return err
	})
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	s.DB = s.open(t, s.dir)
	s.view(func(r kv.Reader) error {
		for key := range acknowledged {
			wantGet(t, r, key, "1")
		}
		n, err := r.Count(kv.Range{})
		if n != len(acknowledged) {
			t.Errorf("%d keys, %d were acknowledged", n, len(acknowledged))
		}
		return err
	})
}

func testHealth(t *testing.T, s *store) {
	s.put("a", "1")
	select {
	case <-s.Failed():
		t.Error("Failed is closed")
	default:
	}
	if err := s.Health(); err != nil {
		t.Errorf("Health = %v", err)
	}
}

func testFail(t *testing.T, s *store) {
	s.put("a", "1")
	first := errors.New("the data is damaged")
	s.Fail(first)
	s.Fail(errors.New("something else"))
	select {
	case <-s.Failed():
	default:
		t.Error("Failed is not closed")
	}
	if err := s.Health(); !errors.Is(err, first) {
		t.Errorf("Health = %v, want %v", err, first)
	}
	err := s.Update(t.Context(), func(tx kv.Txn) error { return tx.Put([]byte("b"), []byte("2")) })
	if !errors.Is(err, kv.ErrUnknownOutcome) {
		t.Errorf("Update = %v, want %v", err, kv.ErrUnknownOutcome)
	}
	s.wantContents("a=1")
}

func testStats(t *testing.T, s *store) {
	stats := func() kv.Stats {
		t.Helper()
		got, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	before := stats()
	for range 3 {
		s.put("a", "1")
	}
	s.update(func(kv.Txn) error { return nil })
	after := stats()
	if after.Commits.Sum <= before.Commits.Sum || after.Transactions != before.Transactions+3 {
		t.Errorf("after three commits: %+v, before: %+v", after, before)
	}
	if after.LogBytes <= 0 || after.OtherBytes <= 0 || after.FreeBytes == 0 {
		t.Errorf("on the disk: %+v", after)
	}
	err := s.View(t.Context(), func(kv.Reader) error {
		s.put("b", "1")
		if n := stats().Snapshots; n != 2 {
			t.Errorf("%d snapshots while one that was overtaken is read, want 2", n)
		}
		return nil
	})
	if n := stats().Snapshots; err != nil || n != 1 {
		t.Errorf("%d snapshots with no reader (%v), want 1", n, err)
	}
}
