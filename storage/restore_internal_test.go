package storage

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/auth"
	"exante/storage/archive"
	"exante/storage/kv"
)

// backupOf is a backup of a wreck as bytes.
func (w *wreck) backup() []byte {
	w.Helper()
	var out bytes.Buffer
	_, err := w.store.Backup(w.Context(), &out, BackupOptions{}, nil)
	w.must(err)
	return out.Bytes()
}

func (w *wreck) restoreOptions() RestoreOptions {
	w.Helper()
	o := internalOptions(w.T)
	o.Create = false
	return RestoreOptions{Store: o, By: auth.Principal{Shell: true}}
}

// Killed between any two moves the directory does not open, or is the whole store.
func TestARestoreKilledWhileItMovesLeavesNothingThatOpens(t *testing.T) {
	w := newWreck(t)
	backup := w.backup()
	steps := 0
	for stop := 0; ; stop++ {
		o := w.restoreOptions()
		c, err := claim(o.Store.Dir, false)
		w.must(err)
		from, err := openBackup(t.Context(), bytes.NewReader(backup), nil, func(int, int) {})
		w.must(err)
		w.must(from.load(c.fresh, nil))
		w.must(writeFile(c.fresh, nameFile, from.backup().Database.String()))
		w.must(new(Restored).prove(t.Context(), c.fresh, o, new(aftermath)))
		entries, err := os.ReadDir(c.fresh)
		w.must(err)
		names := nameLast(entries)
		if stop > len(names) {
			break
		}
		for _, name := range names[:stop] {
			w.must(os.Rename(filepath.Join(c.fresh, name), filepath.Join(c.dir, name)))
		}
		w.must(c.unlock()) // as the kernel does when a process ends
		for _, create := range []bool{false, true} {
			o.Store.Create = create
			s, err := Open(o.Store)
			whole := stop == len(names)
			switch {
			case whole && err != nil:
				t.Errorf("after all moves: %v", err)
			case !whole && (!errors.Is(err, ErrNoStore) || !strings.Contains(err.Error(), "an interrupted restore left")):
				t.Errorf("after %d of %d moves: %v", stop, len(names), err)
			}
			if err == nil {
				w.must(s.Close())
			}
		}
		steps++
	}
	if steps < 5 {
		t.Errorf("only %d moves", steps)
	}
}

// Families that are left behind are not restored, and are counted.
func TestFamiliesThatAreLeftBehindAreNotRestored(t *testing.T) {
	w := newWreck(t)
	backup := w.backup()
	leftBehind[famEmail] = true
	defer delete(leftBehind, famEmail)
	from, err := openBackup(t.Context(), bytes.NewReader(backup), nil, func(int, int) {})
	w.must(err)
	dir := filepath.Join(t.TempDir(), "data")
	w.must(from.load(dir, nil))
	if len(from.dropped) != 1 || from.dropped[famEmail] != 3 {
		t.Errorf("%v were left behind, want the 3 addresses", from.dropped)
	}
	db, err := kv.Open(kv.Options{Dir: dir})
	w.must(err)
	defer db.Close()
	w.must(db.View(t.Context(), func(r kv.Reader) error {
		emails, err := r.Count(inGlobal(famEmail))
		all, err2 := r.Count(kv.Range{})
		if kept := from.backup().Entries - 3; emails != 0 || uint64(all) != kept {
			t.Errorf("%d addresses of %d records were restored, want 0 of %d", emails, all, kept)
		}
		return errors.Join(err, err2)
	}))
}

// A backup by an older schema is brought up to date before it is verified.
func TestABackupOfAnOlderSchemaIsMigrated(t *testing.T) {
	l := openLedger(t)
	err := l.db.Update(t.Context(), func(tx kv.Txn) error { // as schema 1 had it: without rows
		var marker markerRecord
		c, err := countsOf(tx, l.org)
		err = errors.Join(err, get(tx, keyMarker(), famMarker, &marker))
		c.Rows, marker.Schema = 0, 1
		err = errors.Join(err, put(tx, keyMarker(), famMarker, &marker), put(tx, keyCounts(l.org), famCounts, &c))
		return errors.Join(err, tx.Scan(inFamily(l.org, famRow), kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
			return true, tx.Delete(key)
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := l.Backup(t.Context(), &out, BackupOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	o := internalOptions(t)
	o.Create, o.Now = false, nil
	done, err := Restore(t.Context(), &out, RestoreOptions{Store: o})
	if err != nil || done.Schema != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Invoice(t.Context(), l.org, l.sent.ID); err != nil {
		t.Error(err)
	}
}

// What a damaged block takes away must not make a backup that looks whole.
func TestABackupOfADamagedStoreIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *wreck)
		want string
	}{
		{"damaged key", func(w *wreck) { w.flip(keyAPIKey(w.org.ID, w.old.ID)) }, "fails its checksum"},
		{"short value", func(w *wreck) { w.raw(keyTotals(), func([]byte) []byte { return []byte{1} }) }, "has 1 bytes"},
		{"lost key", func(w *wreck) { w.remove(keyAPIKey(w.org.ID, w.old.ID)) }, " k found, 2 counted"},
		{"lost user", func(w *wreck) { w.remove(keyUser(w.org.ID, w.viewer.ID)) }, " u found, 2 counted"},
		{"lost organization", func(w *wreck) { w.remove(keyOrg(w.rival.ID)) }, "1 organizations found, 2 counted"},
		{"lost counts", func(w *wreck) { w.remove(keyCounts(w.rival.ID)) }, "is missing"},
		{"lost totals", func(w *wreck) { w.remove(keyTotals()) }, "record g c is missing"},
		{"lost audit record", func(w *wreck) { w.remove(keyAudit(3)) }, "7 audit records found, 8 counted"},
		{"lost marker", func(w *wreck) { w.remove(keyMarker()) }, "record g m is missing"},
		{"key of no family", func(w *wreck) {
			w.write(func(t kv.Txn) error { return t.Put([]byte("zzz"), []byte("x")) })
		}, "is of no known family"},
	} {
		w := newWreck(t)
		c.do(w)
		var out bytes.Buffer
		_, err := w.store.Backup(context.Background(), &out, BackupOptions{}, nil)
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if r, err := archive.NewReader(&out, nil); err == nil {
			for err == nil {
				_, _, err = r.Next()
			}
			if !errors.Is(err, archive.ErrDamaged) {
				t.Errorf("%s: what was written reads to %v", c.name, err)
			}
		}
	}
}
