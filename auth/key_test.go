package auth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

// Every state, one nanosecond before its beginning, at it, and after.
func TestStateToTheInstant(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	for name, c := range map[string]struct {
		key                 auth.Key
		before, then, after auth.State // at noon-1ns, noon, noon+1ns
		revoked             time.Time  // RevokedBy(noon+1ns)
	}{
		"active":                    {auth.Key{}, auth.Active, auth.Active, auth.Active, time.Time{}},
		"expires":                   {auth.Key{ExpiresAt: noon}, auth.Active, auth.Expired, auth.Expired, time.Time{}},
		"revoked long ago":          {auth.Key{RevokedAt: at(-time.Hour)}, auth.Revoked, auth.Revoked, auth.Revoked, at(-time.Hour)},
		"revoked, clock behind":     {auth.Key{RevokedAt: at(time.Hour)}, auth.Revoked, auth.Revoked, auth.Revoked, at(time.Hour)},
		"retires":                   {auth.Key{RetiresAt: noon}, auth.Retiring, auth.Revoked, auth.Revoked, noon},
		"revoked while retiring":    {auth.Key{RetiresAt: at(time.Hour), RevokedAt: noon}, auth.Revoked, auth.Revoked, auth.Revoked, noon},
		"revoked after expiry":      {auth.Key{ExpiresAt: noon, RevokedAt: at(time.Hour)}, auth.Revoked, auth.Revoked, auth.Revoked, at(time.Hour)},
		"expires before retirement": {auth.Key{ExpiresAt: noon, RetiresAt: at(time.Hour)}, auth.Retiring, auth.Expired, auth.Expired, time.Time{}},
		"retires before expiry":     {auth.Key{ExpiresAt: at(time.Hour), RetiresAt: noon}, auth.Retiring, auth.Revoked, auth.Revoked, noon},
		"both at once":              {auth.Key{ExpiresAt: noon, RetiresAt: noon}, auth.Retiring, auth.Revoked, auth.Revoked, noon},
	} {
		for i, want := range []auth.State{c.before, c.then, c.after} {
			now := noon.Add(time.Duration(i - 1))
			if got := c.key.State(now); got != want {
				t.Errorf("%s: State at noon%+dns = %s, want %s", name, i-1, got, want)
			}
			wantErr := map[auth.State]error{auth.Expired: auth.ErrExpired, auth.Revoked: auth.ErrRevoked}[want]
			if err := c.key.Usable(now); !errors.Is(err, wantErr) {
				t.Errorf("%s: Usable at noon%+dns = %v, want %v", name, i-1, err, wantErr)
			}
		}
		if got := c.key.RevokedBy(at(1)); !got.Equal(c.revoked) {
			t.Errorf("%s: RevokedBy = %s, want %s", name, got, c.revoked)
		}
	}
	// A state is a matter of the instant, whatever the zone it is told in.
	k := auth.Key{ExpiresAt: noon}
	if got := k.State(noon.In(time.FixedZone("", 5*3600)).Add(-1)); got != auth.Active {
		t.Errorf("in another zone: %s", got)
	}
}

func networks(tb testing.TB, texts ...string) []netip.Prefix {
	tb.Helper()
	n, err := auth.ParseNetworks(texts)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestNetworksAllow(t *testing.T) {
	for _, c := range []struct {
		networks string
		addr     string
		want     bool
	}{
		{"", "203.0.113.7", true},
		{"", "", true},
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true}, // a v4 caller on a v6 socket
		{"10.0.0.0/8", "::10.1.2.3", false},
		{"10.0.0.0/8", "", false}, // where from is not known
		{"203.0.113.7/32", "203.0.113.7", true},
		{"203.0.113.7/32", "203.0.113.8", false},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"2001:db8::/32", "10.0.0.1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "10.0.0.1", false},
		{"0.0.0.0/0", "10.0.0.1", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"192.0.2.0/24,2001:db8::/32", "2001:db8::1", true},
	} {
		k := auth.Key{}
		if c.networks != "" {
			k.Networks = networks(t, strings.Split(c.networks, ",")...)
		}
		var addr netip.Addr
		if c.addr != "" {
			addr = netip.MustParseAddr(c.addr)
		}
		if got := k.AllowsAddr(addr); got != c.want {
			t.Errorf("%q allows %q: %t, want %t", c.networks, c.addr, got, c.want)
		}
	}
}

