package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One flipped byte in a table: every command refuses with exit code 7, and
// none changes a file, so that what is left can still be rescued.
func TestDamagedStoreIsRefusedAndLeftAlone(t *testing.T) {
	dir := dataDir(t)
	shellKey(t, dir, "--name", "a")
	shellKey(t, dir, "--name", "b")
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	if len(tables) == 0 {
		t.Fatal("no table to damage")
	}
	data, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/3] ^= 1
	if err := os.WriteFile(tables[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	before := tableContents(t, dir)
	for _, args := range [][]string{
		{"verify"}, {"keys", "list"}, {"keys", "create", "--name", "c"}, {"serve", "--listen", "127.0.0.1:0"},
	} {
		r := shell(t, append(args, "--data-dir", dir)...)
		if r.code != 7 || !strings.Contains(r.stderr, "damaged") || !strings.Contains(r.stderr, filepath.Base(tables[0])) {
			t.Errorf("exante %s: exit %d, want 7 and the table's name\n%s", strings.Join(args, " "), r.code, r.stderr)
		}
		if after := tableContents(t, dir); !maps.Equal(before, after) {
			t.Fatalf("exante %s changed the files", strings.Join(args, " "))
		}
	}
}

func tableContents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, data := range diskContents(t, dir) {
		if strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, "MANIFEST") {
			files[name] = string(data)
		}
	}
	return files
}
