package dashboard_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

const day = 24 * time.Hour

var listed = regexp.MustCompile(`<th scope="row"><a href="/settings/api-keys/[^"]+"><bdi>([^<]*)</bdi>`)

// lists checks for a page of keys with these names, in this order.
func (r reply) lists(names ...string) reply {
	r.tb.Helper()
	var got []string
	for _, m := range listed.FindAllStringSubmatch(r.shows(200).body, -1) {
		got = append(got, m[1])
	}
	if strings.Join(got, ",") != strings.Join(names, ",") {
		r.tb.Errorf("%s lists %q, want %q", r.what, got, names)
	}
	return r
}

// kinds is a site with a key in every state, and something found about most.
func kinds(t *testing.T) (*site, map[string]string) {
	s := open(t)
	now := s.clock.Now
	tokens := map[string]string{}
	add := func(name string, change func(d *storage.KeyDraft)) auth.Key {
		d := storage.KeyDraft{Name: name, ExpiresAt: now().Add(200 * day)}
		change(&d)
		k, token := s.keyIn(s.acme, d)
		tokens[name] = token.Reveal()
		return k
	}
	as := func(u storage.User) func(*storage.KeyDraft) {
		return func(d *storage.KeyDraft) { d.UserID = u.ID }
	}
	s.keyIn(s.rival, storage.KeyDraft{Name: "theirs"})
	add("bravo idle", as(s.acme.admin))
	add("Echo broad", as(s.acme.owner))
	s.calls(tokens["bravo idle"])
	s.calls(tokens["Echo broad"])
	s.clock.Advance(91 * day)
	s.calls(tokens["Echo broad"])
	add("delta unused", as(s.acme.owner))
	add("charlie over", func(d *storage.KeyDraft) { d.ExpiresAt = now().Add(day) })
	s.clock.Advance(8 * day)
	revoked := add("Alpha revoked", as(s.acme.owner))
	_, err := s.store.RevokeKey(t.Context(), s.acme.by, revoked.ID, 0)
	s.must(err)
	add("golf soon", func(d *storage.KeyDraft) { d.ExpiresAt = now().Add(10 * day) })
	forever := add("foxtrot", func(d *storage.KeyDraft) { d.ExpiresAt = time.Time{} })
	_, _, err = s.store.RotateKey(t.Context(), s.acme.by, forever.ID, 7*day, 0)
	s.must(err)
	add("hotel", as(s.acme.viewer))
	_, err = s.store.DisableUser(t.Context(), s.acme.by, s.acme.viewer.ID)
	s.must(err)
	return s, tokens
}

