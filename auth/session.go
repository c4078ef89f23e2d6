package auth

import (
	"crypto/sha256"
	"io"

	"exante/auth/uid"
)

// SessionName says where a session is recorded. It is no secret: the store finds
// the record by it, and only the secret beside it opens the session.
type SessionName struct{ OrgID, UserID, ID uid.ID }

// SessionToken is what a signed-in browser keeps: the name of its session and a
// secret of 256 bits. It prints as [redacted] in every form; Reveal alone shows it,
// for the cookie.
type SessionToken struct{ ticket }

// sessionPrefix is none: nobody sees the text but a browser and this program.
const sessionPrefix = ""

// MintSession makes the token of a new session. random nil means
// crypto/rand.Reader; it fails only if the source of randomness fails.
func MintSession(name SessionName, random io.Reader) (SessionToken, error) {
	t, err := mintTicket(sessionPrefix, "session", ticketName(name), random)
	return SessionToken{t}, err
}

// ParseSession reads what Reveal wrote. Whether there is such a session is for the
// store to say.
func ParseSession(text string) (SessionToken, bool) {
	t, ok := parseTicket(sessionPrefix, text)
	return SessionToken{t}, ok
}

// Name says where the session is recorded.
func (t SessionToken) Name() SessionName { return SessionName(t.name) }

// SessionDigest is SHA-256 of a whole token, which is all that is kept of it.
type SessionDigest [sha256.Size]byte

// Digest is what is kept of the token.
func (t SessionToken) Digest() SessionDigest { return t.digest() }

// Matches compares in constant time.
func (d SessionDigest) Matches(t SessionToken) bool { return t.matches(d) }
