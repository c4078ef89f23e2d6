package server_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/server"
	"exante/storage"
)

// wrongToken is well-formed, and nobody's.
func wrongToken(t *testing.T, env auth.Environment) string {
	t.Helper()
	token, err := auth.Mint(env, strings.NewReader(strings.Repeat("unknown key material ", 20)))
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

func TestEveryRefusalOfCredentials(t *testing.T) {
	w := start(t, nil)
	expiredID, expired := w.mint(w.acme, storage.KeyDraft{Name: "short", Scopes: auth.FullAccess, ExpiresAt: begin.Add(time.Hour)})
	revokedID, revoked := w.mint(w.acme, storage.KeyDraft{Name: "gone", Scopes: auth.FullAccess})
	w.data(w.do("DELETE", "/api/api-keys/"+revokedID, w.acme.key, ""), 200)
	w.clock.Advance(2 * time.Hour)
	good := w.acme.key
	flipped := good[:20] + string(good[20]^1) + good[21:]

	const plain, invalid = `Bearer realm="exante"`, `Bearer realm="exante", error="invalid_token"`
	for _, c := range []struct {
		name, header, code, challenge string
	}{
		{"nothing", "", "missing_authorization", plain},
		{"empty", " ", "invalid_authorization_header", invalid},
		{"basic", "Basic " + good, "invalid_authorization_header", invalid},
		{"bare token", good, "invalid_authorization_header", invalid},
		{"two spaces", "Bearer  " + good, "invalid_authorization_header", invalid},
		{"garbage", "Bearer garbage", "invalid_api_key", invalid},
		{"bad checksum", "Bearer " + flipped, "invalid_api_key", invalid},
		{"unknown", "Bearer " + wrongToken(t, auth.Live), "invalid_api_key", invalid},
		{"wrong environment", "Bearer " + wrongToken(t, auth.Test), "invalid_api_key", invalid},
		{"too long", "Bearer " + good + "a", "invalid_api_key", invalid},
		{"4,000 characters", "Bearer " + strings.Repeat("a", 4000), "invalid_api_key", invalid},
		{"expired", "Bearer " + expired, "api_key_expired", invalid},
		{"revoked", "Bearer " + revoked, "api_key_revoked", invalid},
	} {
		var headers []string
		if c.header != "" {
			headers = []string{"Authorization", c.header}
		}
		r := w.do("GET", "/api/invoices", "", "", headers...)
		w.refused(r, 401, c.code)
		if got := r.header.Get("WWW-Authenticate"); got != c.challenge {
			t.Errorf("%s: WWW-Authenticate = %s, want %s", c.name, got, c.challenge)
		}
		if r.header.Get("RateLimit") != "" && !strings.HasPrefix(c.code, "api_key_") {
			t.Errorf("%s: an unknown caller is told of limits", c.name)
		}
	}
	for _, id := range []string{expiredID, revokedID} {
		if state := w.data(w.get("/api/api-keys/"+id, good), 200)["state"]; state != "expired" && state != "revoked" {
			t.Errorf("state = %v", state)
		}
	}
}

func TestSchemeIsReadInAnyCaseAndOnce(t *testing.T) {
	w := start(t, nil)
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER "} {
		w.data(w.do("GET", "/api/invoices", "", "", "Authorization", scheme+w.acme.key), 200)
	}
	r := w.do("GET", "/api/invoices", "", "", "Authorization", "Bearer "+w.acme.key, "Authorization", "Bearer "+w.acme.key)
	w.refused(r, 401, "invalid_authorization_header")
	w.refused(w.do("GET", "/api/invoices?access_token="+w.acme.key, "", ""), 401, "missing_authorization")
	w.refused(w.do("POST", "/api/parties", "", `{"name":"a","access_token":"`+w.acme.key+`"}`), 401, "missing_authorization")
}

func TestUnknownTokensAnswerAlike(t *testing.T) {
	w := start(t, nil)
	bodyOf := func(token string) string {
		r := w.do("GET", "/api/invoices", token, "", "X-Request-Id", "same")
		w.refused(r, 401, "invalid_api_key")
		return r.body
	}
	want := bodyOf("garbage")
	for _, token := range []string{wrongToken(t, auth.Live), wrongToken(t, auth.Test), w.acme.key + "x", "ex_live_"} {
		if got := bodyOf(token); got != want {
			t.Errorf("%.12s…: %s, want %s", token, got, want)
		}
	}
}

func TestScopeIsDemanded(t *testing.T) {
	w := start(t, nil)
	_, reader := w.mint(w.acme, storage.KeyDraft{Name: "reader", Scopes: scopes(t, "invoices:read")})
	_, writer := w.mint(w.acme, storage.KeyDraft{Name: "writer", Scopes: scopes(t, "invoices:write")})
	w.data(w.get("/api/invoices", reader), 200)
	w.data(w.get("/api/invoices", writer), 200)
	w.data(w.get("/api/api-keys/current", reader), 200)
	r := w.do("POST", "/api/invoices", reader, `{}`)
	w.refused(r, 403, "insufficient_scope")
	if got, want := r.header.Get("WWW-Authenticate"), `Bearer error="insufficient_scope", scope="invoices:write"`; got != want {
		t.Errorf("WWW-Authenticate = %s, want %s", got, want)
	}
	w.refused(w.get("/api/parties", writer), 403, "insufficient_scope")
}