// Every state, finding, search and order, and all of it from the address alone.
func TestListOfKeys(t *testing.T) {
	s, _ := kinds(t)
	v := s.as(s.acme.owner)
	list := func(query string) reply { t.Helper(); return v.get("/settings/api-keys" + query) }
	all := list("").lists("hotel", "foxtrot", "foxtrot", "golf soon", "Alpha revoked", "charlie over", "delta unused", "Echo broad", "bravo idle")
	all.shows(200, "9 keys, 2 ended", "Suspended", "Retiring", "Expiring", "Revoked", "Expired", "Active", "in 10 days", "5 keys need a look",
		"Ends soon 1 Broader than used 2 Never ends 1 Not used for 90 days 1 Never used 1", "99 days ago").hides("theirs")
	for _, action := range []string{"rotate", "narrow", "edit", "revoke"} {
		if !strings.Contains(all.body, "/"+action+`"`) {
			t.Errorf("it leads to no %s", action)
		}
	}
	for query, names := range map[string][]string{
		"?state=suspended":                               {"hotel"},
		"?state=retiring":                                {"foxtrot"},
		"?state=expiring":                                {"golf soon"},
		"?state=expired":                                 {"charlie over"},
		"?state=revoked":                                 {"Alpha revoked"},
		"?state=ended":                                   {"Alpha revoked", "charlie over"},
		"?state=active":                                  {"foxtrot", "delta unused", "Echo broad", "bravo idle"},
		"?finding=expiring":                              {"golf soon"},
		"?finding=too_broad":                             {"Echo broad", "bravo idle"},
		"?finding=no_expiry":                             {"foxtrot"},
		"?finding=idle":                                  {"bravo idle"},
		"?finding=never_used":                            {"delta unused"},
		"?finding=any&sort=name":                         {"bravo idle", "delta unused", "Echo broad", "foxtrot", "golf soon"},
		"?find=ECHO":                                     {"Echo broad"},
		"?find=%20admin@acme":                            {"bravo idle"},
		"?find=127.0.0.1":                                {"Echo broad", "bravo idle"},
		"?sort=name":                                     {"Alpha revoked", "bravo idle", "charlie over", "delta unused", "Echo broad", "foxtrot", "foxtrot", "golf soon", "hotel"},
		"?sort=-name&state=ended":                        {"charlie over", "Alpha revoked"},
		"?sort=created&find=o&o=1":                       {"bravo idle", "Echo broad", "delta unused", "charlie over", "Alpha revoked", "golf soon", "foxtrot", "foxtrot", "hotel"},
		"?sort=-last_used&find=a":                        {"Echo broad", "bravo idle", "hotel", "foxtrot", "foxtrot", "golf soon", "Alpha revoked", "charlie over", "delta unused"},
		"?sort=expires&state=active&finding=any":         {"bravo idle", "Echo broad", "delta unused", "foxtrot"},
		"?owner=" + s.acme.admin.ID.String():             {"bravo idle"},
		"?state=x&finding=y&sort=z&owner=w&page=v":       {"hotel", "foxtrot", "foxtrot", "golf soon", "Alpha revoked", "charlie over", "delta unused", "Echo broad", "bravo idle"},
		"?page=9999999999999999999&find=golf":            {"golf soon"},
		"?page=-1&find=golf&state=expiring&finding=any":  {"golf soon"},
		"?find=" + strings.Repeat("x", 199) + "%C3%A4":   {},
		"?find=%FF&state=expired":                        {"charlie over"},
		"?find=foxtrot&state=active&finding=no_expiry&a": {"foxtrot"},
	} {
		list(query).lists(names...)
	}
	list("?find=nothing+like+it&state=active").shows(200, "No key matches.", "Show all 9")
	list("?find=echo&state=active&sort=name").shows(200, "1 of 9 keys").hides("theirs")
	if r := list("?find=echo&state=active&sort=name"); !strings.Contains(r.body, `value="echo"`) || !strings.Contains(r.body, `value="active" selected`) ||
		!strings.Contains(r.body, `aria-sort="ascending"><a href="/settings/api-keys?find=echo&amp;sort=-name&amp;state=active"`) {
		t.Errorf("the page does not keep what was asked:\n%s", r.body)
	}
}

// Fifty a page, and every key on one of them.
func TestPagesOfKeys(t *testing.T) {
	s := open(t)
	for i := range 101 {
		s.keyIn(s.acme, storage.KeyDraft{Name: fmt.Sprintf("key %03d", i)})
	}
	v := s.as(s.acme.viewer)
	seen := map[string]bool{}
	next := "/settings/api-keys?find=key&sort=name"
	for page := 1; next != ""; page++ {
		r := v.get(next).shows(200, fmt.Sprintf("Page %d of 3, 101 keys", page))
		for _, m := range listed.FindAllStringSubmatch(r.body, -1) {
			seen[m[1]] = true
		}
		link := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(r.body)
		if next = ""; link != nil {
			next = strings.ReplaceAll(link[1], "&amp;", "&")
		}
	}
	if len(seen) != 101 {
		t.Errorf("the pages show %d keys", len(seen))
	}
	v.get("/settings/api-keys?page=4").lists("key 000")
}

