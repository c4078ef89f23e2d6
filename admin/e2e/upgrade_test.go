package e2e

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/storage/storagetest"
)

// filesBelow are the files of a directory but sockets, by path.
func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(bytes.TrimRight(text, "\x00")) // logs are mostly holes
	}
	return found
}

// The first command that meets a store of an older schema brings it up to date, and
// leaves a backup that can be restored.
func TestAnOlderStoreIsBackedUpFirst(t *testing.T) {
	for _, online := range []bool{false, true} {
		dir := dataDir(t)
		mustShell(t, "init", "--data-dir", dir)
		storagetest.SetSchema(t, dir, 2)
		told := ""
		if online {
			s := serve(t, dir)
			mustShell(t, "orgs", "list", "--data-dir", dir)
			s.stop()
			told = s.output.String()
		} else {
			r := shell(t, "orgs", "list", "--data-dir", dir)
			if r.code != 0 {
				t.Fatalf("orgs list: %+v", r)
			}
			told = r.stderr
		}
		found, err := filepath.Glob(dir + ".before-schema-3.*.backup")
		if err != nil || len(found) != 1 || !strings.Contains(told, found[0]) {
			t.Fatalf("there is %v, %v; it told\n%s", found, err, told)
		}
		if info, err := os.Stat(found[0]); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		again := dataDir(t)
		mustShell(t, "restore", "--input", found[0], "--data-dir", again)
		mustShell(t, "verify", "--data-dir", again)
		if before, after := mustShell(t, "orgs", "list", "--json", "--data-dir", dir), mustShell(t, "orgs", "list", "--json", "--data-dir", again); before != after {
			t.Errorf("restored are %s, want %s", after, before)
		}
		if left, _ := filepath.Glob(again + ".before-schema-*"); len(left) > 0 {
			t.Errorf("the restore left %v", left)
		}
	}
}

// No backup, no migration.
func TestAnOlderStoreIsNotChangedWithoutABackup(t *testing.T) {
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	storagetest.SetSchema(t, dir, 2)
	config := filepath.Join(filepath.Dir(dir), "exante.toml")
	if err := os.WriteFile(config, []byte("[backup]\ndir = \""+filepath.Join(filepath.Dir(dir), "not-there")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := filesBelow(t, dir)
	for _, args := range [][]string{{"orgs", "list"}, {"serve", "--listen", "127.0.0.1:0"}} {
		r := shell(t, append(args, "--config", config, "--data-dir", dir)...)
		if r.code != 1 || !strings.Contains(r.stderr, "no backup of it could be made first: write ") || !strings.Contains(r.stderr, "hint: nothing was changed") {
			t.Errorf("%v = %+v", args, r)
		}
		if !maps.Equal(before, filesBelow(t, dir)) {
			t.Errorf("%v changed something", args)
		}
	}
}

func TestAStoreOfANewerExanteIsRefused(t *testing.T) {
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	storagetest.SetSchema(t, dir, 20)
	before := filesBelow(t, dir)
	for _, args := range [][]string{{"orgs", "list"}, {"verify"}, {"serve", "--listen", "127.0.0.1:0"}} {
		r := shell(t, append(args, "--data-dir", dir)...)
		if r.code != 1 || !strings.Contains(r.stderr, "store was written by a newer exante: schema 20, this one knows 3") || !strings.Contains(r.stderr, "hint: use the exante that wrote it") {
			t.Errorf("%v = %+v", args, r)
		}
		if !maps.Equal(before, filesBelow(t, dir)) {
			t.Errorf("%v changed something", args)
		}
	}
}
