package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// strangeNames are names that would do harm if a page took them for markup.
var strangeNames = []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' onmouseover='", "\u05d0{{.}} &amp; ]]>"}

// minted makes an API key, and returns what to call with.
func (s *site) minted(c company, d storage.KeyDraft) (*auth.Key, string) {
	s.tb.Helper()
	if d.Scopes == 0 {
		d.Scopes = auth.FullAccess
	}
	k, token, err := s.store.CreateKey(s.tb.Context(), c.by, d)
	s.must(err)
	return &k, token.Reveal()
}

// ask asks the API, and returns the status and the request's id.
func (s *site) ask(method, path, key string, headers ...string) (status int, id string) {
	s.tb.Helper()
	req, err := http.NewRequestWithContext(s.tb.Context(), method, s.url+path, http.NoBody)
	s.must(err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("User-Agent", "billing/1.0")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	s.must(err)
	s.must(resp.Body.Close())
	return resp.StatusCode, resp.Header.Get("X-Request-Id")
}

func keyPath(k *auth.Key) string { return "/settings/api-keys/" + k.ID.String() }

func TestAKeyIsSeenAtWork(t *testing.T) {
	s := open(t)
	limits, err := auth.ParseLimits("4/1m")
	s.must(err)
	k, key := s.minted(s.acme, storage.KeyDraft{Name: "Billing", Scopes: scopesNamed(t, "parties:read"), Limits: limits, ExpiresAt: s.clock.Now().AddDate(0, 0, 60)})
	v := s.as(s.acme.viewer)
	v.get(keyPath(k)).shows(200, "Billing", k.Snippet, "Active", "Never", "No requests in this time", "None since the server started.", "See whom you invoice",
		"4/1m", "From anywhere", "in 60 days", "Created the API key").hides("the default")

	_, first := s.ask("GET", "/api/parties", key)
	s.ask("GET", "/api/parties/018f2a4e-0000-7000-8000-000000000000", key)
	s.ask("GET", "/api/invoices", key)
	for range 3 {
		s.ask("GET", "/api/parties", key)
	}
	page := v.get(keyPath(k)).shows(200, "GET /api/parties 200", "GET /api/parties/:uid 404", "GET /api/invoices 403", "GET /api/parties 429", first, "billing/1.0",
		"less than a minute ago from 127.0.0.1", "Accepted 4", "403 Forbidden 1", "429 Too many requests 1", "401 Unauthorized 0")
	if !strings.Contains(page.body, "6 requests (Accepted: 4, 403 Forbidden: 1, 429 Too many requests: 1)") {
		t.Errorf("the chart tells something else:\n%s", page.body)
	}
	for _, span := range []string{"24h", "7d", "30d"} {
		page := v.get(keyPath(k)+"?span="+span).shows(200, "Accepted 4")
		if !strings.Contains(page.body, `?span=`+span+`" aria-current="true"`) {
			t.Errorf("the tab of %s is not the current one", span)
		}
	}
	v.get(keyPath(k)+"?span=<script>").shows(200, "24 hours").hides("?span=<script>")

	s.clock.Advance(25 * time.Hour)
	v = s.as(s.acme.viewer)
	v.get(keyPath(k)).shows(200, "No requests in this time", "1 day ago")
	v.get(keyPath(k)+"?span=7d").shows(200, "Accepted 4")
}

func scopesNamed(tb testing.TB, names ...string) auth.Scopes {
	tb.Helper()
	set, err := auth.ParseScopes(names)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

func TestAKeyPageOffersWhatOneMayDo(t *testing.T) {
	s := open(t)
	k, _ := s.minted(s.acme, storage.KeyDraft{Name: "Billing"})
	actions := []string{keyPath(k) + "/edit", keyPath(k) + "/rotate", keyPath(k) + "/revoke"}
	s.as(s.acme.viewer).get(keyPath(k)).shows(200, "Billing").hides(actions...)
	page := s.as(s.acme.admin).get(keyPath(k)).shows(200, "Rotate", "Revoke", "Never ends. Set an end", "Everything that there is")
	for _, path := range actions {
		if !strings.Contains(page.body, `href="`+path+`"`) {
			t.Errorf("no link to %s", path)
		}
	}
	_, err := s.store.RevokeKey(t.Context(), s.acme.by, k.ID, 0)
	s.must(err)
	s.as(s.acme.admin).get(keyPath(k)).shows(200, "Revoked", "less than a minute ago", "Revoked the API key").hides(actions...)
}

func TestAKeyPageIsForItsOrganizationAlone(t *testing.T) {
	s := open(t)
	k, _ := s.minted(s.acme, storage.KeyDraft{Name: "Billing"})
	v := s.as(s.rival.owner)
	foreign := v.get(keyPath(k)).shows(404).hides("Billing", k.Snippet)
	request := requestShown(foreign.body)
	missing := v.get("/settings/api-keys/" + uid.ID{15: 1}.String()).shows(404)
	if strings.ReplaceAll(foreign.body, request, "") != strings.ReplaceAll(missing.body, requestShown(missing.body), "") {
		t.Errorf("a key of others looks unlike one that there is not:\n%s\n%s", foreign.body, missing.body)
	}
	v.get("/settings/api-keys/no-uid").shows(404)
}

// requestShown is the request id that a page of trouble shows.
func requestShown(body string) string {
	_, after, _ := strings.Cut(body, "request <code>")
	id, _, _ := strings.Cut(after, "</code>")
	return id
}

func TestRotatedKeysLeadToEachOther(t *testing.T) {
	s := open(t)
	k, _ := s.minted(s.acme, storage.KeyDraft{Name: "Billing"})
	chain := []*auth.Key{k}
	for range 8 {
		made, _, err := s.store.RotateKey(t.Context(), s.acme.by, chain[len(chain)-1].ID, time.Hour, 0)
		s.must(err)
		chain = append(chain, &made)
	}
	v := s.as(s.acme.viewer)
	page := v.get(keyPath(chain[1])).shows(200, "Retiring", "in 1 hour", "until then its successor and it both work", "Rotated the API key")
	_, rotation, _ := strings.Cut(page.body, `<ol class="chain">`)
	rotation, _, _ = strings.Cut(rotation, "</ol>")
	for i, other := range chain {
		if got, want := strings.Contains(rotation, `href="`+keyPath(other)+`"`), i != 1 && i < 7; got != want {
			t.Errorf("a link to key %d of the chain: %v, want %v", i, got, want)
		}
	}
}

func TestHostileNamesAreTextOnThePageOfAKey(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	for _, name := range strangeNames {
		k, key := s.minted(s.acme, storage.KeyDraft{Name: name})
		s.ask("GET", "/api/parties", key, "User-Agent", name, "X-Request-Id", "<b>"+fmt.Sprint(len(name)))
		v.get(keyPath(k)).shows(200, name).hides("<script>alert", "<img src=x", "' onmouseover='", "<b>"+fmt.Sprint(len(name)))
	}
}

// A page that asks for news by itself does not keep its session alive.
func TestAPageThatNobodyWatchesLetsTheSessionEnd(t *testing.T) {
	s := open(t)
	k, _ := s.minted(s.acme, storage.KeyDraft{Name: "Billing"})
	v := s.as(s.acme.viewer)
	for range 2 {
		s.clock.Advance(14 * time.Minute)
		v.get(keyPath(k), "HX-Request", "true", "HX-Trigger", "live").shows(200)
	}
	s.clock.Advance(3 * time.Minute)
	r := v.get(keyPath(k), "HX-Request", "true", "HX-Trigger", "live")
	if r.status != 401 || r.header.Get("HX-Redirect") != "/sign-in" {
		t.Errorf("after 31 minutes: %d, %v", r.status, r.header)
	}
}
