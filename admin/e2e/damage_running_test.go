package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Damage that a request meets ends the service: nobody knows what else is gone.
func TestDamageMetWhileServingEndsTheService(t *testing.T) {
	dir := dataDir(t)
	key := shellKey(t, dir, "--name", "a").Key
	s := serve(t, dir)
	party := data[struct {
		UID string `json:"uid"`
	}](t, s.call("POST", "/api/parties", key, `{"name":"Globex"}`).want(t, 201)).UID
	invoice := data[struct {
		UID string `json:"uid"`
	}](t, s.call("POST", "/api/invoices", key, `{"target_party_uid":"`+party+`"}`).want(t, 201)).UID
	s.stop()

	s = serve(t, dir)
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	if len(tables) == 0 {
		t.Fatal("no table to damage")
	}
	for _, path := range tables {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(100); at < info.Size()/2; at += 512 { // in every block of records, not in the index behind them
			var b [1]byte
			if _, err := f.ReadAt(b[:], at); err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte{b[0] ^ 0x10}, at); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.call("GET", "/api/invoices/"+invoice, key, "").wantError(t, 500, "internal")
	<-s.exited
	if code := s.cmd.ProcessState.ExitCode(); code != 7 || !strings.Contains(s.output.String(), "store is damaged") {
		t.Errorf("serve ended with %d:\n%s", code, s.output)
	}
	if r := shell(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", dir); r.code != 7 {
		t.Errorf("the next start: exit %d\n%s", r.code, r.stderr)
	}
}

// Without its audit copy a server goes on verifying keys and taking rights away,
// and changes nothing else until the copy is back.
func TestServerWithoutItsAuditCopy(t *testing.T) {
	dir := dataDir(t)
	copies := filepath.Join(filepath.Dir(dir), "copies")
	if err := os.Mkdir(copies, 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"--audit-copy", filepath.Join(copies, "audit")}
	admin := shellKey(t, dir, "--name", "admin")
	s := serve(t, dir, args...)
	other := s.createKey(admin.Key, `{"name":"other","scopes":["invoices:read"]}`)
	if err := os.Rename(copies, copies+".away"); err != nil {
		t.Fatal(err)
	}
	s.waitFor("refusal of changes", func() bool {
		return s.call("POST", "/api/parties", admin.Key, `{"name":"Globex"}`).status == 503
	})
	refused := s.call("POST", "/api/parties", admin.Key, `{"name":"Globex"}`)
	refused.wantError(t, 503, "audit_unavailable")
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if ready := s.call("GET", "/readyz", "", "").want(t, 200); string(ready.body) != `{"status":"ready","degraded":["audit_copy"]}` {
		t.Errorf("readyz says %s", ready.body)
	}
	if r := shell(t, "keys", "create", "--name", "x", "--data-dir", dir); r.code != 1 || !strings.Contains(r.stderr, "the audit copy can't be written") {
		t.Errorf("keys create: exit %d\n%s", r.code, r.stderr)
	}
	s.call("GET", "/api/invoices", other.Key, "").want(t, 200)
	mustShell(t, "keys", "revoke", other.UID, "--yes", "--data-dir", dir)
	s.call("GET", "/api/invoices", other.Key, "").wantError(t, 401, "api_key_revoked")
	if err := os.Rename(copies+".away", copies); err != nil {
		t.Fatal(err)
	}
	s.waitFor("changes", func() bool {
		return s.call("POST", "/api/parties", admin.Key, `{"name":"Globex"}`).status == 201
	})
	mustShell(t, "audit", "verify", "--data-dir", dir)
	s.stop()

	if err := os.Rename(copies, copies+".away"); err != nil {
		t.Fatal(err)
	}
	offline := func(args ...string) result {
		config := filepath.Join(filepath.Dir(dir), "exante.toml")
		if err := os.WriteFile(config, []byte("[audit]\ncopy = \""+filepath.Join(copies, "audit")+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return shell(t, append(args, "--config", config, "--data-dir", dir)...)
	}
	if r := offline("keys", "create", "--name", "x"); r.code != 1 || !strings.Contains(r.stderr, "hint: make room for it, or name another file with [audit] copy") {
		t.Errorf("keys create offline: exit %d\n%s", r.code, r.stderr)
	}
	if r := offline("keys", "list"); r.code != 0 {
		t.Errorf("keys list offline: exit %d\n%s", r.code, r.stderr)
	}
	if r := offline("keys", "revoke", admin.UID, "--yes"); r.code != 0 {
		t.Errorf("keys revoke offline: exit %d\n%s", r.code, r.stderr)
	}
}
