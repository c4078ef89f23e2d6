package auth

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
)

// Params are the costs of new argon2id hashes (RFC 9106). The defaults are the
// OWASP minimum.
type Params struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
}

// Salt and key length in bytes, of every hash that is made or accepted.
const (
	saltLen = 16
	keyLen  = 32
)

// The most that a hash may ask of this machine, whatever its text says: a
// stored hash is obeyed when it is checked, and could ask for terabytes.
const (
	maxMemoryKiB   = 64 << 10
	maxIterations  = 10
	maxParallelism = 4
)

// DefaultParams are m=19456 KiB, t=2, p=1: about 40 ms on one core.
func DefaultParams() Params { return Params{MemoryKiB: 19456, Iterations: 2, Parallelism: 1} }

// Validate refuses what argon2id does not define or what is out of bounds. Its
// lower bounds are argon2id's own, so that tests can be cheap: what is worth
// calling a hash in production is for the configuration to say.
func (p Params) Validate() error {
	switch {
	case p.Parallelism < 1 || p.Parallelism > maxParallelism:
		return fmt.Errorf("argon2id parallelism %d is not in 1..%d", p.Parallelism, maxParallelism)
	case p.Iterations < 1 || p.Iterations > maxIterations:
		return fmt.Errorf("argon2id iterations %d are not in 1..%d", p.Iterations, maxIterations)
	case p.MemoryKiB < 8*uint32(p.Parallelism) || p.MemoryKiB > maxMemoryKiB:
		return fmt.Errorf("argon2id memory %d KiB is not in %d..%d", p.MemoryKiB, 8*uint32(p.Parallelism), maxMemoryKiB)
	}
	return nil
}

// Hash is an argon2id hash in PHC form. It prints as [redacted]; the pointer
// sees to it where fmt would not ask (see Token).
type Hash struct {
	phc    *string
	params Params
}

// ParseHash checks a stored hash and its parameters before anything obeys
// them; ErrBadHash. It accepts one spelling, the one that is written here.
func ParseHash(phc string) (Hash, error) {
	p, salt, key, err := argon2id.DecodeHash(phc)
	if err != nil {
		return Hash{}, fmt.Errorf("%w: not argon2id in PHC form", ErrBadHash)
	}
	params := Params{MemoryKiB: p.Memory, Iterations: p.Iterations, Parallelism: p.Parallelism}
	if err := params.Validate(); err != nil {
		return Hash{}, fmt.Errorf("%w: %w", ErrBadHash, err)
	}
	if len(salt) != saltLen || len(key) != keyLen {
		return Hash{}, fmt.Errorf("%w: salt of %d and key of %d bytes", ErrBadHash, len(salt), len(key))
	}
	if phc != phcOf(params, salt, key) {
		return Hash{}, fmt.Errorf("%w: spelt another way than it is written", ErrBadHash)
	}
	return Hash{&phc, params}, nil
}

func phcOf(p Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MemoryKiB,
		p.Iterations, p.Parallelism, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// dummyHash is a hash that was made from nothing: a random key behind a random salt.
func dummyHash(p Params) (Hash, error) {
	var random [saltLen + keyLen]byte
	if _, err := rand.Read(random[:]); err != nil {
		return Hash{}, fmt.Errorf("read randomness for a hash: %w", err)
	}
	phc := phcOf(p, random[:saltLen], random[saltLen:])
	return Hash{&phc, p}, nil
}

// PHC is the hash itself, for the store.
func (h Hash) PHC() string {
	if h.phc == nil {
		return ""
	}
	return *h.phc
}

// IsZero reports whether there is no hash.
func (h Hash) IsZero() bool { return h.phc == nil }

// same reports whether both are the same hash, by salt and all.
func (h Hash) same(o Hash) bool { return h.phc == o.phc || h.PHC() == o.PHC() }

// String keeps the hash out of prints.
func (h Hash) String() string { return redacted }

// Format prints [redacted] whatever the verb.
func (h Hash) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the hash out of encoders.
func (h Hash) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the hash out of logs.
func (h Hash) LogValue() slog.Value { return slog.StringValue(redacted) }

// weaker reports whether p costs an attacker less than q in any respect.
func (p Params) weaker(q Params) bool {
	return p.MemoryKiB < q.MemoryKiB || p.Iterations < q.Iterations
}

// newHash computes a hash with a fresh salt. It costs what p says: only the
// Hasher calls it.
func newHash(text string, p Params) (Hash, error) {
	phc, err := argon2id.CreateHash(text, &argon2id.Params{
		Memory: p.MemoryKiB, Iterations: p.Iterations, Parallelism: p.Parallelism,
		SaltLength: saltLen, KeyLength: keyLen,
	})
	if err != nil {
		return Hash{}, fmt.Errorf("hash a secret: %w", err)
	}
	return Hash{&phc, p}, nil
}

// matches computes text's hash with h's salt and parameters and compares in
// constant time. Only the Hasher calls it.
func (h Hash) matches(text string) (bool, error) {
	ok, err := argon2id.ComparePasswordAndHash(text, h.PHC())
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrBadHash, err)
	}
	return ok, nil
}
