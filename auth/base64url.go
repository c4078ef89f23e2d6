package auth

import "encoding/base64"

// base64url is RFC 4648 §5 without padding, in its one spelling.
var base64url = base64.RawURLEncoding.Strict()

// decodeExactly reads the text of n bytes. The decoder of the library leaves line
// breaks out, so a text of the right length may hold fewer bytes.
func decodeExactly(text string, n int) ([]byte, bool) {
	if len(text) != base64url.EncodedLen(n) {
		return nil, false
	}
	b, err := base64url.DecodeString(text)
	return b, err == nil && len(b) == n
}
