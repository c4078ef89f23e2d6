package storage

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// filesOf is every file below dir and what is in it.
func filesOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// copyOf copies a directory, as long as nothing has it open.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := errors.Join(os.Mkdir(to, 0o700), os.CopyFS(to, os.DirFS(dir))); err != nil {
		t.Fatal(err)
	}
	return to
}

// refusesUntouched checks that a closed store is refused, and left as it was found.
func refusesUntouched(t *testing.T, o Options, part string) {
	t.Helper()
	before := filesOf(t, o.Dir)
	s, err := Open(o)
	if err == nil {
		s.Close()
	}
	refuses(t, err, ErrCorrupt, part)
	if !maps.Equal(filesOf(t, o.Dir), before) {
		t.Error("the refusal left something else than it found")
	}
}

func (w *wreck) anchorPath() string { return filepath.Join(w.options.Dir, anchorFile) }

// forgeAnchor writes the anchor anew, with a MAC that is right.
func (w *wreck) forgeAnchor(change func(*anchor)) {
	w.Helper()
	text, err := os.ReadFile(w.anchorPath())
	w.must(err)
	a, _, ok := parseAnchor(string(text))
	if !ok {
		w.Fatalf("not an anchor: %q", text)
	}
	change(&a)
	w.must(writeFile(w.options.Dir, anchorFile, a.text(w.store.signing)))
}

func TestAnchorKeepsTheDatabaseFromFallingBack(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *wreck)
		want string
	}{
		{"removed", func(w *wreck) { w.must(os.Remove(w.anchorPath())) }, "exante.anchor is missing"},
		{"empty", func(w *wreck) { w.must(os.Truncate(w.anchorPath(), 0)) }, "exante.anchor was changed, or cut short"},
		{"cut short", func(w *wreck) { w.must(os.Truncate(w.anchorPath(), 100)) }, "exante.anchor was changed, or cut short"},
		{"edited", func(w *wreck) {
			text, err := os.ReadFile(w.anchorPath())
			w.must(err)
			w.must(os.WriteFile(w.anchorPath(), []byte(strings.Replace(string(text), "keys 2", "keys 1", 1)), 0o600))
		}, "exante.anchor was changed, or cut short"},
		{"of another store", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.ID = noID }) }, "exante.anchor is of store aa000000-0000-0000-0000-000000000000"},
		{"of a later state", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.Seq += 3 }) }, ", behind exante.anchor, which says "},
		{"with other counts", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.Keys++ }) }, "2 organizations, 2 keys and 8 audit records; exante.anchor says 2, 3 and 8"},
		{"with a record that is not there", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.Seq--; a.Audit.Seq++ }) }, "audit record 9 is missing, which exante.anchor names"},
		{"with another history", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.Seq--; a.Audit.Hash[0]++ }) }, "audit record 8 is not the one that exante.anchor names"},
		{"with another end at the same place", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.Audit.Seq--; a.Audit.Hash = w.hashOf(7) }) }, "8 audit records; exante.anchor says 2, 2 and 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWreck(t)
			w.hashes = w.chain()
			w.must(w.store.Close())
			c.do(w)
			for range 2 {
				refusesUntouched(t, w.options, c.want)
				refusesUntouched(t, w.options, "exante verify --accept")
			}
			w.options.Unanchored = true
			w.open()
			w.must(w.store.Close())
			w.options.Unanchored = false
			w.open()
		})
	}
}

// chain are the hashes of all audit records, by sequence number.
func (w *wreck) chain() map[uint64][32]byte {
	w.Helper()
	hashes := map[uint64][32]byte{}
	w.must(w.store.db.View(w.Context(), func(r kv.Reader) error {
		return scan(r, inGlobal(famAudit), famAudit, func(_ []byte, rec *auditRecord) error {
			hashes[rec.Seq] = rec.Hash
			return nil
		})
	}))
	return hashes
}

func (w *wreck) hashOf(seq uint64) [32]byte { return w.hashes[seq] }

func TestRolledBackFilesAreRefused(t *testing.T) {
	w := newWreck(t)
	w.must(w.store.Close())
	earlier := copyOf(t, w.options.Dir)
	w.open()
	_, err := w.store.RevokeKey(t.Context(), principalIn(w.org.ID), w.next.ID, 0)
	w.must(err)
	w.must(w.store.Close())
	w.must(os.Rename(w.anchorPath(), filepath.Join(earlier, anchorFile)))
	w.options.Dir = earlier
	refusesUntouched(t, w.options, "the end of its log is lost, or older files were put in their place")
}

func TestRevocationIsAnchoredWhenItIsAnswered(t *testing.T) {
	w := newWreck(t)
	for _, id := range []*auth.Key{w.next, w.next, w.old} { // the second changes nothing
		_, err := w.store.RevokeKey(t.Context(), principalIn(w.org.ID), id.ID, 0)
		w.must(err)
		text, err := os.ReadFile(w.anchorPath())
		w.must(err)
		a, _, ok := parseAnchor(string(text))
		if !ok || a.Seq != w.store.db.Seq() {
			t.Errorf("the anchor names sequence %d, want %d", a.Seq, w.store.db.Seq())
		}
	}
}

