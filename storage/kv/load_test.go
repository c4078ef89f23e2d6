package kv_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/storage/kv"
)

// numbered returns n entries whose values have size bytes.
func numbered(n, size int) func() (key, value []byte, err error) {
	i := uint64(0)
	return func() ([]byte, []byte, error) {
		if i == uint64(n) {
			return nil, nil, io.EOF
		}
		i++
		value := make([]byte, size)
		copy(value, fmt.Sprint(i))
		return binary.BigEndian.AppendUint64(nil, i), value, nil
	}
}

// opened opens a store for the rest of the test.
func opened(t testing.TB, dir string) kv.DB {
	t.Helper()
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestALoadedStoreHasAllEntriesAndGoesOn(t *testing.T) {
	for _, n := range []int{0, 1, 20_000} {
		dir := filepath.Join(t.TempDir(), "data")
		if err := kv.Load(dir, 4711, nil, numbered(n, 700)); err != nil {
			t.Fatal(err)
		}
		db, want, found := opened(t, dir), numbered(n, 700), 0
		err := db.View(t.Context(), func(r kv.Reader) error {
			return r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
				k, v, err := want()
				if err == nil && (string(k) != string(key) || string(v) != string(value)) {
					err = fmt.Errorf("entry %d is another one", found)
				}
				found++
				return true, err
			})
		})
		if err != nil || found != n {
			t.Errorf("%d entries of %d: %v", found, n, err)
		}
		if n > 0 && db.Seq() != 4711 {
			t.Errorf("Seq = %d, want that of the load, 4711", db.Seq())
		}
		if err := db.Update(t.Context(), func(tx kv.Txn) error { return tx.Put(binary.BigEndian.AppendUint64(nil, 1), []byte("new")) }); err != nil {
			t.Fatal(err)
		}
		err = db.View(t.Context(), func(r kv.Reader) error {
			v, err := r.Get(binary.BigEndian.AppendUint64(nil, 1))
			if err == nil && string(v) != "new" {
				err = fmt.Errorf("a write after the load was lost: %q", v)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	one := func(key, value string) func() ([]byte, []byte, error) {
		done := false
		return func() ([]byte, []byte, error) {
			if done {
				return nil, nil, io.EOF
			}
			done = true
			return []byte(key), []byte(value), nil
		}
	}
	broken := errors.New("the stream broke")
	after := func(n int, err error) func() ([]byte, []byte, error) {
		next := numbered(n, 1000)
		return func() ([]byte, []byte, error) {
			k, v, end := next()
			if end != nil {
				return nil, nil, err
			}
			return k, v, nil
		}
	}
	twice := func() ([]byte, []byte, error) { return []byte("k"), nil, nil }
	for _, c := range []struct {
		name string
		seq  uint64
		next func() ([]byte, []byte, error)
		want string
	}{
		{"no key", 1, one("", "v"), kv.ErrInvalidKey.Error()},
		{"long key", 1, one(strings.Repeat("k", kv.MaxKey+1), ""), kv.ErrTooLarge.Error()},
		{"long value", 1, one("k", strings.Repeat("v", kv.MaxValue+1)), kv.ErrTooLarge.Error()},
		{"the same key twice", 1, twice, "not in order"},
		{"a stream that breaks at once", 1, after(0, broken), "the stream broke"},
		{"a stream that breaks late", 1, after(30_000, broken), "the stream broke"},
		{"no sequence", 0, one("k", "v"), "sequence 0"},
	} {
		err := kv.Load(filepath.Join(t.TempDir(), "data"), c.seq, nil, c.next)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := kv.Load(dir, 1, nil, numbered(1, 1)); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("a directory with a file: error %v", err)
	}
}

// BenchmarkLoad is the rate of Load, and that of transactions as full as they may be.
func BenchmarkLoad(b *testing.B) {
	const n, size = 200_000, 400
	b.Run("Load", func(b *testing.B) {
		for b.Loop() {
			if err := kv.Load(filepath.Join(b.TempDir(), "data"), 1, nil, numbered(n, size)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("Update", func(b *testing.B) {
		for b.Loop() {
			db, next := opened(b, filepath.Join(b.TempDir(), "data")), numbered(n, size)
			for more := true; more; {
				err := db.Update(b.Context(), func(tx kv.Txn) error {
					for range 1000 {
						k, v, err := next()
						if err != nil {
							more = false
							return nil
						}
						if err := tx.Put(k, v); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}
