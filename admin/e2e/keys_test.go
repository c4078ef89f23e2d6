package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// Behind a trusted proxy the caller is the right-most address of
// X-Forwarded-For that is not a proxy: what stands left of it, he wrote himself.
func TestTrustedProxyNamesTheCaller(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	s := serve(t, dir, "--server-trusted-proxies", "127.0.0.0/8,10.0.0.0/8")
	office := s.createKey(admin.Key, `{"name":"office","allowed_cidrs":["203.0.113.0/24","2001:db8::/32"]}`)
	for chain, allowed := range map[string]bool{
		"203.0.113.9":               true,
		"198.51.100.1, 203.0.113.9": true,
		"203.0.113.9, 10.1.2.3":     true,
		"2001:db8::1":               true,
		"":                          false,
		"198.51.100.1":              false,
		"203.0.113.9, 198.51.100.1": false,
		"203.0.113.9, nonsense":     false,
	} {
		a := s.call("GET", "/api/invoices", office.Key, "", "X-Forwarded-For", chain)
		if allowed {
			a.want(t, 200)
		} else {
			a.wantError(t, 403, "ip_not_allowed")
		}
	}
}

// A test instance mints and accepts ex_test_ only.
func TestEnvironmentsDoNotMix(t *testing.T) {
	liveDir, testDir := dataDir(t), dataDir(t)
	live := shellKey(t, liveDir, "--name", "live")
	s := serve(t, testDir, "--auth-environment", "test")
	test := shellKey(t, testDir, "--name", "test")
	if !regexp.MustCompile(`^ex_test_[0-9A-Za-z]{38}$`).MatchString(test.Key) {
		t.Errorf("a test instance minted %s…", test.Key[:8])
	}
	s.call("GET", "/api/invoices", test.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", live.Key, "").wantError(t, 401, "invalid_api_key")
}

// A key is shown in the answer that created it, and by its snippet ever after.
func TestKeyIsShownOnce(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	s := serve(t, dir)
	made := s.createKey(admin.Key, `{"name":"zapier","scopes":["invoices:read"],"expires_in_days":30}`)
	if !regexp.MustCompile(`^ex_live_[0-9A-Za-z]{38}$`).MatchString(made.Key) {
		t.Error("the key does not look like one")
	}
	if want := "ex_live_..." + made.Key[len(made.Key)-4:]; made.KeySnippet != want {
		t.Errorf("snippet = %s, want %s", made.KeySnippet, want)
	}
	for _, path := range []string{"/api/api-keys", "/api/api-keys/" + made.UID, "/api/api-keys/current"} {
		if a := s.call("GET", path, admin.Key, "").want(t, 200); strings.Contains(string(a.body), `"key":`) {
			t.Errorf("%s shows a key: %s", path, a.body)
		}
	}
}

// Several windows hold at once; a refused request is charged to none of them.
func TestSeveralWindowsHoldAtOnce(t *testing.T) {
	dir := dataDir(t)
	s := serve(t, dir)
	key := shellKey(t, dir, "--name", "batch", "--rate-limit", "3/1h,10/24h")
	for range 3 {
		a := s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
		if got := a.header.Get("RateLimit-Policy"); got != `"hour";q=3;w=3600, "day";q=10;w=86400` {
			t.Errorf("RateLimit-Policy = %q", got)
		}
	}
	for range 5 {
		s.call("GET", "/api/invoices", key.Key, "").wantError(t, 429, "rate_limited")
	}
	s.call("POST", "/api/api-keys", key.Key, `{"name":"x","rate_limits":["1000000/1s"]}`).wantError(t, 429, "rate_limited")
	child := shellKey(t, dir, "--name", "wide", "--rate-limit", "7/24h")
	made := s.createKey(child.Key, `{"name":"inherits"}`)
	a := s.call("GET", "/api/invoices", made.Key, "").want(t, 200)
	if got := a.header.Get("RateLimit-Policy"); got != `"day";q=7;w=86400` {
		t.Errorf("a key made by a limited key has the limits %q", got)
	}
}

// A key rotates another only if it covers its limits too, the instance's
// default counted for a key that has none of its own.
func TestRotationDoesNotWidenLimits(t *testing.T) {
	dir := dataDir(t)
	usual, wide := shellKey(t, dir, "--name", "usual"), shellKey(t, dir, "--name", "wide", "--rate-limit", "1000000/1m")
	s := serve(t, dir)
	s.call("POST", "/api/api-keys/"+wide.UID+"/rotate", usual.Key, `{"grace_days":1}`).wantError(t, 403, "insufficient_scope")
	next := data[apiKey](t, s.call("POST", "/api/api-keys/"+usual.UID+"/rotate", wide.Key, `{"grace_days":1}`).want(t, 201))
	if got := s.call("GET", "/api/invoices", next.Key, "").want(t, 200).header.Get("RateLimit-Policy"); got != `"minute";q=600;w=60` {
		t.Errorf("the successor of a usual key has %s", got)
	}
	s.call("POST", "/api/api-keys/"+wide.UID+"/rotate", wide.Key, `{}`).want(t, 201)
}