// A key is narrowed to what it used, and only if that is what was shown.
func TestNarrowingAKey(t *testing.T) {
	s, tokens := kinds(t)
	v := s.as(s.acme.admin)
	k := s.key(s.acme, "Echo broad")
	r := v.get(keyPathOf(k, "narrow")).shows(200, "It would lose", "api_keys:write Create, rotate and revoke", "It would keep invoices:read")
	if lost, kept, _ := strings.Cut(r.text(), "It would keep"); strings.Contains(lost, "invoices:read") || strings.Contains(kept, "invoices:write") {
		t.Errorf("it loses what it used, or keeps what it did not:\n%s", r.text())
	}
	s.visitor().get("/api/parties", "Authorization", "Bearer "+tokens["Echo broad"]).shows(200) // meanwhile
	v.post(keyPathOf(k, "narrow"), "scopes", "invoices:read").shows(422, "has used something else meanwhile", "parties:read See whom")
	v.post(keyPathOf(k, "narrow"), "scopes", "invoices:read", "scopes", "parties:read").leadsTo("/settings/api-keys/" + k.ID.String())
	if got := s.key(s.acme, "Echo broad").Scopes.String(); got != "invoices:read,parties:read" {
		t.Errorf("it may do %s", got)
	}
	v.get(keyPathOf(k, "narrow")).leadsTo(keyPathOf(k, "edit"))
	v.post(keyPathOf(k, "narrow"), "scopes", "invoices:read").leadsTo(keyPathOf(k, "edit"))
}

// What changes of a key is taken away, but for its name.
func TestChangingAKey(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.admin)
	own, err := auth.ParseLimits("7000000/1m")
	s.must(err)
	k, token := s.keyIn(s.acme, storage.KeyDraft{Name: "Old", Limits: own})
	path := keyPathOf(&k, "edit")
	v.get(path).shows(200, "Full access", "It never ends now.").hides(`value="read"`)
	v.post(path, "name", "New", "access", "full", "rate_limits", "7000000/1m").leadsTo("/settings/api-keys/" + k.ID.String())
	if got := s.key(s.acme, "New"); got.Scopes != auth.FullAccess || got.Limits.String() != "7000000/1m" {
		t.Errorf("more than the name changed: %+v", got)
	}
	v.post(path, "name", "New", "access", "custom", "scopes", "parties:write", "scopes", "invoices:read", "rate_limits", "", "allowed_cidrs", "127.0.0.0/8", "expires_on", "2026-12-23").
		leadsTo("/settings/api-keys/" + k.ID.String())
	got := s.key(s.acme, "New")
	if got.Scopes.String() != "invoices:read,parties:write" || len(got.Limits) != 0 || len(got.Networks) != 1 || !got.ExpiresAt.Equal(time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it is now %+v", got)
	}
	if s.calls(token.Reveal()) != 200 || s.visitor().send("POST", "/api/invoices", "{}", "Authorization", "Bearer "+token.Reveal(), "Content-Type", "application/json").status != 403 {
		t.Error("the next request is not judged by it")
	}
	same := []string{"name", "New", "scopes", "parties:write", "scopes", "invoices:read", "allowed_cidrs", "127.0.0.0/8"}
	v.post(path, append(same, "scopes", "invoices:write")...).shows(422, "Must be within those that it has: a key that may do more is a new key.")
	v.post(path, append(same, "expires_on", "2026-12-24")...).shows(422, "Must be sooner than it is")
	v.post(path, append(same, "expires_on", "2026-11-22")...).shows(422, "That day is over.")
	v.post(path, "name", "").shows(422, "Must have 1 to 200 characters.", "Choose at least one.")
	version := s.key(s.acme, "New").Version
	v.post(path, same...).leadsTo("/settings/api-keys/" + k.ID.String())
	if got := s.key(s.acme, "New").Version; got != version {
		t.Errorf("nothing was changed, and it has version %d after %d", got, version)
	}
}

// Every scope that can be chosen says what it allows.
func TestEveryScopeHasItsSentence(t *testing.T) {
	s := open(t)
	r := s.as(s.acme.owner).get("/settings/api-keys/new")
	for _, scope := range auth.AllScopes() {
		m := regexp.MustCompile(`<code>` + scope.String() + `</code><small>([^<]+)</small>`).FindStringSubmatch(r.body)
		if m == nil || !strings.HasSuffix(m[1], ".") {
			t.Errorf("%s: %q", scope, m)
		}
	}
}
