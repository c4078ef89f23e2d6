package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"exante/storage/kv"
)

// backdate makes l's store, which is closed then, what a program of that schema
// would have left: without rows, and before 3 without anchor and signing key.
func (l *ledger) backdate(t *testing.T, schema uint64) {
	t.Helper()
	l.raw(func(tx *tx) error {
		var marker markerRecord
		err := errors.Join(
			get(tx, keyMarker(), famMarker, &marker),
			put(tx, keyMarker(), famMarker, &markerRecord{marker.ID, schema, marker.CreatedAt}),
			tx.Delete(keySigningKey()),
		)
		if schema > 1 || err != nil {
			return err
		}
		err = tx.count(func(c *counts) { c.Rows = 0 })
		left := 1 // as a migration that was cut off has it
		return errors.Join(err, tx.Scan(inFamily(l.org, famRow), kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
			if left > 0 {
				left--
				return true, nil
			}
			return true, tx.Delete(key)
		}))
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(l.options.Dir, anchorFile)); err != nil {
		t.Fatal(err)
	}
}

// Before anything is changed there is a backup, which this program restores.
func TestAStoreIsBackedUpBeforeItIsBroughtUpToDate(t *testing.T) {
	for schema := uint64(1); schema < schemaVersion; schema++ {
		t.Run(fmt.Sprint("schema ", schema), func(t *testing.T) {
			l := openLedger(t)
			l.backdate(t, schema)
			var backup bytes.Buffer
			calls := 0
			o := l.options
			o.BeforeMigration = func(m Migration) error {
				calls++
				if m.From != schema || m.To != schemaVersion || m.Sequence == 0 {
					t.Errorf("asked for %+v", m)
				}
				return m.Backup(&backup, BackupOptions{})
			}
			for range 2 {
				s, err := Open(o)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if calls != 1 {
				t.Errorf("asked %d times", calls)
			}
			into := internalOptions(t)
			into.Create, into.Now = false, nil
			into.BeforeMigration = func(Migration) error { return errors.New("the backup is there") }
			done, err := Restore(t.Context(), &backup, RestoreOptions{Store: into})
			if err != nil || done.Schema != schema {
				t.Fatalf("restored %+v, %v", done, err)
			}
			s, err := Open(into)
			if err != nil {
				t.Fatal(err)
			}
			l.Store = s
			if _, err := s.Invoice(t.Context(), l.org, l.sent.ID); err != nil {
				t.Error(err)
			}
			if found := l.findings(); len(found) > 0 {
				t.Errorf("found %v", found)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Without a backup nothing is changed, and a later attempt finds the store as it was.
func TestAStoreThatCantBeBackedUpIsLeftAsItIs(t *testing.T) {
	l := openLedger(t)
	l.backdate(t, 1)
	noRoom := errors.New("no room")
	o := l.options
	for range 2 {
		o.BeforeMigration = func(m Migration) error {
			return errors.Join(m.Backup(io.Discard, BackupOptions{}), noRoom)
		}
		before := filesOf(t, o.Dir)
		_, err := Open(o)
		refuses(t, err, ErrNotBackedUp, "no room")
		if !maps.Equal(filesOf(t, o.Dir), before) {
			t.Error("the refusal left something else than it found")
		}
	}
	o.BeforeMigration = nil
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	l.Store = s
	if found := l.findings(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
