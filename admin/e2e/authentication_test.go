package e2e

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

// Each test below is one row of the authentication contract, over the wire,
// against the real binary.

func TestAuthenticationRows(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	gone := shellKey(t, dir, "--name", "soon expired", "--expires-at", time.Now().Add(2*time.Second).UTC().Format(time.RFC3339Nano))
	s := serve(t, dir)
	reader := s.createKey(admin.Key, `{"name":"reader","scopes":["invoices:read"]}`)
	revoked := s.createKey(admin.Key, `{"name":"revoked"}`)
	s.call("DELETE", "/api/api-keys/"+revoked.UID, admin.Key, "").want(t, 200)

	t.Run("valid", func(t *testing.T) {
		for _, scheme := range []string{"Bearer", "bearer", "BEARER", "bEaReR"} {
			a := s.call("GET", "/api/invoices", "", "", "Authorization", scheme+" "+admin.Key).want(t, 200)
			if a.header.Get("RateLimit-Policy") != `"minute";q=600;w=60` ||
				!strings.HasPrefix(a.header.Get("RateLimit"), `"minute";r=5`) {
				t.Errorf("limits = %q, %q", a.header.Get("RateLimit-Policy"), a.header.Get("RateLimit"))
			}
		}
	})
	t.Run("no header", func(t *testing.T) {
		for _, path := range []string{"/api/invoices", "/api/nowhere", "/api", "/api/api-keys/" + reader.UID} {
			a := s.call("GET", path, "", "")
			a.wantError(t, 401, "missing_authorization")
			if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="exante"` {
				t.Errorf("%s: WWW-Authenticate = %q", path, got)
			}
		}
	})
	t.Run("malformed header", func(t *testing.T) {
		for _, h := range []string{
			admin.Key, "Basic " + admin.Key, "Bearer", "Bearer ", "Bearer  " + admin.Key, "Bearer\t" + admin.Key,
			"Bearer " + admin.Key + " x", "Token " + admin.Key,
		} {
			a := s.call("GET", "/api/invoices", "", "", "Authorization", h)
			a.wantError(t, 401, "invalid_authorization_header")
			if a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%q: no WWW-Authenticate", h)
			}
		}
	})
	t.Run("header sent twice", func(t *testing.T) {
		line := "Authorization: Bearer " + admin.Key + "\r\n"
		if got := s.raw(t, "GET /api/invoices HTTP/1.1\r\nHost: x\r\n"+line+line+"Connection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 401") ||
			!strings.Contains(got, "invalid_authorization_header") {
			t.Errorf("answer = %s", got)
		}
	})
	t.Run("unknown token has one body", func(t *testing.T) {
		unknown, err := auth.Mint(auth.Live, nil)
		if err != nil {
			t.Fatal(err)
		}
		testKey, _ := auth.Mint(auth.Test, nil)
		last := admin.Key[len(admin.Key)-1]
		flipped := admin.Key[:len(admin.Key)-1] + string("01"[btoi(last == '0')])
		bodies := map[string]bool{}
		for _, token := range []string{
			unknown.Reveal(), testKey.Reveal(), flipped, "ex_live_", "x", strings.Repeat("a", 4000),
			strings.ToUpper(admin.Key), admin.Key + "0", admin.Key[:len(admin.Key)-1], "ex_live_" + strings.Repeat("0", 38),
		} {
			a := s.call("GET", "/api/invoices", token, "", "X-Request-Id", "same")
			a.wantError(t, 401, "invalid_api_key")
			bodies[string(a.body)] = true
		}
		if len(bodies) != 1 {
			t.Errorf("%d different bodies for tokens that are not keys: %v", len(bodies), bodies)
		}
	})
	t.Run("revoked", func(t *testing.T) {
		s.call("GET", "/api/invoices", revoked.Key, "").wantError(t, 401, "api_key_revoked")
	})
	t.Run("expired", func(t *testing.T) {
		expires, _ := time.Parse(time.RFC3339, *gone.ExpiresAt)
		time.Sleep(time.Until(expires.Add(1100 * time.Millisecond)))
		s.call("GET", "/api/invoices", gone.Key, "").wantError(t, 401, "api_key_expired")
	})
	t.Run("expiry is not said to who lacks the secret", func(t *testing.T) {
		guess := revoked.Key[:8] + strings.Repeat("0", len(revoked.Key)-8)
		s.call("GET", "/api/invoices", guess, "").wantError(t, 401, "invalid_api_key")
	})
	t.Run("missing scope", func(t *testing.T) {
		s.call("GET", "/api/invoices", reader.Key, "").want(t, 200)
		a := s.call("POST", "/api/invoices", reader.Key, "{}")
		a.wantError(t, 403, "insufficient_scope")
		if got := a.header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_scope", scope="invoices:write"` {
			t.Errorf("WWW-Authenticate = %q", got)
		}
		s.call("GET", "/api/api-keys", reader.Key, "").wantError(t, 403, "insufficient_scope")
	})
	t.Run("network", func(t *testing.T) {
		away := s.createKey(admin.Key, `{"name":"away","allowed_cidrs":["203.0.113.0/24","2001:db8::/32"]}`)
		s.call("GET", "/api/invoices", away.Key, "").wantError(t, 403, "ip_not_allowed")
		s.call("GET", "/api/invoices", away.Key, "", "X-Forwarded-For", "203.0.113.9").wantError(t, 403, "ip_not_allowed")
		home := s.createKey(admin.Key, `{"name":"home","allowed_cidrs":["127.0.0.0/8"]}`)
		s.call("GET", "/api/invoices", home.Key, "").want(t, 200)
	})
	t.Run("token outside the header is ignored", func(t *testing.T) {
		for _, path := range []string{"/api/invoices?api_key=" + admin.Key, "/api/invoices?access_token=" + admin.Key} {
			s.call("GET", path, "", "").wantError(t, 401, "missing_authorization")
		}
		s.call("POST", "/api/invoices", "", `{"api_key":"`+admin.Key+`"}`).wantError(t, 401, "missing_authorization")
	})
	t.Run("expiry is announced", func(t *testing.T) {
		soon := s.createKey(admin.Key, `{"name":"soon","expires_in_days":29}`)
		if got := s.call("GET", "/api/invoices", soon.Key, "").want(t, 200).header.Get("Exante-Key-Expires-At"); got != *soon.ExpiresAt {
			t.Errorf("Exante-Key-Expires-At = %q, want %q", got, *soon.ExpiresAt)
		}
		late := s.createKey(admin.Key, `{"name":"late","expires_in_days":31}`)
		if got := s.call("GET", "/api/invoices", late.Key, "").want(t, 200).header.Get("Exante-Key-Expires-At"); got != "" {
			t.Errorf("Exante-Key-Expires-At = %q on a key with 31 days", got)
		}
	})
	t.Run("a key grants only what it covers", func(t *testing.T) {
		narrow := s.createKey(admin.Key, `{"name":"narrow","scopes":["api_keys:write","invoices:write"],"expires_in_days":10,"allowed_cidrs":["127.0.0.0/8"]}`)
		for _, body := range []string{
			`{"name":"x"}`,
			`{"name":"x","scopes":["parties:read"],"expires_in_days":5,"allowed_cidrs":["127.0.0.1/32"]}`,
			`{"name":"x","scopes":["invoices:read"],"expires_in_days":11,"allowed_cidrs":["127.0.0.1/32"]}`,
			`{"name":"x","scopes":["invoices:read"],"allowed_cidrs":["127.0.0.1/32"]}`,
			`{"name":"x","scopes":["invoices:read"],"expires_in_days":5}`,
			`{"name":"x","scopes":["invoices:read"],"expires_in_days":5,"allowed_cidrs":["0.0.0.0/0"]}`,
		} {
			s.call("POST", "/api/api-keys", narrow.Key, body).wantError(t, 403, "insufficient_scope")
		}
		ok := s.createKey(narrow.Key, `{"name":"x","scopes":["invoices:read"],"expires_in_days":5,"allowed_cidrs":["127.0.0.1/32"]}`)
		s.call("GET", "/api/invoices", ok.Key, "").want(t, 200)
	})
}

func TestRetryAfterIsExactOverTheWire(t *testing.T) {
	dir := dataDir(t)
	s := serve(t, dir, "--rate-limit-windows", "5/4s")
	key := shellKey(t, dir, "--name", "limited")
	var last answer
	for i := range 5 {
		last = s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
		if got, want := last.header.Get("RateLimit"), fmt.Sprintf(`"4s";r=%d;`, 4-i); !strings.HasPrefix(got, want) {
			t.Errorf("RateLimit = %q, want %q…", got, want)
		}
	}
	if got := last.header.Get("RateLimit-Policy"); got != `"4s";q=5;w=4` {
		t.Errorf("RateLimit-Policy = %q", got)
	}
	refused := s.call("GET", "/api/invoices", key.Key, "")
	at := time.Now()
	refused.wantError(t, 429, "rate_limited")
	wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 5 {
		t.Fatalf("Retry-After = %q", refused.header.Get("Retry-After"))
	}
	if early := time.Duration(wait-1) * time.Second; early > 0 {
		time.Sleep(time.Until(at.Add(early - 50*time.Millisecond)))
		s.call("GET", "/api/invoices", key.Key, "").wantError(t, 429, "rate_limited")
	}
	time.Sleep(time.Until(at.Add(time.Duration(wait) * time.Second)))
	s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
}

func TestRefusalsForScopeAreNotChargedButCountedAgainstTheAddress(t *testing.T) {
	dir := dataDir(t)
	s := serve(t, dir, "--rate-limit-failures", "20/1m")
	key := shellKey(t, dir, "--name", "reader", "--scopes", "invoices:read")
	for range 20 {
		s.call("POST", "/api/invoices", key.Key, "{}").wantError(t, 403, "insufficient_scope")
	}
	a := s.call("POST", "/api/invoices", key.Key, "{}")
	a.wantError(t, 429, "rate_limited")
	if n, _ := strconv.Atoi(a.header.Get("Retry-After")); n < 1 || n > 62 {
		t.Errorf("Retry-After = %q", a.header.Get("Retry-After"))
	}
	s.call("GET", "/api/invoices", "nonsense", "").wantError(t, 429, "rate_limited")
	good := s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
	if got := good.header.Get("RateLimit"); !strings.HasPrefix(got, `"minute";r=599;`) {
		t.Errorf("RateLimit = %q: refusals were charged", got)
	}
}

// A restart of either kind hands out no fresh window.
func TestRestartHandsOutNoFreshWindow(t *testing.T) {
	for _, how := range []string{"stop", "kill -9"} {
		t.Run(how, func(t *testing.T) {
			dir := dataDir(t)
			s := serve(t, dir, "--rate-limit-windows", "100/1h")
			key := shellKey(t, dir, "--name", "limited")
			used := 0
			for range 60 {
				s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
				used++
			}
			for range 4 {
				if how == "stop" {
					s.stop()
				} else {
					s.kill()
				}
				s = serve(t, dir, "--rate-limit-windows", "100/1h")
				for range 5 {
					if a := s.call("GET", "/api/invoices", key.Key, ""); a.status == 200 {
						used++
					}
				}
			}
			for range 60 {
				if a := s.call("GET", "/api/invoices", key.Key, ""); a.status == 200 {
					used++
				}
			}
			s.call("GET", "/api/invoices", key.Key, "").wantError(t, 429, "rate_limited")
			if used > 100 || how == "stop" && used != 100 || used < 70 {
				t.Errorf("%d requests admitted in an hour of 100 (%s)", used, how)
			}
		})
	}
}

// raw sends bytes as they are and returns all that comes back.
func (s *server) raw(t testing.TB, request string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		got.Write(buffer[:n])
		if err != nil {
			return got.String()
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
