package dashboard_test

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"exante/auth"
	"exante/server"
	"exante/server/dashboard"
	"exante/storage"
)

// CSRF: what another site makes a browser send changes nothing.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	s := open(t, func(o *server.Options) { o.PublicURL = "https://pay.example" })
	v := s.as(s.acme.owner)
	const form = "Content-Type"
	host := strings.TrimPrefix(s.url, "http://")
	for name, c := range map[string]struct {
		headers []string
		refused bool
	}{
		"a page of ours":                 {[]string{"Sec-Fetch-Site", "same-origin"}, false},
		"typed into the address bar":     {[]string{"Sec-Fetch-Site", "none"}, false},
		"another site":                   {[]string{"Sec-Fetch-Site", "cross-site"}, true},
		"a neighbour":                    {[]string{"Sec-Fetch-Site", "same-site"}, true},
		"another site, our Origin":       {[]string{"Sec-Fetch-Site", "cross-site", "Origin", s.url}, true},
		"an old browser, ours":           {[]string{"Origin", s.url}, false},
		"an old browser, the public URL": {[]string{"Origin", "https://pay.example"}, false},
		"an old browser, another site":   {[]string{"Origin", "https://evil.example"}, true},
		"an old browser, another port":   {[]string{"Origin", "http://127.0.0.1:1"}, true},
		"our name inside another's":      {[]string{"Origin", "http://" + host + ".evil.example"}, true},
		"our name as a user of another":  {[]string{"Origin", "http://" + host + "@evil.example"}, true},
		"a sandbox":                      {[]string{"Origin", "null"}, true},
		"neither":                        {nil, true},
		"a Referer alone":                {[]string{"Referer", s.url + "/overview"}, true},
	} {
		r := v.send("POST", "/sign-in", "email=x&password=y", append(c.headers, form, "application/x-www-form-urlencoded")...)
		if refused := r.status == 403; refused != c.refused {
			t.Errorf("%s: %d", name, r.status)
		}
	}
	v.send("POST", "/sign-out", "", "Sec-Fetch-Site", "cross-site").shows(403, "came from another site")
	v.get("/overview").shows(200)
}

// Every route that changes something refuses another site, whoever is signed in.
func TestEveryPostChecksWhereItComesFrom(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	for _, row := range dashboard.Routes() {
		if row.Method == http.MethodGet {
			continue
		}
		v.send(row.Method, somewhere(row.Path), "", "Sec-Fetch-Site", "cross-site").shows(403, "came from another site")
		v.send(row.Method, somewhere(row.Path), "").shows(403, "came from another site")
	}
}

var parameter = regexp.MustCompile(`:\w+`)

// somewhere is a path of a route, with a uid that nobody has.
func somewhere(path string) string {
	return parameter.ReplaceAllString(path, "018f2a4e-0000-7000-8000-000000000000")
}

// The role matrix: what each role may ask for, route by route. A route that is not
// in here fails.
func TestEveryRouteIsForItsRolesAlone(t *testing.T) {
	s := open(t)
	people := map[string]*visitor{
		"nobody": s.visitor(), "viewer": s.as(s.acme.viewer), "admin": s.as(s.acme.admin), "owner": s.as(s.acme.owner),
	}
	order := []string{"nobody", "viewer", "admin", "owner"}
	if len(dashboard.Routes()) != len(whoMay) {
		t.Errorf("%d routes, and %d are told apart here", len(dashboard.Routes()), len(whoMay))
	}
	for _, row := range dashboard.Routes() {
		name := row.Method + " " + row.Path
		from, known := whoMay[name]
		if !known {
			t.Errorf("%s: say who may", name)
			continue
		}
		if name == "POST /sign-out" || name == "POST /settings/account/sessions/all/end" {
			continue // it would end what the others are asked with
		}
		allowed := false
		for _, who := range order {
			allowed = allowed || who == from
			r := people[who].send(row.Method, somewhere(row.Path), "", "Sec-Fetch-Site", "same-origin")
			refused := r.status == 403 || r.status == 303 && strings.HasPrefix(r.header.Get("Location"), "/sign-in")
			if row.Path == "/" || row.Path == "/sign-in" || row.Path == "/sign-out" {
				refused = false
			}
			if refused == allowed {
				t.Errorf("%s as %s: %d %s, allowed: %v", name, who, r.status, r.header.Get("Location"), allowed)
			}
			if r.status >= 500 {
				t.Errorf("%s as %s: %d\n%s", name, who, r.status, r.text())
			}
		}
	}
}

