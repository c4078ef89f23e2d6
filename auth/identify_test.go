package auth_test

import (
	"errors"
	"strings"
	"testing"

	"exante/auth"
)

func TestTokensAreFoundInWhateverIsAroundThem(t *testing.T) {
	live, test := mint(t, auth.Live).Reveal(), mint(t, auth.Test).Reveal()
	mistyped := []byte(live)
	mistyped[20] ^= 1
	for _, c := range []struct {
		name, text string
		want       []string
		broken     int
	}{
		{"alone", live, []string{live}, 0},
		{"on a line", live + "\n", []string{live}, 0},
		{"curl", `curl -H "Authorization: Bearer ` + live + `" https://books.example/api/invoices`, []string{live}, 0},
		{"JSON", `{"key":"` + live + `","next":"` + test + `"}`, []string{live, test}, 0},
		{"twice", live + " " + live, []string{live}, 0},
		{"glued", "KEY_" + live + "xyz", []string{live}, 0},
		{"beside another prefix", "ex_ex_live_" + live + "ex_", []string{live}, 1},
		{"escaped", `"` + live + `\n"`, []string{live}, 0},
		{"binary", "\x00\xff" + live + "\xff\x00", []string{live}, 0},
		{"mistyped", string(mistyped), nil, 1},
		{"cut off", live[:45], nil, 1},
		{"snippet", live[:8] + "..." + live[42:], nil, 1},
		{"another environment", "ex_prod_" + live[8:], nil, 0},
		{"junk", "ex_ exe_live ex-live", nil, 0},
		{"nothing", "", nil, 0},
		{"flood", strings.Repeat("ex_live_", 1<<17), nil, 1 << 17},
	} {
		got := auth.FindTokens([]byte(c.text))
		if len(got.Tokens) != len(c.want) || got.Broken != c.broken {
			t.Errorf("%s: %d tokens and %d broken, want %d and %d", c.name, len(got.Tokens), got.Broken, len(c.want), c.broken)
			continue
		}
		for i, token := range got.Tokens {
			if token.Reveal() != c.want[i] {
				t.Errorf("%s: another token was found", c.name)
			}
		}
	}
}

// A key is ours only if its hash says so: a tag is no proof, and a strange token
// costs no hash.
func TestKeyIsIdentifiedByItsHash(t *testing.T) {
	b := newBench(t, nil)
	k, r := b.key(t, func(k *auth.Key) { k.UserID, k.RevokedAt = newID(t), noon })
	b.ring.SetDisabled(k.UserID, true)
	ours := auth.FindTokens(r.Token).Tokens[0]
	if got, err := b.ring.Identify(t.Context(), b.hasher, ours); err != nil || got.ID != k.ID {
		t.Errorf("%+v, %v", got, err)
	}
	runs := b.hasher.Runs()
	if _, err := b.ring.Identify(t.Context(), b.hasher, mint(t, auth.Live)); !errors.Is(err, auth.ErrBadToken) || b.hasher.Runs() != runs {
		t.Errorf("a strange token: %v, %d hashes", err, b.hasher.Runs()-runs)
	}
	look := mint(t, auth.Live)
	b.key(t, func(k *auth.Key) { k.Tag = look.Tag() })
	if _, err := b.ring.Identify(t.Context(), b.hasher, look); !errors.Is(err, auth.ErrBadToken) || b.hasher.Runs() == runs {
		t.Errorf("a token with the tag of another: %v, %d hashes", err, b.hasher.Runs()-runs)
	}
}
