package admin_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestNoStoreIsSaid(t *testing.T) {
	dir := dataDir(t)
	for _, c := range []string{"keys list", "orgs list", "users list", "verify", "keys show " + absent} {
		fails(t, 1, "exante: no store here: "+dir+"\nhint: make one with: exante init", append(strings.Fields(c), "--data-dir", dir)...)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a command that found no store left something: %v", err)
	}
}

func TestFirstKeyNeedsOneCommand(t *testing.T) {
	dir := dataDir(t)
	key := must(t, "keys", "create", "--name", "first", "--data-dir", dir)
	if !anyKey.MatchString(key) || len(key) != 47 {
		t.Errorf("standard output = %q, want the key alone", key)
	}
	if got := must(t, "users", "list", "--data-dir", dir); !strings.Contains(got, "owner") {
		t.Errorf("users = %s", got)
	}
}

// A store that is open elsewhere, with no server to ask, is waited for and
// then named.
func TestLockedAndSilentIsExplained(t *testing.T) {
	dir := dataDir(t)
	store := openStore(t, dir)
	fails(t, 5, "exante: store is in use by another process: "+dir+" (process "+itoa(os.Getpid())+"); no server answers on "+dir+"/admin.sock\nhint: ",
		"keys", "list", "--data-dir", dir)
	fails(t, 5, "store is in use", "init", "--data-dir", dir)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	must(t, "orgs", "list", "--data-dir", dir)
}

// Commands that meet on a stopped store wait for each other.
func TestCommandsSideBySide(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if out, err := program("keys", "create", "--name", "n", "--data-dir", dir).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	if n := strings.Count(must(t, "keys", "list", "--json", "--data-dir", dir), `"uid"`); n != 4 {
		t.Errorf("%d keys, want 4", n)
	}
}

// Two first keys at once make one organization.
func TestFirstOrganizationIsMadeOnce(t *testing.T) {
	dir := dataDir(t)
	run(t, dir)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if out, err := program("keys", "create", "--name", "n", "--data-dir", dir).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	group.Wait()
	if n := strings.Count(must(t, "orgs", "list", "--json", "--data-dir", dir), `"uid"`); n != 1 {
		t.Errorf("%d organizations, want 1", n)
	}
}

func TestInitRefusesAStore(t *testing.T) {
	dir := dataDir(t)
	got := exante(t, "init", "--name", "Tidewater", "--owner-email", "o@tidewater.example", "--data-dir", dir)
	if got.code != 0 || len(got.stdout) != 37 || got.stderr != "made a store in "+dir+"\norganization \"Tidewater\":\n" {
		t.Errorf("init = %+v", got)
	}
	fails(t, 1, "exante: "+dir+": a store exists already\nhint: it can be used as it is, by: exante serve", "init", "--data-dir", dir)
	run(t, dir)
	fails(t, 5, "store is in use", "init", "--data-dir", dir)
	fails(t, 4, "invalid name", "init", "--name", strings.Repeat("n", 300), "--data-dir", dataDir(t))
}

func TestDirectoryThatOthersCanEnterIsRefused(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fails(t, 1, "other users can enter "+dir+" (mode 0755): close it with: chmod 700 "+dir, "keys", "list", "--data-dir", dir)
	fails(t, 1, "other users can enter", "serve", "--listen", "127.0.0.1:0", "--data-dir", dir)
}

func TestEmptyDirectoryIsClosedToOthers(t *testing.T) {
	dir := dataDir(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "init", "--data-dir", dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode = %v, %v, want 0700", info.Mode(), err)
	}
}

func TestFileAsDataDirectoryIsRefused(t *testing.T) {
	file := filepath.Join(openDir(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, 1, file+" is not a directory", "keys", "list", "--data-dir", file)
}