// Framing, sniffing, caching, referrers: what every page tells the browser.
func TestEveryPageHasItsPolicy(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	for _, row := range dashboard.Routes() {
		if row.Method != http.MethodGet || strings.HasPrefix(row.Path, "/assets/") {
			continue
		}
		r := v.get(somewhere(row.Path))
		if r.header.Get("Cache-Control") != "no-store" || r.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: Cache-Control %q, X-Content-Type-Options %q", row.Path, r.header.Get("Cache-Control"), r.header.Get("X-Content-Type-Options"))
		}
		if r.status == 303 {
			continue
		}
		policy := r.header.Get("Content-Security-Policy")
		for _, need := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy+";", need+";") {
				t.Errorf("%s: the policy %q has no %s", row.Path, policy, need)
			}
		}
		if strings.Contains(policy, "unsafe") || r.header.Get("X-Frame-Options") != "DENY" || r.header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%s: %v", row.Path, r.header)
		}
		for _, inline := range []string{"<style", " style=", " onload=", " onclick=", "javascript:", "<script>"} {
			if strings.Contains(r.body, inline) {
				t.Errorf("%s has %s", row.Path, inline)
			}
		}
	}
}

// DNS rebinding: a name that is not ours gets nothing, however the API is set.
func TestForeignHostsAreMisdirected(t *testing.T) {
	s := open(t, func(o *server.Options) {
		o.AllowedHosts, o.PublicURL = []string{"pay.example"}, "https://www.pay.example"
	})
	v := s.visitor()
	for host, want := range map[string]int{
		"127.0.0.1": 200, "localhost": 200, "localhost:8080": 200, "[::1]:80": 200, "192.0.2.7": 200, "pay.example": 200, "PAY.example": 200,
		"www.pay.example": 200, "evil.example": 421, "pay.example.evil.example": 421, "evil.example:80": 421, "x.localhost": 421,
	} {
		if r := v.get("/sign-in", "Host", host); r.status != want {
			t.Errorf("%s: %d, want %d", host, r.status, want)
		}
	}
	s = open(t)
	s.visitor().get("/sign-in", "Host", "any.example").shows(421)
}

