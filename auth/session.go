package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"

	"exante/auth/uid"
)

// SessionName says where a session is recorded. It is no secret: the store finds
// the record by it, and only the secret beside it opens the session.
type SessionName struct{ OrgID, UserID, ID uid.ID }

// SessionToken is what a signed-in browser keeps: the name of its session and a
// secret of 256 bits. It prints as [redacted] in every form; Reveal alone shows it.
type SessionToken struct {
	name   SessionName
	secret *[sessionSecret]byte
}

// A token is base64url, without padding, of the three uids of its name and the
// secret.
const (
	sessionSecret = 32
	sessionLen    = 3*16 + sessionSecret
)

var sessionText = base64.RawURLEncoding.Strict()

// MintSession makes the token of a new session. random nil means
// crypto/rand.Reader; it fails only if the source of randomness fails.
func MintSession(name SessionName, random io.Reader) (SessionToken, error) {
	if random == nil {
		random = rand.Reader
	}
	t := SessionToken{name, new([sessionSecret]byte)}
	if _, err := io.ReadFull(random, t.secret[:]); err != nil {
		return SessionToken{}, fmt.Errorf("read randomness for a session: %w", err)
	}
	return t, nil
}

// ParseSession reads what Reveal wrote. Whether there is such a session is for the
// store to say.
func ParseSession(text string) (SessionToken, bool) {
	if len(text) != sessionText.EncodedLen(sessionLen) {
		return SessionToken{}, false
	}
	b, err := sessionText.DecodeString(text)
	if err != nil {
		return SessionToken{}, false
	}
	secret := [sessionSecret]byte(b[48:])
	return SessionToken{SessionName{uid.ID(b[:16]), uid.ID(b[16:32]), uid.ID(b[32:48])}, &secret}, true
}

// Name says where the session is recorded.
func (t SessionToken) Name() SessionName { return t.name }

// SessionDigest is SHA-256 of a whole token, which is all that is kept of it. The
// secret has 256 random bits, so nothing slower is needed.
type SessionDigest [sha256.Size]byte

// Digest is what is kept of the token.
func (t SessionToken) Digest() SessionDigest { return sha256.Sum256(t.bytes()) }

// Matches compares in constant time.
func (d SessionDigest) Matches(t SessionToken) bool {
	is := t.Digest()
	return t.secret != nil && subtle.ConstantTimeCompare(d[:], is[:]) == 1
}

func (t SessionToken) bytes() []byte {
	b := make([]byte, 0, sessionLen)
	b = append(append(append(b, t.name.OrgID[:]...), t.name.UserID[:]...), t.name.ID[:]...)
	if t.secret != nil {
		b = append(b, t.secret[:]...)
	}
	return b
}

// Reveal is the text of the token, for the cookie alone; "" of the zero token.
func (t SessionToken) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return sessionText.EncodeToString(t.bytes())
}

// String keeps the secret out of prints.
func (t SessionToken) String() string { return redacted }

// Format prints [redacted] whatever the verb.
func (t SessionToken) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the secret out of encoders.
func (t SessionToken) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of logs.
func (t SessionToken) LogValue() slog.Value { return slog.StringValue(redacted) }
