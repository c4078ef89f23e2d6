package kv

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func openEngine(t testing.TB, dir string, log *slog.Logger) *engine {
	t.Helper()
	db, err := Open(Options{Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
	return db.(*engine)
}

func mustPut(t testing.TB, e *engine, key, value string) {
	t.Helper()
	if err := e.Update(t.Context(), func(tx Txn) error { return tx.Put([]byte(key), []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

func TestEveryCommitIsSynced(t *testing.T) {
	e := openEngine(t, t.TempDir()+"/store", nil)
	if o := e.db.Opts(); !o.SyncWrites {
		t.Error("SyncWrites is off: an acknowledged commit would not survive a power cut")
	}
}

func TestValuesNeverReachTheValueLog(t *testing.T) {
	e := openEngine(t, t.TempDir()+"/store", nil)
	if o := e.db.Opts(); o.ValueThreshold <= MaxValue {
		t.Errorf("ValueThreshold is %d, a value can have %d bytes", o.ValueThreshold, MaxValue)
	}
}

// diskUse is what the files occupy, which is not their length: Badger's are sparse.
func diskUse(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		var st syscall.Stat_t
		if err == nil {
			err = syscall.Stat(path, &st)
		}
		bytes += st.Blocks * 512
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func TestRewritingOneKeyDoesNotGrowTheStore(t *testing.T) {
	dir := t.TempDir() + "/store"
	e := openEngine(t, dir, nil)
	const clients, each = 64, 100_000/64 + 1
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			value := strings.Repeat("x", MaxValue)
			for range each {
				mustPut(t, e, "key", value)
			}
		})
	}
	wg.Wait()
	compact(t, e)
	written, used := int64(e.Seq()*MaxValue), diskUse(t, dir)
	t.Logf("%d commits of %d MiB in all, %d MiB used", e.Seq(), written>>20, used>>20)
	if limit := int64(64 << 20); used > limit || written < limit*3/2 {
		t.Errorf("%d MiB used after %d MiB were written", used>>20, written>>20)
	}
}

// compact merges all tables into one level below the first.
func compact(t *testing.T, e *engine) {
	t.Helper()
	if err := e.db.Flatten(2); err != nil {
		t.Fatal(err)
	}
	for _, table := range e.db.Tables() {
		if table.Level == 0 {
			t.Fatal("the tables were too few for a compaction")
		}
	}
}

// flush puts all that was written into a table, by opening the store again.
func flush(t *testing.T, e *engine, dir string) *engine {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return openEngine(t, dir, nil)
}

// fillMemtable writes until what was written before has gone into a table.
func fillMemtable(t *testing.T, e *engine) {
	t.Helper()
	newest := func() (version uint64) {
		for _, table := range e.db.Tables() {
			version = max(version, table.MaxVersion)
		}
		return version
	}
	deadline := time.Now().Add(20 * time.Second)
	for seq := e.Seq(); newest() < seq; {
		if time.Now().After(deadline) {
			t.Fatal("no memtable was flushed")
		}
		err := e.Update(t.Context(), func(tx Txn) error {
			for i := range 31 {
				if err := tx.Put([]byte{byte(i)}, make([]byte, MaxValue)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnOpenSnapshotOutlivesCompaction(t *testing.T) {
	dir := t.TempDir() + "/store"
	e := openEngine(t, dir, nil)
	for range 3 {
		mustPut(t, e, "key", "old")
		e = flush(t, e, dir)
	}
	err := e.View(t.Context(), func(r Reader) error {
		mustPut(t, e, "key", "new")
		fillMemtable(t, e)
		compact(t, e)
		value, err := r.Get([]byte("key"))
		if string(value) != "old" || err != nil {
			t.Errorf("the snapshot reads %.9q, %v", value, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSeqSurvivesTheCompactionOfDeletions(t *testing.T) {
	dir := t.TempDir() + "/store"
	e := openEngine(t, dir, nil)
	for range 4 {
		mustPut(t, e, "kept", "1")
		mustPut(t, e, "key", "1")
		if err := e.Update(t.Context(), func(tx Txn) error { return tx.Delete([]byte("key")) }); err != nil {
			t.Fatal(err)
		}
		e = flush(t, e, dir)
	}
	compact(t, e)
	seq := e.Seq()
	if e = flush(t, e, dir); e.Seq() != seq {
		t.Errorf("Seq is %d, and was %d", e.Seq(), seq)
	}
}

func TestAFailedCommitStopsAllWrites(t *testing.T) {
	e := openEngine(t, t.TempDir()+"/store", nil)
	mustPut(t, e, "a", "1")
	if err := e.db.Close(); err != nil { // the next commit fails
		t.Fatal(err)
	}
	for range 2 {
		hooked := false
		err := e.Update(t.Context(), func(tx Txn) error {
			tx.OnCommit(func() { hooked = true })
			return tx.Put([]byte("a"), []byte("2"))
		})
		want := "outcome of the commit is unknown: commit: Writes are blocked, possibly due to DropAll or Close"
		if !errors.Is(err, ErrUnknownOutcome) || err.Error() != want {
			t.Errorf("Update = %v, want %q", err, want)
		}
		if hooked {
			t.Error("the hook ran")
		}
	}
	<-e.Failed()
	if err := e.Health(); err == nil || !strings.HasPrefix(err.Error(), "commit: ") {
		t.Errorf("Health = %v", err)
	}
	if e.Seq() != 1 {
		t.Errorf("Seq = %d after a failed commit, want 1", e.Seq())
	}
}

func TestAnErrorLineOfBadgerStopsAllWrites(t *testing.T) {
	var log strings.Builder
	e := openEngine(t, t.TempDir()+"/store", slog.New(slog.NewTextHandler(&log, nil)))
	mustPut(t, e, "a", "1")
	e.db.Opts().Logger.Warningf("slow %s\n", "disk")
	if err := e.Health(); err != nil {
		t.Errorf("Health after a warning = %v", err)
	}
	e.db.Opts().Logger.Errorf("sync: %v\n", syscall.EIO)
	<-e.Failed()
	err := e.Update(t.Context(), func(tx Txn) error { return tx.Put([]byte("a"), []byte("2")) })
	if want := "outcome of the commit is unknown: badger: sync: input/output error"; !errors.Is(err, ErrUnknownOutcome) || err.Error() != want {
		t.Errorf("Update = %v, want %q", err, want)
	}
	err = e.View(t.Context(), func(r Reader) error {
		value, err := r.Get([]byte("a"))
		if string(value) != "1" {
			t.Errorf("Get = %q", value)
		}
		return err
	})
	if err != nil {
		t.Errorf("View = %v: reads go on", err)
	}
	for _, want := range []string{`level=WARN msg="badger: slow disk"`, `level=ERROR msg="badger: sync: input/output error"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

func TestCloseGivesUpOnAReaderThatStays(t *testing.T) {
	dir := t.TempDir() + "/store"
	synctest.Test(t, func(t *testing.T) {
		db, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		leave, left := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(left)
			_ = db.View(t.Context(), func(Reader) error { <-leave; return nil })
		}()
		synctest.Wait()
		if err := db.Close(); err == nil || err.Error() != "close: not finished after 10s" {
			t.Errorf("Close = %v", err)
		}
		close(leave)
		<-left
	})
}

func TestSnapshotsAreCountedUnderContention(t *testing.T) {
	var s snapshots
	s.publish(0)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for {
				snap := s.acquire()
				if snap == nil {
					return
				}
				if snap.refs.Load() < 1 {
					t.Error("acquired a dead snapshot")
				}
				s.release(snap)
			}
		})
	}
	held := s.acquire()
	for ts := uint64(1); ts < 20_000; ts++ {
		if oldest := s.publish(ts); oldest != held.ts {
			t.Fatalf("oldest is %d while %d is held", oldest, held.ts)
		}
	}
	s.release(held)
	s.retire()
	readers.Wait()
	s.alive.Wait()
}
