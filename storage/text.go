package storage

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// cleanText is the one rule for names, numbers and other short texts: Unicode
// NFC, so that what looks the same is the same; no blanks at the ends; minChars to
// maxChars characters; nothing invisible. Control characters, line breaks and
// the bidirectional overrides would let a name lie about itself in a list.
// A reason says why the text was refused; it is empty otherwise.
func cleanText(text string, minChars, maxChars int) (clean, reason string) {
	if !utf8.ValidString(text) {
		return "", "is not valid UTF-8"
	}
	if len(text) > 4*utf8.UTFMax*maxChars {
		return "", fmt.Sprintf("must have %d to %d characters", minChars, maxChars)
	}
	clean = strings.TrimSpace(norm.NFC.String(text))
	for _, r := range clean {
		if !unicode.IsPrint(r) {
			return "", fmt.Sprintf("has a character that does not print (U+%04X)", r)
		}
	}
	if n := utf8.RuneCountInString(clean); n < minChars || n > maxChars {
		return "", fmt.Sprintf("must have %d to %d characters", minChars, maxChars)
	}
	return clean, ""
}
