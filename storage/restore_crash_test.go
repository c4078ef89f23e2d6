package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/storagetest"
)

// crashRestore makes the test binary a restore of that file, which gets killed.
const (
	crashRestore     = "EXANTE_TEST_CRASH_RESTORE"
	crashRestoreInto = "EXANTE_TEST_CRASH_RESTORE_INTO"
	crashRestoreCopy = "EXANTE_TEST_CRASH_RESTORE_COPY"
)

func restoreUntilKilled(file string) error {
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}})
	if err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	o := storage.Options{Dir: os.Getenv(crashRestoreInto), Hasher: hasher, Environment: auth.Live, AuditCopy: os.Getenv(crashRestoreCopy)}
	_, err = storage.Restore(context.Background(), in, storage.RestoreOptions{Store: o})
	return err
}

// Killed at any instant a restore leaves the whole store, or nothing that opens.
func TestAKilledRestoreLeavesAllOrNothing(t *testing.T) {
	b := openBooks(t)
	b.fill()
	for i := range 2000 {
		b.newParty(fmt.Sprint(i))
	}
	_, backup := taken(t, b.Store, nil)
	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	o := into(t, b.clock)
	took := killRestore(t, file, filepath.Join(t.TempDir(), "measured"), "", time.Hour)
	whole, nothing := 0, 0
	for i := range 25 {
		// To its end and a little beyond, denser where it moves.
		after := time.Duration(float64(took) * rand.Float64() * 1.1)
		if i%2 == 0 {
			after = took - time.Duration(rand.Int64N(int64(took)/4))
		}
		killRestore(t, file, o.Store.Dir, "", after)
		s, err := storage.Open(o.Store)
		switch {
		case errors.Is(err, storage.ErrNoStore):
			nothing++
			if _, err := os.Stat(filepath.Join(o.Store.Dir, "MANIFEST")); err == nil {
				os.RemoveAll(o.Store.Dir) // killed while it moved: an operator is told to do that
			}
			continue // what it left is no hindrance to the next
		case err != nil:
			t.Fatalf("killed after %v of %v: %v", after, took, err)
		}
		whole++
		if digestOf(t, s) != digestOf(t, b.Store) {
			t.Errorf("killed after %v of %v: it holds something else", after, took)
		}
		storagetest.Close(t, s)
		os.RemoveAll(o.Store.Dir)
	}
	t.Logf("a restore takes %v; %d were whole, %d nothing", took, whole, nothing)
	if nothing == 0 {
		t.Error("no restore was killed in time")
	}
}

// Killed at any instant a restore leaves no trace in the audit copy, or a store that
// opens, whose copy agrees with it, and in which the revoked key is revoked.
func TestAKilledRestoreAndItsAuditCopyAgree(t *testing.T) {
	v := openWitnessed(t)
	var keys []*auth.Key
	for i := range 400 { // several transactions of a replay
		keys = append(keys, v.mint(full(fmt.Sprint(i))))
	}
	_, backup := taken(t, v.Store, nil)
	for _, k := range keys {
		v.revoke(k.ID)
	}
	v.lost()
	file := filepath.Join(t.TempDir(), "backup")
	before, err := os.ReadFile(v.options.AuditCopy)
	if err := errors.Join(err, os.WriteFile(file, backup, 0o600)); err != nil {
		t.Fatal(err)
	}
	o := v.options
	o.Create = false
	took := killRestore(t, file, o.Dir, o.AuditCopy, time.Hour)
	seen := map[string]int{}
	for i := range 24 {
		if err := errors.Join(os.RemoveAll(o.Dir), os.WriteFile(o.AuditCopy, before, 0o600)); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(float64(took) * rand.Float64() * 1.1)
		if i%2 == 0 { // denser where it moves and the copy is written
			after = took - time.Duration(rand.Int64N(int64(took)/4))
		}
		killRestore(t, file, o.Dir, o.AuditCopy, after)
		now, err := os.ReadFile(o.AuditCopy)
		if err != nil || !bytes.HasPrefix(now, before) {
			t.Fatalf("killed after %v of %v: the copy does not begin as it did, %v", after, took, err)
		}
		s, err := storage.Open(o)
		switch {
		case errors.Is(err, storage.ErrNoStore) && len(now) == len(before):
			seen["nothing"]++
			continue
		case err != nil:
			t.Fatalf("killed after %v of %v, with %d bytes more in the copy: %v", after, took, len(now)-len(before), err)
		case len(now) == len(before):
			seen["whole, the copy not written"]++
		default:
			seen["whole"]++
		}
		v.Store = s
		v.tells()
		for _, k := range keys {
			if is := v.state(k.ID); is != auth.Revoked {
				t.Fatalf("killed after %v of %v: a key is %v", after, took, is)
			}
		}
		storagetest.Close(t, s)
	}
	t.Logf("a restore takes %v: %v", took, seen)
	if seen["nothing"] == 0 || seen["whole"]+seen["whole, the copy not written"] == 0 {
		t.Errorf("the kills came too early or too late: %v", seen)
	}
}

// killRestore starts a restore, kills it after so long, and says how long it ran.
func killRestore(t *testing.T, file, dir, auditCopy string, after time.Duration) time.Duration {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashRestore+"="+file, crashRestoreInto+"="+dir, crashRestoreCopy+"="+auditCopy)
	child.Stderr = os.Stderr
	began := time.Now()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { child.Process.Kill() })
	defer timer.Stop()
	err := child.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		t.Fatalf("the restore failed: %v", err)
	}
	return time.Since(began)
}
