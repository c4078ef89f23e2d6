package input

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Text is the one rule for names, numbers and other short texts: Unicode
// NFC, so that what looks the same is the same; no blanks at the ends; minChars to
// maxChars characters; nothing invisible. Control characters, line breaks and
// the bidirectional overrides would let a name lie about itself in a list.
// A reason says why the text was refused; it is empty otherwise.
func Text(text string, minChars, maxChars int) (clean, reason string) {
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

// Lines is the rule for a text of several lines: each as Text has it, up to
// maxChars characters in all.
func Lines(text string, maxChars int) (clean, reason string) {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	for i, line := range lines {
		if lines[i], reason = Text(line, 0, maxChars); reason != "" {
			return "", reason
		}
	}
	clean = strings.Join(lines, "\n")
	if utf8.RuneCountInString(clean) > maxChars {
		return "", fmt.Sprintf("must have 0 to %d characters", maxChars)
	}
	return clean, ""
}

// maxEmail is the length of an e-mail address in bytes (RFC 5321).
const maxEmail = 254

// Email returns an address as it is kept and compared, in lower case, or
// why it is refused. Whether it receives mail nobody can tell by looking.
func Email(text string) (clean, reason string) {
	if clean, reason = Text(text, 3, maxEmail); reason != "" {
		return "", reason
	}
	clean = strings.ToLower(clean)
	local, domain, _ := strings.Cut(clean, "@")
	if local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(clean, unicode.IsSpace) || len(clean) > maxEmail {
		return "", "must be an e-mail address of at most 254 bytes"
	}
	return clean, ""
}

// NFC is text with what looks the same being the same, and nothing else changed: for
// what is compared and never shown, such as a password.
func NFC(text string) string { return norm.NFC.String(text) }

// Fold is the form in which texts are compared and searched: composed, and
// without case by the rules of Unicode rather than of one language.
func Fold(text string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(text))) }