func TestNetworksParse(t *testing.T) {
	for _, bad := range []string{
		"", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8 ", "010.0.0.0/8",
		"::ffff:10.0.0.0/104", "2001:db8::1/32", "fe80::%eth0/10", "localhost/8", "::/129",
	} {
		got, err := auth.ParseNetworks([]string{"192.0.2.0/24", bad})
		if want := fmt.Sprintf("malformed network: %q", bad); !errors.Is(err, auth.ErrBadNetworks) || got != nil || err.Error() != want {
			t.Errorf("ParseNetworks(%q) = %v, %v, want %s", bad, got, err, want)
		}
	}
	many := strings.Split(strings.Repeat("10.0.0.0/8,", 100)+"10.0.0.0/8", ",")
	if _, err := auth.ParseNetworks(many); errText(err) != "malformed network: more than 100" {
		t.Errorf("ParseNetworks of 101: %v", err)
	}
	if got, err := auth.ParseNetworks(many[:100]); err != nil || len(got) != 100 {
		t.Errorf("ParseNetworks of 100: %v", err)
	}
	if got, err := auth.ParseNetworks(nil); got != nil || err != nil {
		t.Errorf("ParseNetworks(nil) = %v, %v", got, err)
	}
}

// A key passes on no more than it has: not in scopes, not in networks, not in time.
func TestGrantsStayInsideTheGranter(t *testing.T) {
	const wide = "api key lacks the scope: "
	const (
		tooWide = wide + "scopes: wider than those of the key that asks"
		outside = wide + "allowed_cidrs: wider than those of the key that asks"
		tooLong = wide + "expires_in_days: later than the end of the key that asks"
	)
	full := auth.FullAccess
	for name, c := range map[string]struct {
		key   auth.Key
		grant auth.Grant
		want  string
	}{
		"everything":          {auth.Key{Scopes: full}, auth.Grant{Scopes: full}, ""},
		"fewer scopes":        {auth.Key{Scopes: scopes(t, "api_keys:write")}, auth.Grant{Scopes: scopes(t, "api_keys:read")}, ""},
		"more scopes":         {auth.Key{Scopes: scopes(t, "api_keys:write")}, auth.Grant{Scopes: full}, tooWide},
		"inside":              {auth.Key{Scopes: full, Networks: networks(t, "10.0.0.0/8")}, auth.Grant{Scopes: full, Networks: networks(t, "10.1.0.0/16", "10.0.0.0/8")}, ""},
		"anywhere":            {auth.Key{Scopes: full, Networks: networks(t, "10.0.0.0/8")}, auth.Grant{Scopes: full}, outside},
		"wider":               {auth.Key{Scopes: full, Networks: networks(t, "10.0.0.0/8")}, auth.Grant{Scopes: full, Networks: networks(t, "10.0.0.0/7")}, outside},
		"one of two outside":  {auth.Key{Scopes: full, Networks: networks(t, "10.0.0.0/8")}, auth.Grant{Scopes: full, Networks: networks(t, "10.0.0.0/8", "11.0.0.0/8")}, outside},
		"of the other family": {auth.Key{Scopes: full, Networks: networks(t, "0.0.0.0/0")}, auth.Grant{Scopes: full, Networks: networks(t, "::/0")}, outside},
		"narrowed":            {auth.Key{Scopes: full}, auth.Grant{Scopes: full, Networks: networks(t, "10.0.0.0/8")}, ""},
		"as long":             {auth.Key{Scopes: full, ExpiresAt: noon}, auth.Grant{Scopes: full, ExpiresAt: noon}, ""},
		"longer":              {auth.Key{Scopes: full, ExpiresAt: noon}, auth.Grant{Scopes: full, ExpiresAt: noon.Add(1)}, tooLong},
		"for ever":            {auth.Key{Scopes: full, ExpiresAt: noon}, auth.Grant{Scopes: full}, tooLong},
		"past retirement":     {auth.Key{Scopes: full, RetiresAt: noon}, auth.Grant{Scopes: full}, tooLong},
		"past the earlier":    {auth.Key{Scopes: full, RetiresAt: noon, ExpiresAt: noon.Add(9)}, auth.Grant{Scopes: full, ExpiresAt: noon.Add(5)}, tooLong},
		"before the earlier":  {auth.Key{Scopes: full, RetiresAt: noon.Add(9), ExpiresAt: noon}, auth.Grant{Scopes: full, ExpiresAt: noon}, ""},
	} {
		err := c.key.MayGrant(c.grant)
		if errText(err) != c.want {
			t.Errorf("%s: MayGrant = %v, want %q", name, err, c.want)
		}
		var scope *auth.ScopeError
		if err != nil && (!errors.Is(err, auth.ErrScope) || !errors.As(err, &scope) || scope.Need != auth.APIKeysWrite) {
			t.Errorf("%s: %v does not name api_keys:write", name, err)
		}
	}
}

func TestOnlyTheShellMovesBetweenOrganizations(t *testing.T) {
	one, _ := ids.New()
	two, _ := ids.New()
	if p := (auth.Principal{OrgID: one, Shell: true}).In(two); p.OrgID != two {
		t.Error("the shell stays where it was")
	}
	if p := (auth.Principal{OrgID: one}).In(two); p.OrgID != one {
		t.Error("a principal that is not the shell has moved")
	}
	if p := auth.System(one).In(two); p.OrgID != one {
		t.Error("the system has moved")
	}
}
