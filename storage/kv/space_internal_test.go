package kv

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"exante/storage/kv/disk"
	"exante/storage/kv/disk/disktest"
)

// blocksIn is what the files of dir occupy while Badger makes and removes them.
func blocksIn(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
	}
	return bytes
}

// writeRandomly writes so many MiB as records of 1 KB, in random order.
func writeRandomly(t *testing.T, e *engine, mib int) {
	t.Helper()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 2 * mib / 8 {
				err := e.Update(t.Context(), func(tx Txn) error {
					for range 512 {
						if err := tx.Put(binary.BigEndian.AppendUint64(nil, rand.Uint64()), make([]byte, 1024)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
}

// What Badger writes once nobody writes any more is no more than owed says, at
// whatever moment that is.
func TestTheEngineOwesNoMoreThanItSays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e := openEngine(t, dir, nil)
	most := int64(0)
	for round := range 5 {
		writeRandomly(t, e, 16+rand.IntN(40))
		owed, begin := e.owed(), blocksIn(t, dir)
		for changed, last := time.Now(), begin; time.Since(changed) < 300*time.Millisecond; {
			now := blocksIn(t, dir)
			if now != last {
				changed, last = time.Now(), now
			}
			if grown := now - begin; grown > owed.Now+owed.Later {
				t.Fatalf("round %d: %d MiB were owed, %d were written", round, (owed.Now+owed.Later)>>20, grown>>20)
			} else {
				most = max(most, grown)
			}
		}
	}
	t.Logf("the store has %d MiB; at most %d MiB were written after the last commit", blocksIn(t, dir)>>20, most>>20)
	if most == 0 {
		t.Error("nothing was written after any last commit: this proves nothing")
	}
}

// A disk that our own writes fill gives errors, and what was acknowledged is there,
// also after the process could not tidy up.
func TestWritesUntilTheDiskIsFull(t *testing.T) {
	dir := disktest.Mount(t, 160<<20)
	e := openOn(t, dir, 16<<20)
	n, err := uint64(0), error(nil)
	for ; err == nil; n++ {
		err = e.Update(t.Context(), func(tx Txn) error {
			for part := range byte(16) {
				if err := tx.Put(append(binary.BigEndian.AppendUint64(nil, n), part), make([]byte, MaxValue)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	acknowledged := n - 1
	var low *disk.LowError
	if !errors.As(err, &low) || low.Dir != dir || acknowledged < 20 {
		t.Fatalf("after %d MiB: %v", acknowledged, err)
	}
	t.Logf("%d MiB were taken, %d MiB are free", acknowledged, disktest.Free(t, dir)>>20)
	if err := e.Update(t.Context(), func(tx Txn) error { _, err := tx.Get(make([]byte, 8)); return err }); !errors.Is(err, ErrNotFound) {
		t.Errorf("an Update that only reads: %v", err)
	}
	if err := e.UpdateReserved(t.Context(), func(tx Txn) error { return tx.Put([]byte("revoked"), nil) }); err != nil {
		t.Errorf("a write from the reserve: %v", err)
	}
	// A program that fills the disk within a merge ends us, as a kill would: that
	// can't be caught, and is not what is tested here.
	waitFor(t, "Badger is at rest", func() bool { return e.owed().Now == 0 })
	empty := disktest.Fill(t, dir, 0)
	waitFor(t, "the full disk is seen", func() bool { return e.Disk().Full })
	if err := e.UpdateReserved(t.Context(), func(tx Txn) error { return tx.Put([]byte("late"), nil) }); !errors.Is(err, ErrLowDisk) {
		t.Errorf("a write from the reserve below the hard limit: %v", err)
	}
	wantAll(t, e, acknowledged)
	if err := e.Health(); err != nil {
		t.Errorf("Health = %v", err)
	}
	empty()
	waitFor(t, "writes are back", func() bool {
		return e.UpdateReserved(t.Context(), func(tx Txn) error { return tx.Put([]byte("late"), nil) }) == nil
	})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	wantAll(t, openOn(t, dir, 0), acknowledged)
}

func openOn(t *testing.T, dir string, minFree int64) *engine {
	t.Helper()
	db, err := Open(Options{Dir: dir, MinFree: minFree})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db.(*engine)
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func wantAll(t *testing.T, e *engine, n uint64) {
	t.Helper()
	err := e.View(t.Context(), func(r Reader) error {
		for i := range n {
			if _, err := r.Get(append(binary.BigEndian.AppendUint64(nil, i), 15)); err != nil {
				t.Errorf("acknowledged %d: %v", i, err)
			}
		}
		_, err := r.Get([]byte("revoked"))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
