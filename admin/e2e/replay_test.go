package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type restoreReport struct {
	AuditLog *struct {
		File             string
		Behind, Torn     bool
		KeysRevoked      int            `json:"keys_revoked"`
		UsersDisabled    int            `json:"users_disabled"`
		PasswordsCleared int            `json:"passwords_cleared"`
		NotInBackup      map[string]int `json:"not_in_backup"`
	} `json:"audit_log"`
}

// An old backup restored with the audit copy does not bring a revoked key back, and
// without it says so.
func TestAnOldBackupDoesNotBringARevokedKeyBack(t *testing.T) {
	dir, file := dataDir(t), filepath.Join(t.TempDir(), "b")
	s := serve(t, dir)
	works, gone := shellKey(t, dir, "--name", "works"), shellKey(t, dir, "--name", "gone")
	var user struct{ UID string }
	ann := mustShell(t, "users", "create", "--email", "ann@example.com", "--role", "admin", "--json", "--data-dir", dir)
	if err := json.Unmarshal([]byte(ann), &user); err != nil {
		t.Fatal(err)
	}
	suspended := shellKey(t, dir, "--name", "ann's", "--user", user.UID)
	mustShell(t, "backup", "--output", file, "--data-dir", dir)
	mustShell(t, "keys", "revoke", gone.UID, "--yes", "--data-dir", dir)
	mustShell(t, "users", "disable", user.UID, "--data-dir", dir)
	late := shellKey(t, dir, "--name", "late")
	for key, want := range map[string]int{works.Key: 200, late.Key: 200, gone.Key: 401, suspended.Key: 401} {
		s.call("GET", "/api/invoices", key, "").want(t, want)
	}
	kept := filepath.Join(t.TempDir(), "kept.audit")
	s.stop()
	text, err := os.ReadFile(dir + ".audit")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, text, 0o600); err != nil {
		t.Fatal(err)
	}

	check := func(t *testing.T, dir string, revoked int) {
		t.Helper()
		s := serve(t, dir)
		for key, want := range map[string]int{works.Key: 200, gone.Key: revoked, suspended.Key: revoked, late.Key: 401} {
			s.call("GET", "/api/invoices", key, "").want(t, want)
		}
		mustShell(t, "verify", "--data-dir", dir)
		mustShell(t, "audit", "verify", "--data-dir", dir)
		s.stop()
	}
	restore := func(t *testing.T, dir string, args ...string) (restoreReport, string) {
		t.Helper()
		r := shell(t, append([]string{"restore", "--input", file, "--json", "--data-dir", dir}, args...)...)
		var report restoreReport
		if err := json.Unmarshal([]byte(r.stdout), &report); r.code != 0 || err != nil {
			t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
		}
		return report, r.stderr
	}
	replays := func(t *testing.T, r restoreReport, from string) {
		t.Helper()
		if a := r.AuditLog; a == nil || a.File != from || a.KeysRevoked != 1 || a.UsersDisabled != 1 || a.NotInBackup["key.create"] != 1 {
			t.Errorf("the report says %+v", r.AuditLog)
		}
	}
	t.Run("without the copy", func(t *testing.T) {
		fresh := dataDir(t)
		if r, said := restore(t, fresh); r.AuditLog != nil || !strings.Contains(said, "Keys that were revoked since then work again") {
			t.Errorf("%+v\n%s", r.AuditLog, said)
		}
		check(t, fresh, 200)
	})
	t.Run("with the copy named", func(t *testing.T) {
		fresh := dataDir(t)
		r, said := restore(t, fresh, "--audit-log", kept)
		replays(t, r, kept)
		if strings.Contains(said, "work again") || !strings.Contains(said, "1 keys that were made after the backup are gone") {
			t.Error(said)
		}
		if is, err := os.ReadFile(kept); err != nil || string(is) != string(text) {
			t.Errorf("the named copy was written, %v", err)
		}
		check(t, fresh, 401)
	})
	t.Run("with the copy in its place, twice", func(t *testing.T) {
		for range 2 { // the second time the first restore is superseded, with what it replayed
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(dir + ".audit")
			if err != nil {
				t.Fatal(err)
			}
			dry, _ := restore(t, dir, "--dry-run")
			if after, err := os.ReadFile(dir + ".audit"); err != nil || string(after) != string(before) {
				t.Errorf("the dry run wrote into the copy, %v", err)
			}
			r, _ := restore(t, dir)
			if dry.AuditLog == nil || dry.AuditLog.KeysRevoked != 1 || r.AuditLog == nil || r.AuditLog.KeysRevoked != 1 || r.AuditLog.UsersDisabled != 1 {
				t.Errorf("dry run %+v, restore %+v", dry.AuditLog, r.AuditLog)
			}
			check(t, dir, 401)
		}
	})
	t.Run("with all keys revoked", func(t *testing.T) {
		fresh := dataDir(t)
		restore(t, fresh, "--audit-log", kept, "--revoke-all-keys", "--yes")
		s := serve(t, fresh)
		for _, key := range []string{works.Key, gone.Key, suspended.Key, late.Key} {
			s.call("GET", "/api/invoices", key, "").want(t, 401)
		}
		s.stop()
		mustShell(t, "audit", "verify", "--data-dir", fresh)
	})
	t.Run("with a copy that is not good", func(t *testing.T) {
		other := dataDir(t)
		mustShell(t, "init", "--data-dir", other)
		edited := filepath.Join(t.TempDir(), "edited.audit")
		if err := os.WriteFile(edited, []byte(strings.Replace(string(text), `"key.revoke"`, `"key.rehash"`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{other + ".audit": 4, edited: 7, "/nonexistent/audit": 1} {
			fresh := dataDir(t)
			r := shell(t, "restore", "--input", file, "--audit-log", name, "--data-dir", fresh)
			if left, err := os.ReadDir(filepath.Dir(fresh)); r.code != want || err != nil || len(left) > 0 {
				t.Errorf("with %s: exit %d, want %d; it left %v: %s", name, r.code, want, left, r.stderr)
			}
		}
	})
}

// A key that a configuration declares would be made again where a restore has lost
// it. One that was revoked must not be, whatever the store remembers of it.
func TestADeclaredKeyThatWasRevokedStaysSoAfterARestore(t *testing.T) {
	dir, at := dataDir(t), t.TempDir()
	file, secret := filepath.Join(at, "b"), filepath.Join(at, "key")
	mustShell(t, "init", "--data-dir", dir)
	mustShell(t, "backup", "--output", file, "--data-dir", dir)
	mustShell(t, "keys", "mint", "--output", secret)
	text, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	token, declared := strings.TrimSpace(string(text)), "--bootstrap-keys=name=declared scopes=* secret_file="+secret
	s := serve(t, dir, declared)
	s.call("GET", "/api/invoices", token, "").want(t, 200)
	var keys []struct{ UID string }
	if err := json.Unmarshal([]byte(mustShell(t, "keys", "list", "--json", "--data-dir", dir)), &keys); err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	mustShell(t, "keys", "revoke", keys[0].UID, "--yes", "--data-dir", dir)
	s.stop()
	for range 2 { // a restore of a restore knows it as well
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		mustShell(t, "restore", "--input", file, "--data-dir", dir)
		s = serve(t, dir, declared)
		s.call("GET", "/api/invoices", token, "").want(t, 401)
		if !strings.Contains(s.output.String(), "the secret is that of an api key that was revoked or rotated") {
			t.Errorf("nothing is said of it:\n%s", s.output)
		}
		mustShell(t, "audit", "verify", "--data-dir", dir)
		s.stop()
	}
}
