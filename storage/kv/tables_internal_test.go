package kv

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDamagedTableIsRefusedAndKept flips one byte at a time in the tables of a
// closed store. Each time Open refuses, and leaves the files as they are: opened
// all the same, Badger would compact the damage into a loss.
func TestDamagedTableIsRefusedAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	e := openEngine(t, dir, nil)
	for id := range uint64(2000) {
		if err := e.Update(context.Background(), func(t Txn) error { return create(t, id) }); err != nil {
			t.Fatal(err)
		}
		if id%500 == 499 {
			e = flush(t, e, dir)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	const flips = 40
	for i := range flips {
		path := tables[i%len(tables)]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged := bytes.Clone(whole)
		at := len(whole) * i / flips
		damaged[at] ^= 0x40
		write(t, path, damaged)
		_, err = Open(Options{Dir: dir})
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d of %s flipped: Open = %v, want ErrDamaged", at, filepath.Base(path), err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
			t.Fatalf("byte %d of %s flipped: Open changed the file (%v)", at, filepath.Base(path), err)
		}
		write(t, path, whole)
	}
	e = openEngine(t, dir, nil)
	err = e.View(context.Background(), func(r Reader) error {
		n, err := r.Count(Range{})
		if n != 5*2000 {
			t.Errorf("%d entries after the repair, want %d", n, 5*2000)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A kill at the wrong moment leaves an empty log. It holds nothing, and must not
// keep a whole store from opening.
func TestEmptyLogOfAKilledProcessIsNoDamage(t *testing.T) {
	for _, name := range []string{"00099.mem", "000099.vlog", "000001.vlog"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			e := openEngine(t, dir, nil)
			mustPut(t, e, "k", "v")
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, name), nil)
			e = openEngine(t, dir, nil)
			err := e.View(context.Background(), func(r Reader) error {
				_, err := r.Get([]byte("k"))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// After a failure nothing is acknowledged, not even a transaction without writes.
func TestNothingIsAcknowledgedAfterAFailure(t *testing.T) {
	e := openEngine(t, filepath.Join(t.TempDir(), "data"), nil)
	e.health.fail(errors.New("fsync: input/output error"))
	for range 100 {
		err := e.Update(context.Background(), func(tx Txn) error {
			tx.OnCommit(func() { t.Error("a hook ran") })
			return nil
		})
		if !errors.Is(err, ErrUnknownOutcome) {
			t.Fatalf("Update = %v, want ErrUnknownOutcome", err)
		}
	}
}
