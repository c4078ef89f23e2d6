package auth

import (
	"bytes"
	"context"
)

// Identify is the current record of the key whose secret t is, whatever its state;
// ErrBadToken if there is none. Only a token with a known tag costs a hash.
func (r *Keyring) Identify(ctx context.Context, h *Hasher, t Token) (*Key, error) {
	for _, live := range r.withTag(t.Tag()) {
		ok, err := h.Matches(ctx, t, live.record.Load().Hash)
		if err != nil {
			return nil, err
		}
		if ok {
			return live.record.Load(), nil
		}
	}
	return nil, ErrBadToken
}

// Scan is what FindTokens saw.
type Scan struct {
	Tokens []Token // whole ones of either environment, each once, in the order they came
	Broken int     // places that begin like a token, and have another checksum, or too few characters
}

// FindTokens looks for tokens in a text that has more around them, such as a line of
// a log. It is looser than the published expression: it takes a token that something
// is glued to, for its checksum tells.
func FindTokens(text []byte) Scan {
	var s Scan
	seen := map[Tag]bool{}
	for {
		at := bytes.Index(text, []byte("ex_"))
		if at < 0 {
			return s
		}
		text = text[at:]
		env, begins := environmentOf(text)
		switch {
		case !begins:
		case len(text) >= tokenLen && wellFormed(env, text[:tokenLen]):
			t := newToken(string(text[:tokenLen]))
			if tag := t.Tag(); !seen[tag] {
				seen[tag] = true
				s.Tokens = append(s.Tokens, t)
			}
		default:
			s.Broken++
		}
		text = text[len("ex_"):]
	}
}

// environmentOf is that of the token which text begins with, as far as its prefix says.
func environmentOf(text []byte) (Environment, bool) {
	for _, env := range []Environment{Live, Test} {
		if bytes.HasPrefix(text, []byte(env.prefix())) {
			return env, true
		}
	}
	return "", false
}
