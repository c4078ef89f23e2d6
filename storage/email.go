package storage

import (
	"strings"
	"unicode"
)

// maxEmail is the length of an e-mail address in bytes (RFC 5321).
const maxEmail = 254

// cleanEmail returns an address as it is kept and compared, in lower case, or
// why it is refused. Whether it receives mail nobody can tell by looking.
func cleanEmail(text string) (clean, reason string) {
	if clean, reason = cleanText(text, 3, maxEmail); reason != "" {
		return "", reason
	}
	clean = strings.ToLower(clean)
	local, domain, _ := strings.Cut(clean, "@")
	if local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(clean, unicode.IsSpace) || len(clean) > maxEmail {
		return "", "must be an e-mail address of at most 254 bytes"
	}
	return clean, ""
}
