package auth

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// Password is one as somebody typed it. What is hashed is to be in Unicode NFC (RFC
// 8265 §4.2), so that the same keys give the same bytes on every machine. It prints
// as [redacted] in every form; the pointer sees to it where fmt would not ask (see
// Token).
type Password struct{ text *string }

// NewPassword is the password with that text. Whether it may be chosen is for Weakness.
func NewPassword(text string) Password { return Password{&text} }

// The length of a password in characters: at least 8, and 64 must be possible
// (OWASP ASVS 6.2). The upper bound is one of work, not of strength.
const (
	minPassword = 8
	maxPassword = 256
)

// common are passwords that are tried first, one a line, in lower case: those that
// are known to be chosen most, the walks over a keyboard, and the seasons and
// names with a digit behind them. Shorter ones than may be chosen are left out.
//
//go:embed common.txt
var common string

// Weakness is why the password may not be chosen, "" if it may. There are no rules
// of composition: they make people write the same words with a 1 behind them.
func (p Password) Weakness() string {
	text := p.Reveal()
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	case n < minPassword || n > maxPassword:
		return fmt.Sprintf("must have %d to %d characters", minPassword, maxPassword)
	case strings.Contains("\n"+common, "\n"+strings.ToLower(text)+"\n"):
		return "is one that everybody tries first: choose another"
	}
	return ""
}

// inBounds reports whether there is anything to hash: it bounds the work for what
// a stranger sends. The list of common passwords does not count, for it grows, and
// who has chosen one before must still get in.
func (p Password) inBounds() bool {
	text := p.Reveal()
	return len(text) <= maxPassword*utf8.UTFMax && utf8.RuneCountInString(text) <= maxPassword && utf8.ValidString(text)
}

// HashPassword hashes a password with today's parameters; nobody has checked it.
// *BusyError when the gate is full, or ctx's error.
func (h *Hasher) HashPassword(ctx context.Context, p Password) (Hash, error) {
	var hash Hash
	err := h.run(ctx, &h.passwords, func() (err error) { hash, err = newHash(p.Reveal(), h.params); return err })
	return hash, err
}

// MatchesPassword reports whether hash was made from p. It takes as long for the
// zero Hash, that of a user who has none or does not exist, and for a password
// that nobody can have: then it matches nothing. *BusyError when the gate is full,
// or ctx's error.
func (h *Hasher) MatchesPassword(ctx context.Context, p Password, hash Hash) (bool, error) {
	possible := !hash.IsZero() && p.inBounds()
	if hash.IsZero() {
		hash = h.dummy
	}
	if !p.inBounds() {
		p = NewPassword("")
	}
	var ok bool
	err := h.run(ctx, &h.passwords, func() (err error) { ok, err = hash.matches(p.Reveal()); return err })
	return ok && possible, err
}

// Reveal is the password itself. Whoever calls it is responsible for where it goes.
func (p Password) Reveal() string {
	if p.text == nil {
		return ""
	}
	return *p.text
}

// String keeps the password out of prints.
func (p Password) String() string { return redacted }

// Format prints [redacted] whatever the verb.
func (p Password) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the password out of encoders.
func (p Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the password out of logs.
func (p Password) LogValue() slog.Value { return slog.StringValue(redacted) }
