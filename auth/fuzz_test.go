package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

// Whatever parses is spelt as Mint spells it, and Admit agrees with ParseToken.
func FuzzToken(f *testing.F) {
	token := mint(f, auth.Live).Reveal()
	for _, seed := range []string{"", token, token[:45], token + "x", "ex_live_", "ex_test_" + token[8:], strings.ToUpper(token), "\x00\xff"} {
		f.Add(seed)
	}
	b := newBench(f, nil)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := auth.ParseToken(auth.Live, text)
		if err == nil && (parsed.Reveal() != text || len(text) != 46 || strings.Trim(text[8:], alphabet) != "" || text[:8] != "ex_live_") {
			t.Errorf("ParseToken(%q) was accepted", text)
		}
		if err != nil && (!errors.Is(err, auth.ErrBadToken) || !parsed.IsZero()) {
			t.Errorf("ParseToken(%q) = %v", text, err)
		}
		if _, err := b.Admit(context.Background(), auth.Request{Token: []byte(text)}); !errors.Is(err, auth.ErrBadToken) {
			t.Errorf("Admit(%q) = %v", text, err)
		}
	})
}

// Whatever parses is within bounds, and reads the same when it is written again.
func FuzzLimits(f *testing.F) {
	for _, seed := range []string{"", "600/1m", "600/1m,20000/24h", "1/5124096h", "1/213504d", "1000000000/31d", "9/9s,9/9m,9/9h,9/9d", ",", "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		limits, err := auth.ParseLimits(text)
		if err != nil {
			if !errors.Is(err, auth.ErrBadLimits) || limits != nil {
				t.Errorf("ParseLimits(%q) = %v, %v", text, limits, err)
			}
			return
		}
		last := time.Duration(0)
		for _, w := range limits {
			if w.Limit < 1 || w.Limit > 1e9 || w.Every < time.Second || w.Every > 31*24*time.Hour || w.Every%time.Second != 0 || w.Every <= last {
				t.Errorf("ParseLimits(%q) has %+v", text, w)
			}
			last = w.Every
		}
		if again, err := auth.ParseLimits(limits.String()); err != nil || again.String() != limits.String() || len(limits) > 4 {
			t.Errorf("ParseLimits(%q) = %s, written and read %s, %v", text, limits, again, err)
		}
	})
}

// Whatever parses reads the same when it is written again, and covers itself.
func FuzzScopes(f *testing.F) {
	for _, seed := range []string{"", "*", "invoices:read", "invoices:write,api_keys:read", "*,*", ",", "invoices:read\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := auth.ParseScopes(strings.Split(text, ","))
		if err != nil {
			if !errors.Is(err, auth.ErrBadScopes) || set != 0 {
				t.Errorf("ParseScopes(%q) = %s, %v", text, set, err)
			}
			return
		}
		again, err := auth.ParseScopes(set.Names())
		if err != nil || again != set || set == 0 || !set.Covers(set) || !auth.FullAccess.Covers(set) {
			t.Errorf("ParseScopes(%q) = %s, written and read %s, %v", text, set, again, err)
		}
	})
}

// Whatever parses is one hash in one spelling, and asks for no more than is allowed.
func FuzzHash(f *testing.F) {
	h := newHasher(f, cheap)
	good, err := h.Hash(context.Background(), mint(f, auth.Live))
	if err != nil {
		f.Fatal(err)
	}
	phc := good.PHC()
	for _, seed := range []string{"", phc, phc + "=", phc[1:], strings.Replace(phc, "m=64", "m=99999999", 1), strings.Replace(phc, "t=1", "t=0", 1), "$$$$$"} {
		f.Add(seed)
	}
	strong := newHasher(f, auth.Params{MemoryKiB: 64 << 10, Iterations: 10, Parallelism: 4})
	f.Fuzz(func(t *testing.T, text string) {
		hash, err := auth.ParseHash(text)
		if err != nil {
			if !errors.Is(err, auth.ErrBadHash) || !hash.IsZero() {
				t.Errorf("ParseHash(%q) = %v", text, err)
			}
			return
		}
		if hash.PHC() != text || newHasher(t, auth.Params{MemoryKiB: 8, Iterations: 1, Parallelism: 1}).Outdated(hash) {
			t.Errorf("ParseHash(%q) reads %q", text, hash.PHC())
		}
		// Nothing that parses is stronger than the strongest that may be configured.
		if !strong.Outdated(hash) && !strings.HasPrefix(text, "$argon2id$v=19$m=65536,t=10,p=") {
			t.Errorf("ParseHash(%q) is out of bounds", text)
		}
	})
}
