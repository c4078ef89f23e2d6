package auth

import (
	"crypto/hmac"
	"crypto/sha256"
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

// SigningKeySize is the length of the secret of a SigningKey in bytes.
const SigningKeySize = 32

// SigningKey signs what a client keeps for a while and brings back: links, and what
// MAC is asked for. It prints as [redacted] in every form; Reveal alone shows
// the secret. The zero SigningKey signs and opens nothing.
type SigningKey struct{ secret *[SigningKeySize]byte }

// NewSigningKey is the key with that secret.
func NewSigningKey(secret [SigningKeySize]byte) SigningKey { return SigningKey{&secret} }

// MintSigningKey makes a new key.
func MintSigningKey(random io.Reader) (SigningKey, error) {
	var secret [SigningKeySize]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return SigningKey{}, fmt.Errorf("read randomness for a signing key: %w", err)
	}
	return NewSigningKey(secret), nil
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

// Sign is the text of a link, for a URL; "" from the zero key.
func (k SigningKey) Sign(l Link) string {
	if k.secret == nil {
		return ""
	}
	b := make([]byte, 0, linkLen)
	b = append(append(append(b, l.OrgID[:]...), l.InvoiceID[:]...), l.AttachmentID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Until.Unix()))
	return base64url.EncodeToString(append(b, k.mac(b)...))
}

// Open reads a link that Sign made and that is not over at now. It tells nothing
// about one that it refuses.
func (k SigningKey) Open(text string, now time.Time) (Link, bool) {
	b, ok := decodeExactly(text, linkLen)
	if k.secret == nil || !ok || !hmac.Equal(b[linkBody:], k.mac(b[:linkBody])) {
		return Link{}, false
	}
	l := Link{
		OrgID: uid.ID(b[:16]), InvoiceID: uid.ID(b[16:32]), AttachmentID: uid.ID(b[32:48]),
		Until: time.Unix(int64(binary.BigEndian.Uint64(b[48:linkBody])), 0).UTC(),
	}
	return l, now.Before(l.Until)
}

func (k SigningKey) mac(body []byte) []byte {
	return k.MAC(linkDomain, body)
}

// MACSize is the length of a MAC in bytes.
const MACSize = sha256.Size

// MAC is the HMAC-SHA-256 (RFC 2104) of the parts, which the caller keeps apart by
// their lengths. domain keeps it from being the MAC of anything else. The key must
// not be zero.
func (k SigningKey) MAC(domain string, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, k.secret[:])
	m.Write([]byte(domain))
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// IsZero reports whether there is no key.
func (k SigningKey) IsZero() bool { return k.secret == nil }

// Reveal is the secret itself, for the store to keep.
func (k SigningKey) Reveal() [SigningKeySize]byte { return *k.secret }

// String, Format, MarshalText and LogValue keep the secret out of every print.
func (k SigningKey) String() string { return redacted }

// Format prints [redacted] whatever the verb: %#v and %x would reach inside.
func (k SigningKey) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText keeps the secret out of encoders.
func (k SigningKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of logs.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(redacted) }