func scopes(t *testing.T, names ...string) auth.Scopes {
	t.Helper()
	s, err := auth.ParseScopes(names)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNetworkIsDemanded(t *testing.T) {
	w := start(t, func(o *server.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	_, key := w.mint(w.acme, storage.KeyDraft{Name: "office", Scopes: auth.FullAccess,
		Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")}})
	w.refused(w.get("/api/invoices", key), 403, "ip_not_allowed")
	for forwarded, status := range map[string]int{
		"203.0.113.9": 200, "2001:db8::1": 200, "6.6.6.6, 203.0.113.9": 200,
		"203.0.113.9, 6.6.6.6": 403, "198.51.100.1": 403, "nonsense": 403,
	} {
		if r := w.do("GET", "/api/invoices", key, "", "X-Forwarded-For", forwarded); r.status != status {
			t.Errorf("from %s: %d, want %d", forwarded, r.status, status)
		}
	}
}

func TestForwardedAddressOfAStrangerIsIgnored(t *testing.T) {
	w := start(t, nil)
	_, key := w.mint(w.acme, storage.KeyDraft{Name: "office", Scopes: auth.FullAccess,
		Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}})
	w.refused(w.do("GET", "/api/invoices", key, "", "X-Forwarded-For", "203.0.113.9"), 403, "ip_not_allowed")
}

func TestLimitTellsWhereTheCallerStands(t *testing.T) {
	w := start(t, nil)
	_, key := w.mint(w.acme, storage.KeyDraft{Name: "slow", Scopes: auth.FullAccess, Limits: limits(t, "3/1m,100/24h")})
	for left := 2; left >= 0; left-- {
		r := w.get("/api/invoices", key)
		w.data(r, 200)
		if got, want := r.header.Get("RateLimit-Policy"), `"minute";q=3;w=60, "day";q=100;w=86400`; got != want {
			t.Errorf("RateLimit-Policy = %s, want %s", got, want)
		}
		if got, want := r.header.Get("RateLimit"), `"minute";r=`+strconv.Itoa(left)+`;t=`; !strings.HasPrefix(got, want) {
			t.Errorf("RateLimit = %s, want %s…", got, want)
		}
	}
	r := w.get("/api/invoices", key)
	w.refused(r, 429, "rate_limited")
	wait, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 61 {
		t.Fatalf("Retry-After = %q", r.header.Get("Retry-After"))
	}
	if got := r.header.Get("RateLimit"); !strings.HasPrefix(got, `"minute";r=0;t=`) {
		t.Errorf("RateLimit of a refusal = %s", got)
	}
	w.clock.Advance(time.Duration(wait-1) * time.Second)
	w.refused(w.get("/api/invoices", key), 429, "rate_limited")
	w.clock.Advance(time.Second)
	w.data(w.get("/api/invoices", key), 200)
}

func TestWhatIsFoundOutLaterIsCharged(t *testing.T) {
	w := start(t, nil)
	_, key := w.mint(w.acme, storage.KeyDraft{Name: "slow", Scopes: auth.FullAccess, Limits: limits(t, "2/1m")})
	w.refused(w.get("/api/invoices/nope", key), 404, "not_found")
	w.refused(w.get("/api/nowhere", key), 404, "not_found")
	w.refused(w.get("/api/invoices", key), 429, "rate_limited")
}

func TestFailuresOfAnAddressAreLimited(t *testing.T) {
	w := startWith(t, func(s *settings) { s.auth.Failures = limits(t, "3/1m") })
	w.refused(w.get("/api/invoices", ""), 401, "missing_authorization")
	w.refused(w.get("/api/invoices", "garbage"), 401, "invalid_api_key")
	w.refused(w.do("GET", "/api/nowhere", "", "", "Authorization", "Basic x"), 401, "invalid_authorization_header")
	for _, key := range []string{"", "garbage"} {
		r := w.get("/api/invoices", key)
		w.refused(r, 429, "rate_limited")
		if r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
}

func TestEndOfKeyIsAnnounced(t *testing.T) {
	w := start(t, nil)
	_, near := w.mint(w.acme, storage.KeyDraft{Name: "near", Scopes: auth.FullAccess, ExpiresAt: begin.Add(30 * 24 * time.Hour)})
	_, far := w.mint(w.acme, storage.KeyDraft{Name: "far", Scopes: auth.FullAccess, ExpiresAt: begin.Add(31 * 24 * time.Hour)})
	if got := w.get("/api/invoices", near).header.Get("Exante-Key-Expires-At"); got != "2026-12-23T09:30:00Z" {
		t.Errorf("near: %q", got)
	}
	for _, key := range []string{far, w.acme.key} {
		if got := w.get("/api/invoices", key).header.Get("Exante-Key-Expires-At"); got != "" {
			t.Errorf("far: %q", got)
		}
	}
}

func TestRevokedKeyStopsAtOnce(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "victim", Scopes: auth.FullAccess})
	w.data(w.get("/api/invoices", key), 200)
	first := w.data(w.do("DELETE", "/api/api-keys/"+id, key, ""), 200)["revoked_at"]
	w.refused(w.get("/api/invoices", key), 401, "api_key_revoked")
	w.clock.Advance(time.Hour)
	if again := w.data(w.do("DELETE", "/api/api-keys/"+id, w.acme.key, ""), 200)["revoked_at"]; again != first || first == nil {
		t.Errorf("revoked_at = %v, then %v", first, again)
	}
}
