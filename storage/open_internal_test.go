package storage

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// refuses checks what an error is and what it says.
func refuses(t *testing.T, err, kind error, part string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), part) {
		t.Errorf("got error %v, want %q, which is %q", err, part, kind)
	}
}

func TestOpenRefusesDamage(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *wreck)
		kind error
		want string
	}{
		{"damaged key", func(w *wreck) { w.flip(keyAPIKey(w.org.ID, w.old.ID)) }, ErrCorrupt, "fails its checksum"},
		{"lost key", func(w *wreck) { w.remove(keyAPIKey(w.org.ID, w.old.ID)) }, ErrCorrupt, "1 api keys found, 2 counted"},
		{"key with a broken hash", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.Hash = "x" })
		}, ErrCorrupt, "stored hash is malformed"},
		{"damaged organization", func(w *wreck) { w.flip(keyOrg(w.org.ID)) }, ErrCorrupt, "fails its checksum"},
		{"lost organization", func(w *wreck) { w.remove(keyOrg(w.org.ID)) }, ErrCorrupt, "1 organizations found, 2 counted"},
		{"lost e-mail address", func(w *wreck) { w.remove(keyEmail(w.viewer.Email)) }, ErrCorrupt, "2 e-mail addresses found, 3 counted"},
		{"lost look-up tag", func(w *wreck) { w.remove(keyTag(w.old.Tag, w.old.ID)) }, ErrCorrupt, "1 look-up tags found, 2 counted"},
		{"lost totals", func(w *wreck) { w.remove(keyTotals()) }, ErrCorrupt, "record g c is missing"},
		{"lost counts", func(w *wreck) { w.remove(keyCounts(w.org.ID)) }, ErrCorrupt, "is missing"},
		{"damaged use", func(w *wreck) { w.flip(keyUse(w.org.ID, w.old.ID)) }, ErrCorrupt, "fails its checksum"},
		{"damaged hour", func(w *wreck) { w.flip(keyHour(w.org.ID, w.old.ID, hourOf(wreckTime))) }, ErrCorrupt, "fails its checksum"},
		{"lost end of the audit chain", func(w *wreck) { w.remove(keyAudit(8)) }, ErrCorrupt, "audit record g a 0000000000000008 is missing"},
		{"changed end of the audit chain", func(w *wreck) {
			edit(w, keyAudit(8), famAudit, func(r *auditRecord) { r.Actor.LocalUID++; r.Hash, _ = r.sum() })
		}, ErrCorrupt, "audit record 8 is not the one that the head of the chain names"},
		{"lost head of the audit chain", func(w *wreck) { w.remove(keyAuditHead()) }, ErrCorrupt, "the head of the audit chain is missing"},
		{"lost audit chain", func(w *wreck) {
			w.write(func(t kv.Txn) error {
				for seq := range uint64(9) {
					if err := t.Delete(keyAudit(seq)); err != nil {
						return err
					}
				}
				return t.Delete(keyAuditHead())
			})
		}, ErrCorrupt, "audit record g a 0000000000000000 is missing"},
		{"audit records beyond the head", func(w *wreck) {
			w.write(func(t kv.Txn) error {
				var r auditRecord
				err := get(t, keyAudit(7), famAudit, &r)
				return errors.Join(err, put(t, keyAuditHead(), famAuditHead, &auditHeadRecord{7, r.Hash}))
			})
		}, ErrCorrupt, "there are audit records after the head of the chain, 7"},
		{"lost marker", func(w *wreck) { w.remove(keyMarker()) }, ErrCorrupt, "its files were lost or cut short"},
		{"damaged marker", func(w *wreck) { w.flip(keyMarker()) }, ErrCorrupt, "fails its checksum"},
		{"database of another store", func(w *wreck) {
			edit(w, keyMarker(), famMarker, func(r *markerRecord) { r.ID = noID })
		}, ErrCorrupt, "the database of aa000000-0000-0000-0000-000000000000"},
		{"schema of the past", func(w *wreck) {
			edit(w, keyMarker(), famMarker, func(r *markerRecord) { r.Schema = 0 })
		}, ErrCorrupt, "schema 0 has never been"},
		{"schema of the future", func(w *wreck) {
			edit(w, keyMarker(), famMarker, func(r *markerRecord) { r.Schema = 4 })
		}, ErrNewer, "schema 4, this one knows 3"},
		{"record of the future", func(w *wreck) {
			key := keyUse(w.org.ID, w.old.ID)
			w.raw(key, func(v []byte) []byte {
				v[0] = recordVersion + 1
				sum := checksum(key, v[:2], v[envelopeHead:])
				return append(append(v[:2:2], byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)), v[envelopeHead:]...)
			})
		}, ErrNewer, "has version 2"},
		{"name file of something else", func(w *wreck) {
			w.must(os.WriteFile(filepath.Join(w.options.Dir, nameFile), []byte("hello"), 0o600))
		}, ErrCorrupt, "does not name a store"},
		{"lost name file", func(w *wreck) { w.must(os.Remove(filepath.Join(w.options.Dir, nameFile))) }, ErrCorrupt, "has a database and exante.anchor, but no exante.id"},
		{"lost signing key", func(w *wreck) { w.remove(keySigningKey()) }, ErrCorrupt, "record g k is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWreck(t)
			c.do(w)
			refuses(t, w.reopen(), c.kind, c.want)
		})
	}
}