// The cookie: out of reach of scripts and of other sites, and bound to TLS where
// there is any.
func TestTheCookieHasItsFlags(t *testing.T) {
	s := open(t, func(o *server.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	const form = "application/x-www-form-urlencoded"
	body := "email=" + s.acme.owner.Email + "&password=" + strings.ReplaceAll(passwordOf(s.acme.owner), " ", "+")
	clear := s.visitor().send("POST", "/sign-in", body, "Sec-Fetch-Site", "same-origin", "Content-Type", form)
	secure := s.visitor().send("POST", "/sign-in", body, "Sec-Fetch-Site", "same-origin", "Content-Type", form,
		"X-Forwarded-Proto", "https", "X-Forwarded-For", "192.0.2.1", "Host", "127.0.0.1")
	for r, want := range map[*reply]string{&clear: "exante_session=", &secure: "__Host-exante_session="} {
		cookies := r.leadsTo("/").header.Values("Set-Cookie")
		var cookie string
		for _, c := range cookies {
			if strings.HasPrefix(c, want) {
				cookie = c
			}
		}
		if cookie == "" || !strings.Contains(cookie, "; HttpOnly") || !strings.Contains(cookie, "; SameSite=Lax") || !strings.Contains(cookie, "; Path=/") ||
			strings.Contains(cookie, "Domain") || strings.Contains(cookie, "; Secure") != strings.HasPrefix(want, "__Host-") {
			t.Errorf("the cookies are %q, want %s", cookies, want)
		}
	}
}

// A password goes over no wire in clear: from afar, or through a proxy that is not
// known, sign-in is not offered, and what is sent all the same is refused.
func TestNoSignInInClearFromAfar(t *testing.T) {
	s := open(t)
	v := s.visitor()
	for name, headers := range map[string][]string{
		"another name":     {"Host", "192.0.2.7"},
		"unknown proxy":    {"X-Forwarded-For", "192.0.2.1"},
		"claims TLS":       {"X-Forwarded-Proto", "https"},
		"standard headers": {"Forwarded", "proto=https"},
		"an address alone": {"X-Real-IP", "192.0.2.1"},
		"a host alone":     {"X-Forwarded-Host", "pay.example"},
	} {
		v.get("/sign-in", headers...).shows(200, "in clear").hides(`type="password"`)
		r := v.send("POST", "/sign-in", "email="+s.acme.owner.Email+"&password=x", append(headers, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")...)
		if r.status != 403 || len(r.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: %d %v", name, r.status, r.header)
		}
	}
}

// Fixation: the session that a browser had before is none after it signed in.
func TestSigningInStartsANewSession(t *testing.T) {
	s := open(t)
	mallory := s.as(s.rival.owner)
	planted := mallory.session()
	victim := s.visitor()
	victim.plant(planted)
	victim.post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner)).leadsTo("/")
	if victim.session() == planted || victim.session() == "" {
		t.Fatal("the session is the one that was planted")
	}
	victim.get("/overview").shows(200, "Acme")
	mallory.get("/overview").leadsTo("/sign-in?next=%2Foverview")

	before := victim.session()
	victim.post("/sign-in", "email", s.acme.admin.Email, "password", passwordOf(s.acme.admin)).leadsTo("/")
	old := s.visitor()
	old.plant(before)
	old.get("/overview").leadsTo("/sign-in?next=%2Foverview")
}

// session is the cookie of a visitor.
func (v *visitor) session() string {
	v.tb.Helper()
	req, err := http.NewRequest("GET", v.url, nil)
	v.must(err)
	for _, c := range v.client.Jar.Cookies(req.URL) {
		if c.Name == "exante_session" {
			return c.Value
		}
	}
	return ""
}

// plant gives the visitor a session cookie.
func (v *visitor) plant(value string) {
	v.tb.Helper()
	req, err := http.NewRequest("GET", v.url, nil)
	v.must(err)
	v.client.Jar.SetCookies(req.URL, []*http.Cookie{{Name: "exante_session", Value: value, Path: "/"}})
}

// CWE-601: after signing in, one stays here.
func TestSignInLeadsNowhereElse(t *testing.T) {
	s := open(t)
	for next, want := range map[string]string{
		"/overview?a=b": "/overview?a=b", "": "/", "https://evil.example": "/", "//evil.example": "/", "/\\evil.example": "/",
		"\\\\evil.example": "/", "/\t/evil.example": "/", "javascript:alert(1)": "/", "/%0d%0aSet-Cookie:x=y": "/%0d%0aSet-Cookie:x=y",
		"/\r\nSet-Cookie: x=y": "/", "evil.example": "/", "http:/evil.example": "/", "///evil.example": "/", "/.//evil.example": "/",
	} {
		s.visitor().post("/sign-in", "next", next, "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner)).leadsTo(want)
	}
}

// An API key opens no page, and a session no route of the API.
func TestKeysAndSessionsDoNotMix(t *testing.T) {
	s := open(t)
	_, token, err := s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: "x", Scopes: auth.FullAccess})
	s.must(err)
	s.visitor().get("/overview", "Authorization", "Bearer "+token.Reveal()).leadsTo("/sign-in?next=%2Foverview")
	v := s.as(s.acme.owner)
	if r := v.get("/api/invoices"); r.status != 401 {
		t.Errorf("with a session the API answers %d", r.status)
	}
}
