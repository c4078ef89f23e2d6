package e2e

import (
	"bytes"
	"maps"
	"os/exec"
	"strings"
	"testing"
)

// given runs the binary with that on its standard input.
func given(t *testing.T, stdin string, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Env, cmd.Stdin = cleanEnv(), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// told is an answer without what differs from one to the next.
func told(a answer) string {
	h := maps.Clone(a.header)
	id := h.Get("X-Request-Id")
	h.Del("X-Request-Id")
	h.Del("Date")
	var b bytes.Buffer
	if err := h.Write(&b); err != nil {
		return err.Error()
	}
	return b.String() + strings.ReplaceAll(string(a.body), id, "ID")
}

// Who leaves takes his keys along: they are refused like a token that is no key's,
// on the next request, after a kill, and until he is let back in.
func TestDisabledUsersKeysAreRefusedLikeNoKeys(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	mustShell(t, "users", "create", "--email", "ada@b.example", "--role", "admin", "--data-dir", dir)
	hers := shellKey(t, dir, "--name", "hers", "--user", "ada@b.example", "--expires-in-days", "3")
	dead := shellKey(t, dir, "--name", "dead", "--user", "ada@b.example")
	s := serve(t, dir)
	s.call("GET", "/api/invoices", hers.Key, "").want(t, 200)
	mustShell(t, "users", "disable", "ada@b.example", "--data-dir", dir)
	refused := s.call("GET", "/api/invoices", hers.Key, "")
	refused.wantError(t, 401, "invalid_api_key")
	if unknown := s.call("GET", "/api/invoices", strangeKey, ""); told(refused) != told(unknown) {
		t.Errorf("a suspended key is told from none:\n%s\n%s", told(refused), told(unknown))
	}
	s.call("POST", "/api/api-keys/"+hers.UID+"/rotate", admin.Key, `{}`).wantError(t, 409, "key_not_active")
	if k := data[apiKey](t, s.call("GET", "/api/api-keys/"+hers.UID, admin.Key, "").want(t, 200)); k.State != "active" {
		t.Errorf("its state is %s: that is of the key, not of its user", k.State)
	}
	s.call("DELETE", "/api/api-keys/"+dead.UID, admin.Key, "").want(t, 200)
	s.kill()
	s = serve(t, dir)
	s.call("GET", "/api/invoices", hers.Key, "").wantError(t, 401, "invalid_api_key")
	mustShell(t, "users", "enable", "ada@b.example", "--data-dir", dir)
	s.call("GET", "/api/invoices", hers.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", dead.Key, "").wantError(t, 401, "api_key_revoked")
	s.stop()
	mustShell(t, "users", "disable", "ada@b.example", "--data-dir", dir)
	s = serve(t, dir)
	s.call("GET", "/api/invoices", hers.Key, "").wantError(t, 401, "invalid_api_key")
	s.stop()
	mustShell(t, "verify", "--data-dir", dir)
}

// strangeKey is whole, and nobody's.
const strangeKey = "ex_live_000000000000000000000000000000003gs3n1"

// What an operator changes of a key binds the next request.
func TestChangedKeyIsJudgedAnewAtOnce(t *testing.T) {
	dir := dataDir(t)
	k := shellKey(t, dir, "--name", "k")
	s := serve(t, dir)
	s.call("GET", "/api/invoices", k.Key, "").want(t, 200)
	mustShell(t, "keys", "set", k.UID, "--allowed-cidrs", "192.0.2.0/24", "--data-dir", dir)
	s.call("GET", "/api/invoices", k.Key, "").wantError(t, 403, "ip_not_allowed")
	mustShell(t, "keys", "set", k.UID, "--allowed-cidrs", "any", "--rate-limit", "1/1h", "--data-dir", dir)
	s.call("GET", "/api/invoices", k.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", k.Key, "").wantError(t, 429, "rate_limited")
	mustShell(t, "keys", "set", k.UID, "--rate-limit", "default", "--data-dir", dir)
	s.call("GET", "/api/invoices", k.Key, "").want(t, 200)
}

// A leaked key is found in what is around it, told, and ended; neither it nor a
// password is left anywhere.
func TestLeakedKeyIsIdentifiedAndEnded(t *testing.T) {
	dir := dataDir(t)
	k := shellKey(t, dir, "--name", "zapier")
	s := serve(t, dir)
	s.call("GET", "/api/invoices", k.Key, "").want(t, 200)
	const password = "a long way to Tipperary"
	mustShell(t, "users", "create", "--email", "ada@b.example", "--data-dir", dir)
	said, code := given(t, password+"\n", "users", "password", "ada@b.example", "--stdin", "--data-dir", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	out, code := given(t, "2026-11-23 curl -H 'Authorization: Bearer "+k.Key+"' https://x.example\n", "keys", "identify", "--revoke", "--data-dir", dir)
	if code != 0 || !strings.Contains(out, k.UID) || !strings.Contains(out, "zapier") || !strings.Contains(out, "revoked") {
		t.Errorf("exit %d: %s", code, out)
	}
	s.call("GET", "/api/invoices", k.Key, "").wantError(t, 401, "api_key_revoked")
	for text, want := range map[string]string{strangeKey: "well formed, but no key of this installation", "hello": "there is no key in the text"} {
		if out, code := given(t, text, "keys", "identify", "--data-dir", dir); code != 3 || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d, %s", text, code, out)
		}
	}
	s.stop()
	places := diskContents(t, dir)
	places["output"] = []byte(said + out + s.output.String())
	for place, text := range places {
		if bytes.Contains(text, []byte(k.Key[16:32])) || bytes.Contains(text, []byte(password)) {
			t.Errorf("a secret is in %s", place)
		}
	}
}
