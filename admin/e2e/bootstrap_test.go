package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two servers that are set up by the same declarations accept the same key, which
// neither of them, nor the configuration, ever shows.
func TestServersWithTheSameDeclarationsTakeTheSameKeys(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "zapier.key")
	mustShell(t, "keys", "mint", "--output", secret)
	text, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(text))
	flags := []string{
		"--bootstrap-organization", "Blue Harbor", "--bootstrap-owner-email", "o@blue.example",
		"--bootstrap-keys", "name=zapier scopes=invoices:read expires_in_days=90 secret_file=" + secret,
	}
	var uids []string
	for range 2 {
		s := serve(t, dataDir(t), flags...)
		s.call("GET", "/api/invoices", key, "").want(t, 200)
		s.call("POST", "/api/parties", key, `{"name":"x"}`).wantError(t, 403, "insufficient_scope")
		current := data[apiKey](t, s.call("GET", "/api/api-keys/current", key, "").want(t, 200))
		uids = append(uids, current.UID)
		if current.Name != "zapier" || current.ExpiresAt == nil {
			t.Errorf("the key is %+v", current)
		}
		mustShell(t, "keys", "revoke", current.UID, "--yes", "--data-dir", s.dir)
		s.stop()
		again := serve(t, s.dir, flags...)
		again.call("GET", "/api/invoices", key, "").wantError(t, 401, "api_key_revoked")
		again.stop()
		for _, log := range []string{s.output.String(), again.output.String()} {
			if strings.Contains(log, key[8:]) {
				t.Errorf("the key is in the log:\n%s", log)
			}
		}
		for name, content := range diskContents(t, s.dir) {
			if strings.Contains(string(content), key[16:32]) {
				t.Errorf("the key is in %s", name)
			}
		}
	}
	if uids[0] == uids[1] {
		t.Error("two stores gave out the same uid")
	}
}

// Nothing that can be set is a secret: the whole configuration can be shown.
func TestConfigShowHasNoSecret(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "zapier.key")
	mustShell(t, "keys", "mint", "--output", secret)
	text, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "exante.toml")
	if err := os.WriteFile(file, []byte("[bootstrap]\nkeys = [\"name=zapier scopes=* secret_file="+secret+"\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"config", "show"}, {"config", "show", "--json"}, {"config", "check"}} {
		r := shell(t, append(args, "--config", file)...)
		if r.code != 0 || strings.Contains(r.stdout+r.stderr, string(text[8:30])) {
			t.Errorf("%v = %+v", args, r)
		}
		if args[1] == "show" && !strings.Contains(r.stdout, "secret_file="+secret) {
			t.Errorf("%v does not show the declaration: %s", args, r.stdout)
		}
	}
}
