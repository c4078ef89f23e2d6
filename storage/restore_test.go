package storage_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/auth"
	"exante/storage"
	"exante/storage/archive"
	"exante/storage/storagetest"
)

// below lists all files below dir, with their sizes.
func below(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && path != dir {
			info, err := e.Info()
			if err != nil {
				return err
			}
			names = append(names, fmt.Sprintf("%s %s %d", path, info.Mode(), info.Size()))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

// refuses restores what must be refused, and sees that nothing is left of it.
func refuses(t *testing.T, what string, backup []byte, o storage.RestoreOptions, kind error) {
	t.Helper()
	before := below(t, filepath.Dir(o.Store.Dir))
	_, err := storage.CheckBackup(t.Context(), bytes.NewReader(backup), o)
	if !errors.Is(err, kind) {
		t.Errorf("%s: checked with error %v, want %v", what, err, kind)
	}
	_, err = storage.Restore(t.Context(), bytes.NewReader(backup), o)
	if !errors.Is(err, kind) {
		t.Errorf("%s: restored with error %v, want %v", what, err, kind)
	}
	if after := below(t, filepath.Dir(o.Store.Dir)); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%s: the directory was %v, is %v", what, before, after)
	}
}

// bounds are the places between the frames of a backup.
func bounds(b []byte) (at []int) {
	n := 8 + 2 + 1 + 16 + 24 + 1 + int(b[51]) + 32
	for n < len(b) {
		at = append(at, n)
		n += 5 + int(binary.BigEndian.Uint32(b[n+1:])) + 32
	}
	return append(at, n)
}

func TestACutBackupLeavesNothing(t *testing.T) {
	b := openBooks(t)
	b.fill()
	inv := b.draft(1)
	b.attach(inv.ID, file("big", string(noise(3<<20)))) // several chunks
	_, whole := taken(t, b.Store, nil)
	if n := len(bounds(whole)); n < 5 {
		t.Fatalf("only %d frames", n)
	}
	o := into(t, b.clock)
	for _, at := range append(bounds(whole), 0, 1, 20, 53) {
		for _, n := range []int{at - 1, at, at + 1} {
			if n >= 0 && n < len(whole) {
				refuses(t, fmt.Sprintf("the first %d bytes of %d", n, len(whole)), whole[:n], o, archive.ErrDamaged)
			}
		}
	}
	refuses(t, "a byte too many", append(bytes.Clone(whole), 0), o, archive.ErrDamaged)
	restored(t, whole, o)
}

func TestAFlippedBitIsFoundBeforeAnythingIsWritten(t *testing.T) {
	b := openBooks(t)
	b.fill()
	_, whole := taken(t, b.Store, nil)
	o, seed := into(t, b.clock), rand.Uint64()
	t.Logf("seed %d, %d bytes", seed, len(whole))
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range 1000 {
		at, bit := random.IntN(len(whole)), byte(1)<<random.IntN(8)
		whole[at] ^= bit
		if _, err := storage.CheckBackup(t.Context(), bytes.NewReader(whole), o); err == nil {
			t.Errorf("bit %#x of byte %d was not missed", bit, at)
		}
		if i%50 == 0 { // what can't be checked before, a pipe
			if _, err := storage.Restore(t.Context(), bytes.NewReader(whole), o); err == nil {
				t.Errorf("bit %#x of byte %d was restored", bit, at)
			}
		}
		if left := below(t, filepath.Dir(o.Store.Dir)); len(left) > 0 {
			t.Fatalf("bit %#x of byte %d left %v", bit, at, left)
		}
		whole[at] ^= bit
	}
}

func TestAForgedBackupIsRefusedWhereThereIsAKey(t *testing.T) {
	b := openBooks(t)
	b.fill()
	key, other := bytes.Repeat([]byte("k"), 32), bytes.Repeat([]byte("o"), 32)
	_, marked := taken(t, b.Store, key)
	_, plain := taken(t, b.Store, nil)
	o := into(t, b.clock)
	refuses(t, "marked, no key", marked, o, archive.ErrNeedsKey)
	o.MACKey = other
	refuses(t, "marked, another key", marked, o, archive.ErrForged)
	// Whoever has no key can still make a backup that is good in itself.
	refuses(t, "all links made anew", plain, o, archive.ErrNoMAC)
	o.MACKey = key
	refuses(t, "all links made anew, right key", plain, o, archive.ErrNoMAC)
	done, _ := restored(t, marked, o)
	if !done.Authenticated {
		t.Error("the report does not say that it was authenticated")
	}
}

// repack changes the entries of a backup and makes all links anew.
func repack(t *testing.T, backup []byte, change func(*archive.Header, func(key, value []byte)) func(key, value []byte)) []byte {
	t.Helper()
	from, err := archive.NewReader(bytes.NewReader(backup), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	h := from.Header()
	var to *archive.Writer
	add := change(&h, func(key, value []byte) {
		if err := to.Add(key, value); err != nil {
			t.Fatal(err)
		}
	})
	if to, err = archive.NewWriter(&out, h, nil); err != nil {
		t.Fatal(err)
	}
	for {
		key, value, err := from.Next()
		if err != nil {
			break
		}
		add(key, value)
	}
	if _, err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A backup that is whole as a container, but not as a store, is not moved into place.
func TestABrokenStoreInAWholeBackupIsRefused(t *testing.T) {
	b := openBooks(t)
	b.fill()
	_, whole := taken(t, b.Store, nil)
	all := func(*archive.Header) {}
	for _, c := range []struct {
		name   string
		kind   error
		header func(*archive.Header)
		entry  func(key, value []byte) (keep bool)
	}{
		{"a lost row of a list", storage.ErrCorrupt, all, func(k, _ []byte) bool { return k[0] == 'g' || k[17] != 'v' }},
		{"a lost attachment", storage.ErrCorrupt, all, func(k, _ []byte) bool { return k[0] == 'g' || k[17] != 'b' }},
		{"a flipped bit in a record", storage.ErrCorrupt, all, func(k, v []byte) bool {
			if k[0] == 'o' && k[17] == 'p' {
				v[len(v)-1] ^= 1
			}
			return true
		}},
		{"a lost audit record", storage.ErrCorrupt, all, func(k, _ []byte) bool {
			return k[0] != 'g' || k[1] != 'a' || k[len(k)-1] != 5
		}},
		{"no marker", storage.ErrCorrupt, all, func(k, _ []byte) bool { return k[0] != 'g' || k[1] != 'm' }},
		{"nothing", storage.ErrCorrupt, all, func(_, _ []byte) bool { return false }},
		{"the name of another store", storage.ErrCorrupt, func(h *archive.Header) { h.Database[5]++ }, func(_, _ []byte) bool { return true }},
	} {
		forged := repack(t, whole, func(h *archive.Header, add func(key, value []byte)) func(key, value []byte) {
			c.header(h)
			return func(key, value []byte) {
				if c.entry(key, value) {
					add(key, value)
				}
			}
		})
		o := into(t, b.clock)
		if _, err := storage.CheckBackup(t.Context(), bytes.NewReader(forged), o); err != nil {
			t.Errorf("%s: the container is not whole: %v", c.name, err)
		}
		if _, err := storage.Restore(t.Context(), bytes.NewReader(forged), o); !errors.Is(err, c.kind) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.kind)
		}
		if left := below(t, filepath.Dir(o.Store.Dir)); len(left) > 0 {
			t.Errorf("%s: left %v", c.name, left)
		}
	}
	newer := repack(t, whole, func(h *archive.Header, add func(key, value []byte)) func(key, value []byte) {
		h.Schema += 1
		return add
	})
	refuses(t, "schema of the future", newer, into(t, b.clock), storage.ErrNewer)
	nameless := repack(t, whole, func(h *archive.Header, add func(key, value []byte)) func(key, value []byte) {
		h.Database = [16]byte{}
		return add
	})
	refuses(t, "no database", nameless, into(t, b.clock), archive.ErrDamaged)
}

func TestRestoreTakesOnlyAnEmptyDirectory(t *testing.T) {
	b := openBooks(t)
	_, backup := taken(t, b.Store, nil)
	for name, make := range map[string]func(dir string) error{
		"a file": func(dir string) error { return os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("dear"), 0o600) },
		"what an interrupted restore left, and more": func(dir string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "exante.restoring"), 0o700), os.WriteFile(filepath.Join(dir, "MANIFEST"), nil, 0o600))
		},
	} {
		o := into(t, b.clock)
		if err := errors.Join(os.Mkdir(o.Store.Dir, 0o700), make(o.Store.Dir)); err != nil {
			t.Fatal(err)
		}
		before := below(t, o.Store.Dir)
		_, err := storage.Restore(t.Context(), bytes.NewReader(backup), o)
		if !errors.Is(err, storage.ErrOccupied) {
			t.Errorf("%s: %v", name, err)
		}
		if after := below(t, o.Store.Dir); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: was %v, is %v", name, before, after)
		}
	}
	o := into(t, b.clock)
	if err := errors.Join(os.MkdirAll(filepath.Join(o.Store.Dir, "exante.restoring", "x"), 0o700), os.Mkdir(filepath.Join(o.Store.Dir, "lost+found"), 0o700)); err != nil {
		t.Fatal(err)
	}
	restored(t, backup, o) // nobody has seen what was there

	v := openVault(t, nil)
	o.Store.Dir = v.options.Dir
	_, err := storage.Restore(t.Context(), bytes.NewReader(backup), o)
	if !errors.Is(err, storage.ErrInUse) {
		t.Errorf("a store that is open: %v", err)
	}
	storagetest.Close(t, v.Store)
	_, err = storage.Restore(t.Context(), bytes.NewReader(backup), o)
	if !errors.Is(err, storage.ErrOccupied) || !strings.Contains(err.Error(), "has a store") {
		t.Errorf("a store that is closed: %v", err)
	}
	v.reopen()
}