// The engine opens as an empty database when its log is gone.
func TestOpenRefusesADatabaseThatLostItsFiles(t *testing.T) {
	w := newWreck(t)
	w.must(w.store.Close())
	files, err := filepath.Glob(filepath.Join(w.options.Dir, "*"))
	w.must(err)
	for _, f := range files {
		if filepath.Base(f) != nameFile {
			w.must(os.Remove(f))
		}
	}
	_, err = Open(w.options)
	refuses(t, err, ErrCorrupt, "its files were lost or cut short")
}

func TestOpenMakesAStoreOnlyWhereNothingIs(t *testing.T) {
	o := internalOptions(t)
	o.Create = false
	_, err := Open(o)
	refuses(t, err, ErrNoStore, "no store here: "+o.Dir)
	if _, err := os.Stat(o.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused store left its directory: %v", err)
	}

	must(0, os.Mkdir(o.Dir, 0o700))
	_, err = Open(o)
	refuses(t, err, ErrNoStore, "no store here: "+o.Dir)

	o.Create = true
	must(0, os.WriteFile(filepath.Join(o.Dir, "letter.txt"), []byte("dear"), 0o600))
	_, err = Open(o)
	refuses(t, err, ErrNoStore, "has files, but no exante.id")
	if names := listed(t, o.Dir); !slices.Equal(names, []string{"letter.txt"}) {
		t.Errorf("a refused store left %v", names)
	}

	o.Dir = filepath.Join(o.Dir, "letter.txt")
	if _, err = Open(o); err == nil {
		t.Error("opened a file")
	}
}

func listed(t *testing.T, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestCreationThatWasCutOffIsTakenUp(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  func(t *testing.T, o Options)
	}{
		{"before the database", func(t *testing.T, o Options) {
			if err := beginStore(o.Dir, "", true); err != nil {
				t.Fatal(err)
			}
		}},
		{"inside the first file", func(t *testing.T, o Options) {
			must(0, os.Mkdir(o.Dir, 0o700))
			must(0, os.WriteFile(filepath.Join(o.Dir, nameFile+temporary), []byte("unf"), 0o600))
		}},
		{"before the marker", func(t *testing.T, o Options) {
			must(0, beginStore(o.Dir, "", true))
			must(0, must(kv.Open(kv.Options{Dir: o.Dir})).Close())
		}},
		{"before the name", func(t *testing.T, o Options) {
			must(0, must(Open(o)).Close())
			must(0, writeFile(o.Dir, nameFile, unfinished))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := internalOptions(t)
			c.cut(t, o)
			s, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			must(0, s.Close())
			o.Create = false
			if s, err = Open(o); err != nil {
				t.Fatalf("the store was not finished: %v", err)
			}
			report, err := s.Verify(t.Context(), nil)
			if err != nil || len(report.Findings) > 0 {
				t.Errorf("%v, %q", err, report.Findings)
			}
			must(0, s.Close())
		})
	}
}

func TestUnfinishedStoreIsNoStore(t *testing.T) {
	o := internalOptions(t)
	must(0, beginStore(o.Dir, "", true))
	o.Create = false
	_, err := Open(o)
	refuses(t, err, ErrNoStore, "was never finished")
}

func TestOneProcessAtATime(t *testing.T) {
	w := newWreck(t)
	_, err := Open(w.options)
	refuses(t, err, ErrInUse, "store is in use by another process")
	if _, err := w.store.Org(t.Context(), w.org.ID); err != nil {
		t.Errorf("the one that has it open: %v", err)
	}
}

func TestOpenChecksItsOptions(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.Hasher = nil },
		func(o *Options) { o.Environment = "prod" },
		func(o *Options) { o.MaxExpiryDays = -1 },
		func(o *Options) { o.NumberPattern = "no sequence" },
	} {
		o := internalOptions(t)
		change(&o)
		if s, err := Open(o); err == nil {
			t.Errorf("opened with %+v: %v", o, s.Close())
		}
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	w := newWreck(t)
	w.must(w.store.Close())
	_, err := w.store.Org(t.Context(), w.org.ID)
	refuses(t, err, ErrClosed, "store is closed")
	_, err = w.store.RevokeKey(t.Context(), principalIn(w.org.ID), w.old.ID, 0)
	refuses(t, err, ErrClosed, "store is closed")
	if w.store.Health() != nil {
		t.Errorf("health: %v", w.store.Health())
	}
}

func TestDirectoryWithoutNameAndAnchorIsNoStore(t *testing.T) {
	w := newWreck(t)
	w.must(w.store.Close())
	w.must(errors.Join(os.Remove(filepath.Join(w.options.Dir, nameFile)), os.Remove(filepath.Join(w.options.Dir, anchorFile))))
	_, err := Open(w.options)
	refuses(t, err, ErrNoStore, "has files, but no exante.id")
}

func principalIn(org uid.ID) auth.Principal { return auth.Principal{Shell: true, OrgID: org} }