// What is durable is answered, even where the anchor can't be written.
func TestRevocationOutlivesItsAnchor(t *testing.T) {
	w := newWreck(t)
	w.must(os.MkdirAll(filepath.Join(w.options.Dir, anchorFile+temporary, "in the way"), 0o700))
	key, err := w.store.RevokeKey(t.Context(), principalIn(w.org.ID), w.next.ID, 0)
	if err != nil || key.State(wreckTime) != auth.Revoked {
		t.Fatalf("%v, %v", key, err)
	}
	if got := w.store.Troubles(); len(got) != 1 || got[0] != "anchor" {
		t.Errorf("troubles are %q", got)
	}
	w.must(os.RemoveAll(filepath.Join(w.options.Dir, anchorFile+temporary)))
	w.must(w.store.mooring.hold())
	if got := w.store.Troubles(); len(got) != 0 {
		t.Errorf("troubles are %q", got)
	}
}

func TestMooringWritesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes atomic.Int32
		var full atomic.Bool
		fault := errors.New("no space left on device")
		m := newMooring(func() error {
			writes.Add(1)
			if full.Load() {
				return fault
			}
			return nil
		}, slog.New(slog.DiscardHandler))
		expect := func(n int32, when string) {
			t.Helper()
			synctest.Wait()
			if got := writes.Swap(0); got != n {
				t.Errorf("%s: %d writes, want %d", when, got, n)
			}
		}
		for range 100 {
			m.nudge()
		}
		expect(0, "at once after a commit")
		time.Sleep(anchorDelay)
		expect(1, "a second after many commits")
		for range 64 {
			go func() { _ = m.hold() }()
		}
		synctest.Wait()
		if got := writes.Swap(0); got < 1 || got > 64 {
			t.Errorf("%d writes for 64 who ask", got)
		}
		full.Store(true)
		if err := m.hold(); !errors.Is(err, fault) || !errors.Is(m.trouble(), fault) {
			t.Errorf("hold = %v, trouble %v", err, m.trouble())
		}
		expect(1, "a write that fails")
		full.Store(false)
		time.Sleep(anchorDelay)
		expect(1, "a second after a failure")
		if m.trouble() != nil {
			t.Errorf("trouble %v", m.trouble())
		}
		m.close()
		expect(1, "at the end")
		if err := m.hold(); !errors.Is(err, ErrClosed) {
			t.Errorf("hold = %v", err)
		}
	})
}

// An anchor that can't be written is tried every second, for as long as a disk is
// full: the log says it once, and once that it is over.
func TestUnwrittenAnchorIsLoggedOnce(t *testing.T) {
	w := newWreck(t)
	w.must(w.store.Close())
	var lines bytes.Buffer
	w.options.Log = slog.New(slog.NewTextHandler(&lines, nil))
	w.open()
	way := filepath.Join(w.options.Dir, anchorFile+temporary)
	w.must(os.MkdirAll(filepath.Join(way, "in the way"), 0o700))
	for _, id := range []uid.ID{w.old.ID, w.next.ID} {
		_, err := w.store.RevokeKey(t.Context(), principalIn(w.org.ID), id, 0)
		w.must(err)
		if w.store.mooring.hold() == nil {
			t.Error("the anchor was written")
		}
	}
	w.must(os.RemoveAll(way))
	w.must(w.store.mooring.hold())
	w.must(w.store.Close())
	for line, want := range map[string]int{"the anchor could not be written": 1, "the anchor is written again": 1} {
		if n := strings.Count(lines.String(), line); n != want {
			t.Errorf("%q was logged %d times, want %d", line, n, want)
		}
	}
}

// Many who ask while one write is under way share the next.
func TestMooringSharesAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes atomic.Int32
		m := newMooring(func() error { writes.Add(1); time.Sleep(time.Millisecond); return nil }, slog.New(slog.DiscardHandler))
		for range 64 {
			go func() {
				if err := m.hold(); err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(time.Second)
		if got := writes.Load(); got > 3 {
			t.Errorf("%d writes for 64 who ask at once, want at most 3", got)
		}
		m.close()
	})
}

// A store from before anchors gets one, and none can be without from then on.
func TestStoreOfSchema2GetsAnAnchor(t *testing.T) {
	w := newWreck(t)
	edit(w, keyMarker(), famMarker, func(r *markerRecord) { r.Schema = 2 })
	w.remove(keySigningKey())
	w.must(w.store.Close())
	w.must(os.Remove(w.anchorPath()))
	w.open()
	w.must(w.store.Close())
	if _, err := os.Stat(w.anchorPath()); err != nil {
		t.Error(err)
	}
	w.must(os.Remove(w.anchorPath()))
	refusesUntouched(t, w.options, "exante.anchor is missing")
}
