package auth

import (
	"crypto/sha256"
	"io"

	"exante/auth/uid"
)

// SetupName says where a setup link is recorded, and for which user it was made. It
// is no secret.
type SetupName struct{ OrgID, UserID, ID uid.ID }

// SetupToken is the end of a setup link, by which a user chooses his password once:
// a name and a secret of 256 bits. It prints as [redacted] in every form; Reveal
// alone shows it, for the link.
type SetupToken struct{ ticket }

// setupPrefix tells a person, and a scanner for leaked secrets, what was found.
const setupPrefix = "ex_setup_"

// MintSetup makes the token of a new setup link. random nil means
// crypto/rand.Reader; it fails only if the source of randomness fails.
func MintSetup(name SetupName, random io.Reader) (SetupToken, error) {
	t, err := mintTicket(setupPrefix, "setup link", ticketName(name), random)
	return SetupToken{t}, err
}

// ParseSetup reads what Reveal wrote. Whether there is such a link is for the store
// to say.
func ParseSetup(text string) (SetupToken, bool) {
	t, ok := parseTicket(setupPrefix, text)
	return SetupToken{t}, ok
}

// Name says where the link is recorded.
func (t SetupToken) Name() SetupName { return SetupName(t.name) }

// SetupDigest is SHA-256 of a whole token, which is all that is kept of it.
type SetupDigest [sha256.Size]byte

// Digest is what is kept of the token.
func (t SetupToken) Digest() SetupDigest { return t.digest() }

// Matches compares in constant time.
func (d SetupDigest) Matches(t SetupToken) bool { return t.matches(d) }
