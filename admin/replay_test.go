package admin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/admin"
)

// What a copy can't tell is told with the times that say so, and what it tells is in
// the table.
func TestRestoreSaysWhatTheAuditLogTells(t *testing.T) {
	dir, file := dataDir(t), filepath.Join(t.TempDir(), "b")
	must(t, "keys", "create", "--name", "a", "--data-dir", dir)
	short, err := os.ReadFile(dir + ".audit")
	if err != nil {
		t.Fatal(err)
	}
	must(t, "keys", "create", "--name", "b", "--data-dir", dir)
	must(t, "backup", "--output", file, "--data-dir", dir)
	key := decode[[]admin.JudgedKey](t, must(t, "keys", "list", "--json", "--data-dir", dir))[0]
	must(t, "keys", "revoke", key.UID, "--yes", "--data-dir", dir)
	must(t, "keys", "create", "--name", "late", "--data-dir", dir)
	whole, err := os.ReadFile(dir + ".audit")
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(bytes.TrimSpace(whole), '\n')
	for _, c := range []struct {
		name         string
		copy         []byte
		table, warns []string
		silent       string
	}{
		{"whole", whole, []string{"revoked again     1\n", "not in backup     1 key.create\n", "not in backup     1 key.revoke\n"},
			[]string{"1 keys that were made after the backup are gone"}, "work again"},
		{"torn", whole[:last+20], []string{"revoked again     1\n"}, []string{"ends in the middle of a record"}, "work again"},
		{"short", short, nil, []string{"ends before the backup does: its last record is of 20", "keys that were revoked since then work again"}, "gone"},
		{"empty", nil, nil, []string{"it has no record", "work again"}, "gone"},
	} {
		r := exante(t, "restore", "--input", file, "--audit-log", secretFile(t, string(c.copy)), "--data-dir", dataDir(t))
		for _, want := range c.table {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s: the table has no %q:\n%s", c.name, want, r.stdout)
			}
		}
		for _, want := range c.warns {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%s: it does not say %q:\n%s", c.name, want, r.stderr)
			}
		}
		if r.code != 0 || strings.Contains(r.stderr, c.silent) {
			t.Errorf("%s: exit %d:\n%s", c.name, r.code, r.stderr)
		}
	}
}
