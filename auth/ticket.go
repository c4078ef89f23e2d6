package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"exante/auth/uid"
)

// ticket is what lets somebody in without a password: the name of a record and a
// secret of 256 bits. SessionToken and SetupToken are the kinds of it. It prints as
// [redacted] in every form; Reveal alone shows it.
type ticket struct {
	prefix string // of its text and of what is hashed: no two kinds have the same
	name   ticketName
	secret *[ticketSecret]byte // nil: the zero ticket, which opens nothing
}

// ticketName says where a ticket is recorded.
type ticketName struct{ OrgID, UserID, ID uid.ID }

// A ticket's text is its prefix, then base64url, without padding, of the three uids
// of its name and the secret.
const (
	ticketSecret = 32
	ticketLen    = 3*16 + ticketSecret
)

// mintTicket makes a ticket of the kind that prefix says; what names the kind in an
// error. random nil means crypto/rand.Reader.
func mintTicket(prefix, what string, name ticketName, random io.Reader) (ticket, error) {
	if random == nil {
		random = rand.Reader
	}
	t := ticket{prefix, name, new([ticketSecret]byte)}
	if _, err := io.ReadFull(random, t.secret[:]); err != nil {
		return ticket{}, fmt.Errorf("read randomness for a %s: %w", what, err)
	}
	return t, nil
}

// parseTicket reads what Reveal wrote of a ticket of that kind. The length is looked
// at first: it bounds the work for what a stranger sends.
func parseTicket(prefix, text string) (ticket, bool) {
	text, has := strings.CutPrefix(text, prefix)
	b, ok := decodeExactly(text, ticketLen)
	if !has || !ok {
		return ticket{}, false
	}
	secret := [ticketSecret]byte(b[48:])
	return ticket{prefix, ticketName{uid.ID(b[:16]), uid.ID(b[16:32]), uid.ID(b[32:48])}, &secret}, true
}

// digest is SHA-256 of the whole ticket with its prefix. The secret has 256 random
// bits, so nothing slower is needed.
func (t ticket) digest() [sha256.Size]byte { return sha256.Sum256(t.bytes()) }

// matches compares in constant time.
func (t ticket) matches(digest [sha256.Size]byte) bool {
	is := t.digest()
	return t.secret != nil && subtle.ConstantTimeCompare(digest[:], is[:]) == 1
}

func (t ticket) bytes() []byte {
	b := append(make([]byte, 0, len(t.prefix)+ticketLen), t.prefix...)
	b = append(append(append(b, t.name.OrgID[:]...), t.name.UserID[:]...), t.name.ID[:]...)
	if t.secret != nil {
		b = append(b, t.secret[:]...)
	}
	return b
}

// Reveal is the text of the token, for whom it lets in alone; "" of the zero token.
func (t ticket) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return t.prefix + base64url.EncodeToString(t.bytes()[len(t.prefix):])
}

// String keeps the secret out of prints.
func (t ticket) String() string { return redacted }

// Format prints [redacted] whatever the verb.
func (t ticket) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the secret out of encoders.
func (t ticket) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of logs.
func (t ticket) LogValue() slog.Value { return slog.StringValue(redacted) }
