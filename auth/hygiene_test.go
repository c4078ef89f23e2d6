package auth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

func TestHygieneOfKeys(t *testing.T) {
	const day, hair = 24 * time.Hour, time.Nanosecond
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	// key is one to which nothing is to be found, but for what change does.
	key := func(change func(*auth.Key)) auth.Key {
		k := auth.Key{Scopes: scopes(t, "invoices:read"), CreatedAt: ago(day), ExpiresAt: noon.Add(100 * day)}
		if change != nil {
			change(&k)
		}
		return k
	}
	holding := func(names string) auth.Key {
		return key(func(k *auth.Key) { k.Scopes = scopes(t, strings.Split(names, ",")...) })
	}
	used := func(at time.Duration, watched time.Duration, names ...string) auth.LastUse {
		use := auth.LastUse{At: ago(at), WatchedSince: ago(watched)}
		if len(names) > 0 {
			use.Scopes = scopes(t, names...)
		}
		return use
	}
	recently := used(hair, day, "invoices:read")
	older := auth.LastUse{At: ago(hair)} // its scopes were never watched
	never := auth.LastUse{}
	old := func(k *auth.Key) { k.CreatedAt = ago(7 * day) }
	for _, c := range []struct {
		name string
		key  auth.Key
		use  auth.LastUse
		want string
	}{
		{"nothing", key(nil), recently, ""},

		{"never used, and old", key(old), never, "never_used"},
		{"never used, and not so old", key(func(k *auth.Key) { k.CreatedAt = ago(7*day - hair) }), never, ""},
		{"used, and old", key(old), recently, ""},
		{"never used, retiring", key(func(k *auth.Key) { old(k); k.RetiresAt = noon.Add(day) }), never, ""},

		{"idle", key(nil), used(90*day, day, "invoices:read"), "idle"},
		{"nearly idle", key(nil), used(90*day-hair, day, "invoices:read"), ""},
		{"idle, retiring", key(func(k *auth.Key) { k.RetiresAt = noon.Add(day) }), used(90*day, day, "invoices:read"), "idle"},
		{"used by a clock that was ahead", key(nil), used(-day, -day, "invoices:read"), ""},

		{"no expiry", key(func(k *auth.Key) { k.ExpiresAt = time.Time{} }), recently, "no_expiry"},
		{"no expiry, retiring", key(func(k *auth.Key) { k.ExpiresAt, k.RetiresAt = time.Time{}, noon.Add(day) }), recently, ""},

		{"expiring", key(func(k *auth.Key) { k.ExpiresAt = noon.Add(14 * day) }), recently, "expiring"},
		{"not yet expiring", key(func(k *auth.Key) { k.ExpiresAt = noon.Add(14*day + hair) }), recently, ""},
		{"at its last instant", key(func(k *auth.Key) { k.ExpiresAt = noon.Add(hair) }), recently, "expiring"},
		{"retiring, and expiring", key(func(k *auth.Key) { k.ExpiresAt, k.RetiresAt = noon.Add(day), noon.Add(2*day) }), recently, ""},

		{"broad", holding("invoices:read,parties:read"), used(0, 30*day, "invoices:read"), "too_broad parties:read -> invoices:read"},
		{"broad, not watched long enough", holding("invoices:read,parties:read"), used(0, 30*day-hair, "invoices:read"), ""},
		{"broad, never watched", holding("invoices:read,parties:read"), older, ""},
		{"writes, and only read", holding("invoices:write"), used(0, 30*day, "invoices:read"), "too_broad invoices:write -> invoices:read"},
		{"reads and writes, and only wrote", holding("invoices:read,invoices:write"), used(0, 30*day, "invoices:write"), ""},
		{"reads what it writes", holding("invoices:read,invoices:write,parties:write"), used(0, 30*day, "invoices:write"),
			"too_broad parties:read,parties:write -> invoices:read,invoices:write"},
		{"all, and used some", holding("*"), used(0, 30*day, "invoices:write", "parties:read"),
			"too_broad parties:write,api_keys:read,api_keys:write -> invoices:write,parties:read"},
		{"all, and used all", holding("*"), used(0, 30*day, "invoices:write", "parties:write", "api_keys:write"), ""},
		{"all by name, and used all", holding("invoices:read,invoices:write,parties:read,parties:write,api_keys:read,api_keys:write"),
			used(0, 30*day, "invoices:write", "parties:write", "api_keys:write"), ""},
		{"needed none", holding("parties:read"), used(0, 30*day), "too_broad parties:read -> "},
		{"narrowed since", holding("parties:read"), used(0, 30*day, "invoices:write", "parties:read"), ""},

		{"several", key(func(k *auth.Key) { old(k); k.ExpiresAt, k.Scopes = time.Time{}, auth.FullAccess }), used(90*day, 91*day, "invoices:read"),
			"idle; no_expiry; too_broad invoices:write,parties:read,parties:write,api_keys:read,api_keys:write -> invoices:read"},

		{"expired", key(func(k *auth.Key) { old(k); k.ExpiresAt = noon }), never, ""},
		{"revoked", key(func(k *auth.Key) { old(k); k.ExpiresAt, k.RevokedAt = time.Time{}, noon }), never, ""},
		{"retired", key(func(k *auth.Key) { k.RetiresAt = noon }), used(90*day, 90*day), ""},
	} {
		found := auth.Hygiene(&c.key, c.use, noon)
		for _, f := range found {
			if !slices.Contains(auth.FindingKinds(), f.Kind) {
				t.Errorf("%s: %s is in no list of kinds", c.name, f.Kind)
			}
		}
		if got := told(found); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, f := range found {
			if !c.key.Scopes.Covers(f.Narrower) {
				t.Errorf("%s: %s is wider than what the key holds", c.name, f.Narrower)
			}
		}
	}
}

// told is findings in words.
func told(found []auth.Finding) string {
	var words []string
	for _, f := range found {
		word := string(f.Kind)
		if f.Kind == auth.TooBroad {
			word += fmt.Sprintf(" %s -> %s", f.Unused, f.Narrower)
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

// BenchmarkHygiene looks at 10,000 keys, every fourth with a finding of each kind
// that go together, as a page does that counts them.
func BenchmarkHygiene(b *testing.B) {
	keys := slices.Repeat([]auth.Key{
		{Scopes: auth.FullAccess, CreatedAt: noon.AddDate(-1, 0, 0)},
		{Scopes: scopes(b, "invoices:read"), CreatedAt: noon, ExpiresAt: noon.AddDate(1, 0, 0)},
		{Scopes: scopes(b, "invoices:read"), CreatedAt: noon, ExpiresAt: noon.AddDate(0, 0, 5)},
		{Scopes: scopes(b, "invoices:read"), CreatedAt: noon, RevokedAt: noon},
	}, 2500)
	use := auth.LastUse{At: noon.AddDate(0, -4, 0), WatchedSince: noon.AddDate(-1, 0, 0), Scopes: scopes(b, "invoices:read")}
	n := 0
	for b.Loop() {
		n = 0
		for i := range keys {
			n += len(auth.Hygiene(&keys[i], use, noon))
		}
	}
	if want := 2500 * (3 + 1 + 2); n != want {
		b.Fatalf("%d findings, want %d", n, want)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/10000keys")
}
