package dashboard_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

// TestWhatHandsOutRightsAsksForThePassword: once ten minutes have passed, none of it is
// done without one, or with a wrong one, or with that of somebody else.
func TestWhatHandsOutRightsAsksForThePassword(t *testing.T) {
	s := open(t)
	k, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "Narrow", Networks: networks("192.0.2.0/24")})
	disabled, err := s.store.CreateUser(t.Context(), s.acme.by, storage.UserDraft{Email: "off@acme.example"})
	s.must(err)
	_, err = s.store.DisableUser(t.Context(), s.acme.by, disabled.ID)
	s.must(err)
	v := s.as(s.acme.owner)
	forms := map[string][]string{
		"/settings/api-keys":             {"once", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "name", "x", "access", "read", "expires_in_days", "30"},
		keyPathOf(&k, "rotate"):          {"once", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "grace_days", "7"},
		keyPathOf(&k, "edit"):            {"name", "Narrow", "access", "full", "allowed_cidrs", "192.0.2.0/24 198.51.100.0/24"},
		"/settings/users":                {"email", "new@acme.example", "role", "owner"},
		userPath(s.acme.viewer, "/role"): {"role", "owner"},
		userPath(s.acme.viewer, "/link"): {"once", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		userPath(disabled, "/enable"):    nil,
	}
	s.clock.Advance(10*time.Minute + time.Second)
	before := s.trail()
	for path, form := range forms {
		v.post(path, form...).shows(422, "Type your password.")
		v.post(path, append(form, "password", passwordOf(s.acme.admin))...).shows(422, "This is not your password.")
		s.clock.Advance(time.Minute) // who mistypes waits
	}
	if after := s.trail(); after != before {
		t.Errorf("%d changes were made", after-before)
	}
	s.clock.Advance(10 * time.Minute)
	for path, form := range forms {
		if r := v.post(path, append(form, "password", passwordOf(s.acme.owner))...); r.status != 200 && r.status != 303 {
			t.Errorf("%s with the password: %d\n%s", path, r.status, r.text())
		}
	}
}

// A key that is only taken from needs no password; one that is opened to the world does.
func TestTheNetworksOfAKeyAreOpenedWithThePassword(t *testing.T) {
	s := open(t)
	k, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "Narrow", Networks: networks("192.0.2.0/24", "2001:db8::/32")})
	v := s.as(s.acme.owner)
	s.clock.Advance(10*time.Minute + time.Second)
	edit := func(nets string, more ...string) reply {
		return v.post(keyPathOf(&k, "edit"), append(more, "name", "Narrow", "access", "full", "allowed_cidrs", nets)...)
	}
	v.get(keyPathOf(&k, "edit")).shows(200).hides(`type="password"`)
	for _, wider := range []string{"", "192.0.2.0/23", "192.0.2.0/24, 192.0.3.0/32", "2001:db8::/31", "::/0", "0.0.0.0/0"} {
		if r := edit(wider).shows(422, "Type your password."); !strings.Contains(r.body, `type="password"`) {
			t.Errorf("%s: it is not asked for", wider)
		}
	}
	edit("nonsense", "password", "x").shows(422, "Write networks")
	edit("192.0.2.128/25, 2001:db8:1::/48").leadsTo("/settings/api-keys/" + k.ID.String())
	edit("", "password", passwordOf(s.acme.owner)).leadsTo("/settings/api-keys/" + k.ID.String())
	edit("192.0.2.7/32").leadsTo("/settings/api-keys/" + k.ID.String())
}

// trail is how many records the audit log has of Acme.
func (s *site) trail() int {
	s.tb.Helper()
	all, err := s.store.Audit(s.tb.Context(), storage.AuditQuery{OrgID: s.acme.org.ID, Limit: 1 << 20})
	s.must(err)
	return len(all)
}

func networks(texts ...string) []netip.Prefix {
	nets, err := auth.ParseNetworks(texts)
	if err != nil {
		panic(err)
	}
	return nets
}