func TestAnInterruptedRestoreLeavesNothing(t *testing.T) {
	b := openBooks(t)
	b.fill()
	for i := range 3000 {
		b.newParty(fmt.Sprint(i))
	}
	_, backup := taken(t, b.Store, nil)
	for _, stage := range []string{storage.StageLoad, storage.StageVerify} {
		ctx, stop := context.WithCancel(t.Context())
		o := into(t, b.clock)
		o.Progress = func(now string, _, _ int) {
			if now == stage {
				stop()
			}
		}
		if _, err := storage.Restore(ctx, bytes.NewReader(backup), o); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted in %s: %v", stage, err)
		}
		if left := below(t, filepath.Dir(o.Store.Dir)); len(left) > 0 {
			t.Errorf("interrupted in %s, left %v", stage, left)
		}
	}
}

// A session that was ended after the backup was taken must not come back to life, so
// none does.
func TestSessionsAreNotRestored(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	n, token := v.signIn("ann@example.com")
	v.signIn("ann@example.com")
	_, backup := taken(t, v.Store, nil)
	done, s := restored(t, backup, into(t, v.clock))
	if done.SessionsDropped != 2 {
		t.Errorf("%d sessions dropped, want 2", done.SessionsDropped)
	}
	if _, err := s.FindSession(t.Context(), n.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the session: %v", err)
	}
	if _, _, err := s.Session(t.Context(), token); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("its token: %v", err)
	}
	again, _, err := s.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword(goodPassword), standard)
	if err != nil || again.UserID != n.UserID {
		t.Errorf("signing in again: %v", err)
	}
}
