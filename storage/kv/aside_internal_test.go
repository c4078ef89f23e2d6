package kv

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// contents is every file below dir, with its size and what is in it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = fmt.Sprintf("%d bytes, %x", len(data), sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sameContents(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	after := contents(t, dir)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] != before[name] {
			t.Errorf("%s was %s, is %q", name, before[name], after[name])
		}
		delete(after, name)
	}
	for name := range after {
		t.Errorf("%s was not there before", name)
	}
}

// copyDir makes a copy of the files of a running store, as kill -9 would leave them.
// It has no table in common with it: Badger empties those that it has merged, and
// the other store would read on in them (SIGBUS).
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	names, err := engineFiles(from)
	for _, name := range names {
		if err == nil && filepath.Ext(name) == ".sst" {
			write(t, filepath.Join(to, name), must(os.ReadFile(filepath.Join(from, name)))(t))
		} else if err == nil {
			err = keep(filepath.Join(from, name), filepath.Join(to, name))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// killed is a store with tables and a log, whose process was killed.
func killed(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	e := openEngine(t, dir, nil)
	for n := range 20 {
		mustPut(t, e, fmt.Sprint("old", n), strings.Repeat("v", 1000))
	}
	e = flush(t, e, dir)
	for n := range 20 {
		mustPut(t, e, fmt.Sprint("new", n), strings.Repeat("v", 1000))
	}
	return copyDir(t, dir)
}

func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %q, %v", pattern, names, err)
	}
	return names[len(names)-1]
}

func flipByte(t *testing.T, path string, at int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 0x40
	write(t, path, data)
}

var errNotThatOne = errors.New("not the database that is meant")

// wants40 is a Judge who knows how much there should be.
func wants40(_ uint64, r Reader) error {
	n, err := r.Count(Range{})
	if err == nil && n != 40 {
		err = fmt.Errorf("%w: %d entries", errNotThatOne, n)
	}
	return err
}

// What Badger does to a damaged log or a lost MANIFEST as it opens must not be
// there after the refusal: the log would be cut, and tables deleted.
func TestRefusedDirectoryIsLeftAsItWasFound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		is     error
	}{
		{"a flipped byte in the log", func(t *testing.T, dir string) { flipByte(t, one(t, dir, "*.mem"), 3000) }, errNotThatOne},
		{"a log cut short", func(t *testing.T, dir string) { os.Truncate(one(t, dir, "*.mem"), 5000) }, errNotThatOne},
		{"an empty log", func(t *testing.T, dir string) { os.Truncate(one(t, dir, "*.mem"), 0) }, errNotThatOne},
		{"no log", func(t *testing.T, dir string) { os.Remove(one(t, dir, "*.mem")) }, errNotThatOne},
		{"a MANIFEST of nothing beside a log", func(t *testing.T, dir string) { os.Truncate(filepath.Join(dir, "MANIFEST"), 16) }, errNotThatOne},
		{"no KEYREGISTRY", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "KEYREGISTRY")) }, ErrDamaged},
		{"a changed KEYREGISTRY", func(t *testing.T, dir string) { flipByte(t, filepath.Join(dir, "KEYREGISTRY"), 20) }, ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := killed(t)
			tt.damage(t, dir)
			before := contents(t, dir)
			for range 2 { // the second finds what the first left
				db, err := Open(Options{Dir: dir, Judge: wants40})
				if err == nil {
					db.Close()
				}
				if !errors.Is(err, tt.is) {
					t.Errorf("Open = %v, want %v", err, tt.is)
				}
				sameContents(t, dir, before)
			}
		})
	}
}

// A Judge may take his time. Compaction, which begins within a second, would empty
// the tables that it replaces.
func TestSlowJudgeKeepsTheTables(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e := openEngine(t, dir, nil)
	for n := range 2 { // fewer than begin a compaction by themselves: the logs of two openings make it three
		mustPut(t, e, fmt.Sprint("k", n), "v")
		e = flush(t, e, dir)
	}
	mustPut(t, e, "k2", "v")
	dir = copyDir(t, dir)
	before := contents(t, dir)
	_, err := Open(Options{Dir: dir, Judge: func(uint64, Reader) error {
		time.Sleep(2 * time.Second) // the compactors of Badger wait for up to one, by chance
		return errNotThatOne
	}})
	if !errors.Is(err, errNotThatOne) {
		t.Fatal(err)
	}
	sameContents(t, dir, before)
}

func TestAcceptedDirectoryHasNothingSetAside(t *testing.T) {
	dir := killed(t)
	db, err := Open(Options{Dir: dir, Judge: wants40})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{asideDraft, asideDir, asideDone} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A process that ends while it opens a store leaves one of these behind.
func TestOpeningThatWasCutOff(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  func(t *testing.T, dir string)
	}{
		{"while it set aside", func(t *testing.T, dir string) {
			a := must(setAside(dir))(t)
			a.lock.Close()
			must(0, os.Rename(filepath.Join(dir, asideDir), filepath.Join(dir, asideDraft)))(t)
			must(0, os.Remove(one(t, filepath.Join(dir, asideDraft), "*.mem")))(t)
		}},
		{"while it judged", func(t *testing.T, dir string) {
			a := must(setAside(dir))(t)
			a.lock.Close()
			must(0, os.Remove(one(t, dir, "*.sst")))(t)
			must(0, os.Truncate(one(t, dir, "*.mem"), 100))(t)
			must(0, os.WriteFile(filepath.Join(dir, "000099.sst"), []byte("of the opening"), 0o600))(t)
		}},
		{"while it put back", func(t *testing.T, dir string) {
			a := must(setAside(dir))(t)
			a.lock.Close()
			name := filepath.Base(one(t, dir, "*.mem"))
			must(0, os.Truncate(filepath.Join(dir, name), 100))(t)
			must(0, os.Link(filepath.Join(dir, asideDir, name), filepath.Join(dir, name+returning)))(t)
		}},
		{"while it dropped", func(t *testing.T, dir string) {
			must(0, os.Mkdir(filepath.Join(dir, asideDone), 0o700))(t)
			must(0, os.WriteFile(filepath.Join(dir, asideDone, "00001.mem"), []byte("old"), 0o600))(t)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := killed(t)
			before := contents(t, dir)
			tt.cut(t, dir)
			_, err := Open(Options{Dir: dir, Judge: func(uint64, Reader) error { return errNotThatOne }})
			if !errors.Is(err, errNotThatOne) {
				t.Fatal(err)
			}
			sameContents(t, dir, before)
			db, err := Open(Options{Dir: dir, Judge: wants40})
			if err != nil {
				t.Fatal(err)
			}
			must(0, db.Close())(t)
		})
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Whoever comes while a store is being opened is told so, and changes nothing.
func TestOneOpeningAtATime(t *testing.T) {
	dir := killed(t)
	db, err := Open(Options{Dir: dir, Judge: func(uint64, Reader) error {
		if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrLocked) {
			t.Errorf("Open meanwhile = %v, want %v", err, ErrLocked)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(context.Background(), func(r Reader) error { return wants40(0, r) }); err != nil {
		t.Error(err)
	}
}

// BenchmarkSetAside is what the files of a killed store, with one table and a log,
// take on top of opening it.
func BenchmarkSetAside(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "store")
	e := openEngine(b, dir, nil)
	for n := range 1000 {
		mustPut(b, e, fmt.Sprint("key", n), strings.Repeat("v", 1000))
	}
	for b.Loop() {
		a := must(setAside(dir))(b)
		must(0, errors.Join(a.accept(), a.drop()))(b)
	}
}
