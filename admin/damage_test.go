package admin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/storage/kv"
)

func TestForeignDirectoryIsLeftAlone(t *testing.T) {
	dir := dataDir(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "letters.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"init", "serve --listen 127.0.0.1:0", "keys create --name n"} {
		fails(t, 1, "hint: choose a data directory that is empty or does not exist yet", append(strings.Fields(c), "--data-dir", dir)...)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

func TestDamagedStoreIsNotServed(t *testing.T) {
	dir := dataDir(t)
	must(t, "keys", "create", "--name", "n", "--data-dir", dir)
	if err := os.Remove(filepath.Join(dir, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"keys list", "verify", "init", "serve --listen 127.0.0.1:0"} {
		fails(t, 7, "hint: keep a copy of the directory, then restore a backup", append(strings.Fields(c), "--data-dir", dir)...)
	}
}

// What verify finds goes to standard output, on either road, with exit code 7.
func TestFindingsAreToldOnBothRoads(t *testing.T) {
	dir := dataDir(t)
	must(t, "keys", "create", "--name", "n", "--data-dir", dir)
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	stray := func(tx kv.Txn) error { return tx.Put([]byte("z: of no family"), []byte("no envelope")) }
	if err := db.Update(t.Context(), stray); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check := func() string {
		t.Helper()
		text, json := exante(t, "verify", "--data-dir", dir), exante(t, "verify", "--json", "--data-dir", dir)
		if text.code != 7 || !strings.Contains(text.stdout, "records, 1 findings\n") || !strings.Contains(text.stderr, "the store is damaged: 1 findings\nhint: stop the server") {
			t.Errorf("verify = %+v", text)
		}
		if json.code != 7 || !strings.Contains(json.stdout, `"findings":[{"key":"`) {
			t.Errorf("verify --json = %+v", json)
		}
		return text.stdout + text.stderr
	}
	stopped := check()
	run(t, dir)
	if running := check(); running != stopped {
		t.Errorf("running %s, stopped %s", running, stopped)
	}
}
