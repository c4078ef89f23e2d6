package kv_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"exante/storage/kv"
	"exante/storage/kv/kvtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
		return
	}
	if dir := os.Getenv(compactDir); dir != "" {
		compactUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m,
		// Badger leaves these two behind when it refuses to open.
		goleak.IgnoreAnyFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"),
		goleak.IgnoreAnyFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"))
}

func TestBadgerKeepsTheContract(t *testing.T) {
	kvtest.Run(t, func(t testing.TB, dir string) kv.DB { return mustOpen(t, dir) })
}

func mustOpen(t testing.TB, dir string) kv.DB {
	t.Helper()
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// closedStore is a directory with a store of one record in its tables.
func closedStore(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	db := mustOpen(t, dir)
	put(t, db, "a", "1")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func put(t *testing.T, db kv.DB, key, value string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx kv.Txn) error { return tx.Put([]byte(key), []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondOpenIsLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	db := mustOpen(t, dir)
	_, err := kv.Open(kv.Options{Dir: dir})
	if want := "store is in use by another process: " + dir; !errors.Is(err, kv.ErrLocked) || err.Error() != want {
		t.Errorf("second Open = %v, want %q", err, want)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

func TestDirectoryIsCreatedForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "store")
	if err := mustOpen(t, dir).Close(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOpenSaysWhatIsWrongWithTheDirectory(t *testing.T) {
	remove := func(pattern string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			names, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(names) == 0 {
				t.Fatalf("%s: %q, %v", pattern, names, err)
			}
			for _, name := range names {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, dir string)
		is     error
		want   string
	}{
		{"loose mode", func(t *testing.T, dir string) {
			if err := os.Chmod(dir, 0o750); err != nil {
				t.Fatal(err)
			}
		}, nil, "others may enter it (mode 0750): set it to 0700"},
		{"a file", func(t *testing.T, dir string) {
			if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, nil, "not a directory"},
		{"no MANIFEST", remove("MANIFEST"), kv.ErrDamaged, "store files are damaged: data files without a MANIFEST"},
		{"empty MANIFEST", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "MANIFEST"), 16); err != nil {
				t.Fatal(err)
			}
		}, kv.ErrDamaged, "store files are damaged: the MANIFEST names no table, but there are 1"},
		{"a table is gone", remove("*.sst"), kv.ErrDamaged, "is missing"},
		{"a damaged index", func(t *testing.T, dir string) {
			flip(t, filepath.Join(dir, "000001.sst"), -40) // in the index, at the end
		}, kv.ErrDamaged, "fails its checksums"},
		{"no magic", func(t *testing.T, dir string) {
			flip(t, filepath.Join(dir, "MANIFEST"), 0)
		}, kv.ErrDamaged, "manifest has bad magic"},
		{"a damaged MANIFEST", func(t *testing.T, dir string) {
			flip(t, filepath.Join(dir, "MANIFEST"), -1)
		}, kv.ErrDamaged, "manifest has checksum mismatch"},
		{"a MANIFEST with a wild length", func(t *testing.T, dir string) {
			flip(t, filepath.Join(dir, "MANIFEST"), 8)
		}, kv.ErrDamaged, "Manifest file might be corrupted"},
		{"another format", func(t *testing.T, dir string) {
			flip(t, filepath.Join(dir, "MANIFEST"), 5) // the low byte of our version
		}, nil, "magic number doesn't match"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := closedStore(t)
			tt.damage(t, dir)
			before := listing(t, dir)
			db, err := kv.Open(kv.Options{Dir: dir})
			if err == nil {
				_ = db.Close()
				t.Fatalf("Open succeeded")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("Open = %v, want the directory and %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Open = %v, want %v", err, tt.is)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("refused, yet Open changed the files from %s to %s", before, after)
			}
		})
	}
	if _, err := kv.Open(kv.Options{}); err == nil || !strings.Contains(err.Error(), "no path given") {
		t.Errorf("Open without a directory = %v", err)
	}
}

// flip changes one bit of a file, at an offset from its begin, or from its end.
func flip(t *testing.T, name string, at int) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[(at+len(data))%len(data)] ^= 1
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestBadgersChatterIsDebug(t *testing.T) {
	var log strings.Builder
	db, err := kv.Open(kv.Options{Dir: closedStore(t), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("logged at Info or above: %s", log.String())
	}
}
