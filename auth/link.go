package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"time"

	"exante/auth/uid"
)

// Link names one file of one organization for a while. Whoever has a signed one
// reads that file without an API key, and nothing else.
type Link struct {
	OrgID, InvoiceID, AttachmentID uid.ID
	Until                          time.Time // whole seconds; from then on it opens nothing
}

// LinkKeySize is the length of the secret of a LinkKey in bytes.
const LinkKeySize = 32

// LinkKey signs links. It prints as [redacted] in every form; Reveal alone shows
// the secret. The zero LinkKey signs and opens nothing.
type LinkKey struct{ secret *[LinkKeySize]byte }

// NewLinkKey is the key with that secret.
func NewLinkKey(secret [LinkKeySize]byte) LinkKey { return LinkKey{&secret} }

// MintLinkKey makes a new key.
func MintLinkKey(random io.Reader) (LinkKey, error) {
	var secret [LinkKeySize]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return LinkKey{}, fmt.Errorf("read randomness for a link key: %w", err)
	}
	return NewLinkKey(secret), nil
}

// A signed link is base64url, without padding, of
//
//	16 + 16 + 16 bytes  organization, invoice, attachment
//	8 bytes             Until in Unix seconds, big-endian
//	32 bytes            HMAC-SHA-256 of the domain and of all before it
const (
	linkBody   = 3*16 + 8
	linkLen    = linkBody + sha256.Size
	linkDomain = "exante link v1\x00" // keeps the MAC from being that of anything else
)

var linkText = base64.RawURLEncoding.Strict()

// Sign is the text of a link, for a URL; "" from the zero key.
func (k LinkKey) Sign(l Link) string {
	if k.secret == nil {
		return ""
	}
	b := make([]byte, 0, linkLen)
	b = append(append(append(b, l.OrgID[:]...), l.InvoiceID[:]...), l.AttachmentID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Until.Unix()))
	return linkText.EncodeToString(append(b, k.mac(b)...))
}

// Open reads a link that Sign made and that is not over at now. It tells nothing
// about one that it refuses.
func (k LinkKey) Open(text string, now time.Time) (Link, bool) {
	if k.secret == nil || len(text) != linkText.EncodedLen(linkLen) {
		return Link{}, false
	}
	b, err := linkText.DecodeString(text)
	if err != nil || !hmac.Equal(b[linkBody:], k.mac(b[:linkBody])) {
		return Link{}, false
	}
	l := Link{
		OrgID: uid.ID(b[:16]), InvoiceID: uid.ID(b[16:32]), AttachmentID: uid.ID(b[32:48]),
		Until: time.Unix(int64(binary.BigEndian.Uint64(b[48:linkBody])), 0).UTC(),
	}
	return l, now.Before(l.Until)
}

func (k LinkKey) mac(body []byte) []byte {
	m := hmac.New(sha256.New, k.secret[:])
	m.Write([]byte(linkDomain))
	m.Write(body)
	return m.Sum(nil)
}

// IsZero reports whether there is no key.
func (k LinkKey) IsZero() bool { return k.secret == nil }

// Reveal is the secret itself, for the store to keep.
func (k LinkKey) Reveal() [LinkKeySize]byte { return *k.secret }

// String, Format, MarshalText and LogValue keep the secret out of every print.
func (k LinkKey) String() string { return redacted }

// Format prints [redacted] whatever the verb: %#v and %x would reach inside.
func (k LinkKey) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the secret out of encoders.
func (k LinkKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of logs.
func (k LinkKey) LogValue() slog.Value { return slog.StringValue(redacted) }
