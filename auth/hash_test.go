package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"exante/auth"
)

func newHasher(tb testing.TB, p auth.Params) *auth.Hasher {
	tb.Helper()
	h, err := auth.NewHasher(auth.HasherOptions{Params: p})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestHashMatchesItsTokenAlone(t *testing.T) {
	h := newHasher(t, cheap)
	token, other := mint(t, auth.Live), mint(t, auth.Live)
	hash, err := h.Hash(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash.PHC(), "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("the parameters are not the configured ones: %.28s", hash.PHC())
	}
	stored, err := auth.ParseHash(hash.PHC())
	if err != nil || stored.PHC() != hash.PHC() {
		t.Fatalf("ParseHash of its own: %v", err)
	}
	for _, c := range []struct {
		token auth.Token
		want  bool
	}{{token, true}, {other, false}, {auth.Token{}, false}} {
		if got, err := h.Matches(context.Background(), c.token, stored); got != c.want || err != nil {
			t.Errorf("Matches = %t, %v, want %t", got, err, c.want)
		}
	}
	again, _ := h.Hash(context.Background(), token)
	if again.PHC() == hash.PHC() {
		t.Error("two hashes share a salt")
	}
	if h.Runs() != 5 {
		t.Errorf("Runs() = %d, want 5", h.Runs())
	}
	if ok, err := h.Matches(context.Background(), token, auth.Hash{}); ok || !errors.Is(err, auth.ErrBadHash) {
		t.Errorf("Matches against no hash = %t, %v", ok, err)
	}
}

// What a damaged or forged record asks for is never computed.
func TestStoredHashesAreBounded(t *testing.T) {
	h := newHasher(t, cheap)
	good, err := h.Hash(context.Background(), mint(t, auth.Live))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good.PHC(), "$") // "", argon2id, v=19, m=64,t=1,p=1, salt, key
	with := func(at int, value string) string {
		changed := append([]string(nil), parts...)
		changed[at] = value
		return strings.Join(changed, "$")
	}
	for name, c := range map[string]struct{ phc, want string }{
		"empty":             {"", "not argon2id in PHC form"},
		"argon2i":           {with(1, "argon2i"), "not argon2id in PHC form"},
		"version":           {with(2, "v=16"), "not argon2id in PHC form"},
		"no version":        {with(2, ""), "not argon2id in PHC form"},
		"terabytes":         {with(3, "m=4294967295,t=1,p=1"), "argon2id memory 4294967295 KiB is not in 8..65536"},
		"64 MiB and 1 KiB":  {with(3, "m=65537,t=1,p=1"), "argon2id memory 65537 KiB is not in 8..65536"},
		"beyond 32 bits":    {with(3, "m=4294967296,t=1,p=1"), "not argon2id in PHC form"},
		"no memory":         {with(3, "m=0,t=1,p=1"), "argon2id memory 0 KiB is not in 8..65536"},
		"less than a lane":  {with(3, "m=31,t=1,p=4"), "argon2id memory 31 KiB is not in 32..65536"},
		"no iterations":     {with(3, "m=64,t=0,p=1"), "argon2id iterations 0 are not in 1..10"},
		"iterations":        {with(3, "m=64,t=11,p=1"), "argon2id iterations 11 are not in 1..10"},
		"no lanes":          {with(3, "m=64,t=1,p=0"), "argon2id parallelism 0 is not in 1..4"},
		"lanes":             {with(3, "m=64,t=1,p=5"), "argon2id parallelism 5 is not in 1..4"},
		"negative":          {with(3, "m=-64,t=1,p=1"), "not argon2id in PHC form"},
		"surplus parameter": {with(3, "m=64,t=1,p=1,q=1"), "spelt another way"},
		"leading zero":      {with(3, "m=064,t=1,p=1"), "spelt another way"},
		"before the start":  {"x" + good.PHC(), "spelt another way"},
		"line break":        {with(4, parts[4]+"\n"), "spelt another way"},
		"short salt":        {with(4, "c2FsdA"), "salt of 4 and key of 32 bytes"},
		"short key":         {with(5, "c2FsdA"), "salt of 16 and key of 4 bytes"},
		"long key":          {with(5, parts[5]+"AAAA"), "salt of 16 and key of 35 bytes"},
		"not base64":        {with(5, strings.Repeat("!", 43)), "not argon2id in PHC form"},
		"padded":            {good.PHC() + "=", "not argon2id in PHC form"},
		"surplus part":      {good.PHC() + "$x", "not argon2id in PHC form"},
		"huge":              {with(5, strings.Repeat("A", 1<<20)), "key of 786432 bytes"},
	} {
		hash, err := auth.ParseHash(c.phc)
		if !errors.Is(err, auth.ErrBadHash) || !hash.IsZero() || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: ParseHash = %v, want %s", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), parts[5]) {
			t.Errorf("%s: the error tells the hash", name)
		}
	}
}

func TestParamsAreValidated(t *testing.T) {
	for _, c := range []struct {
		p    auth.Params
		want string
	}{
		{auth.DefaultParams(), ""},
		{auth.Params{MemoryKiB: 65536, Iterations: 10, Parallelism: 4}, ""},
		{auth.Params{MemoryKiB: 8, Iterations: 1, Parallelism: 1}, ""},
		{auth.Params{MemoryKiB: 7, Iterations: 1, Parallelism: 1}, "argon2id memory 7 KiB is not in 8..65536"},
		{auth.Params{MemoryKiB: 64, Iterations: 1}, "argon2id parallelism 0 is not in 1..4"},
		{auth.Params{MemoryKiB: 64, Parallelism: 1}, "argon2id iterations 0 are not in 1..10"},
	} {
		_, err := auth.NewHasher(auth.HasherOptions{Params: c.p})
		if got := errText(err); got != c.want {
			t.Errorf("NewHasher(%+v): %q, want %q", c.p, got, c.want)
		}
	}
	if p := auth.DefaultParams(); p != (auth.Params{MemoryKiB: 19456, Iterations: 2, Parallelism: 1}) {
		t.Errorf("DefaultParams() = %+v", p)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestOutdatedIsWeakerInAnyRespect(t *testing.T) {
	today := newHasher(t, auth.Params{MemoryKiB: 64, Iterations: 2, Parallelism: 1})
	for _, c := range []struct {
		p    auth.Params
		want bool
	}{
		{auth.Params{MemoryKiB: 64, Iterations: 2, Parallelism: 1}, false},
		{auth.Params{MemoryKiB: 128, Iterations: 3, Parallelism: 1}, false},
		{auth.Params{MemoryKiB: 32, Iterations: 2, Parallelism: 1}, true},
		{auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, true},
		{auth.Params{MemoryKiB: 128, Iterations: 1, Parallelism: 1}, true},
	} {
		hash, err := newHasher(t, c.p).Hash(context.Background(), mint(t, auth.Live))
		if err != nil {
			t.Fatal(err)
		}
		if got := today.Outdated(hash); got != c.want {
			t.Errorf("Outdated(%+v) = %t, want %t", c.p, got, c.want)
		}
	}
}
