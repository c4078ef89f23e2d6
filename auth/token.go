package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
)

// Environment is part of every token, so that a test key can never open a live
// instance.
type Environment string

// The two environments.
const (
	Live Environment = "live"
	Test Environment = "test"
)

// A token is prefix + random part + checksum, 46 bytes in all.
const (
	prefixLen   = len("ex_live_")
	randomLen   = 32 // base62: 190 bits
	checksumLen = 6  // base62, left-padded: holds 32 bits
	signedLen   = prefixLen + randomLen
	tokenLen    = signedLen + checksumLen
	snippetTail = 4
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// prefix is what every token of the environment begins with.
func (e Environment) prefix() string { return "ex_" + string(e) + "_" }

// Valid reports whether e is one of the two environments.
func (e Environment) Valid() bool { return e == Live || e == Test }

// Tag is the first 8 bytes of SHA-256(token): the index key that finds the
// record of a token. It gives away 64 of 190 random bits; the rest stays behind
// argon2id.
type Tag [8]byte

// digest is SHA-256 over a whole token. It opens nothing by itself but stays
// in memory: on disk it would be a fast hash of the secret.
type digest [sha256.Size]byte

func (d digest) tag() Tag { return Tag(d[:8]) }

const redacted = "[redacted]"

// Token is a whole secret. It prints as [redacted] in every form; Reveal alone
// shows it. The pointer is part of that: fmt does not ask the methods of a value
// that it meets in an unexported field, but prints no more of a pointer than
// its address.
type Token struct{ secret *string }

// Mint makes a new token. random nil means crypto/rand.Reader; it fails only
// if the source of randomness fails.
func Mint(env Environment, random io.Reader) (Token, error) {
	if random == nil {
		random = rand.Reader
	}
	text := append(make([]byte, 0, tokenLen), env.prefix()...)
	var one [1]byte
	for len(text) < signedLen {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return Token{}, fmt.Errorf("read randomness for a token: %w", err)
		}
		// 248 = 4*62: what lies above would favour the first letters.
		if one[0] < 248 {
			text = append(text, base62[one[0]%62])
		}
	}
	sum := crc32.ChecksumIEEE(text)
	text = text[:tokenLen]
	for i := tokenLen - 1; i >= signedLen; i-- {
		text[i] = base62[sum%62]
		sum /= 62
	}
	return newToken(string(text)), nil
}

// ParseToken accepts what Mint made for env, by shape and checksum alone, and
// answers ErrBadToken for everything else. It says nothing about whether such a
// key exists.
func ParseToken(env Environment, text string) (Token, error) {
	if len(text) != tokenLen || !wellFormed(env, []byte(text)) {
		return Token{}, ErrBadToken
	}
	return newToken(text), nil
}

// wellFormed is the first and cheapest gate: no hash, no look-up, no allocation.
// The checksum is no secret, so nothing here needs constant time.
func wellFormed(env Environment, text []byte) bool {
	if len(text) != tokenLen || string(text[:3]) != "ex_" || text[prefixLen-1] != '_' ||
		string(text[3:prefixLen-1]) != string(env) {
		return false
	}
	for i := prefixLen; i < signedLen; i++ {
		if digits[text[i]] < 0 {
			return false
		}
	}
	var sum int64
	for i := signedLen; i < tokenLen; i++ {
		d := digits[text[i]]
		if d < 0 {
			return false
		}
		sum = sum*62 + int64(d)
	}
	return sum == int64(crc32.ChecksumIEEE(text[:signedLen]))
}

// digits maps a byte to its value in base62, or to -1.
var digits = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i := range base62 {
		table[base62[i]] = int8(i)
	}
	return table
}()

func newToken(text string) Token { return Token{&text} }

// Reveal is the secret itself. Whoever calls it is responsible for where it goes.
func (t Token) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return *t.secret
}

// Snippet is the form that may be shown: the prefix and the last four characters.
func (t Token) Snippet() string {
	text := t.Reveal()
	if len(text) != tokenLen {
		return ""
	}
	return text[:prefixLen] + "..." + text[tokenLen-snippetTail:]
}

// Tag is the look-up tag of the token.
func (t Token) Tag() Tag { return t.digest().tag() }

func (t Token) digest() *digest {
	d := digest(sha256.Sum256([]byte(t.Reveal())))
	return &d
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.secret == nil }

// String, Format, MarshalText and LogValue keep the secret out of every print.
func (t Token) String() string { return redacted }

// Format prints [redacted] whatever the verb: %#v and %x would reach inside.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the secret out of encoders.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }
