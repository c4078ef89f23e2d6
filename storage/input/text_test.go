package input_test

import (
	"strings"
	"testing"

	"exante/storage/input"
)

func TestTextIsCleanOrRefused(t *testing.T) {
	for _, c := range []struct{ in, want, reason string }{
		{"Acme", "Acme", ""},
		{"  Acme  ", "Acme", ""},
		{"Cafe\u0301", "Café", ""},
		{strings.Repeat("ä", 10), strings.Repeat("ä", 10), ""},
		{"日本語 株式会社", "日本語 株式会社", ""},
		{"", "", "must have 1 to 10 characters"},
		{"   ", "", "must have 1 to 10 characters"},
		{strings.Repeat("ä", 11), "", "must have 1 to 10 characters"},
		{strings.Repeat("x", 10_000), "", "must have 1 to 10 characters"},
		{"a\x00", "", "has a character that does not print (U+0000)"},
		{"a\nb", "", "has a character that does not print (U+000A)"},
		{"a\u202eb", "", "has a character that does not print (U+202E)"},
		{"a\u2066b", "", "has a character that does not print (U+2066)"},
		{"a\u200bb", "", "has a character that does not print (U+200B)"},
		{"a\u2028b", "", "has a character that does not print (U+2028)"},
		{"\xff", "", "is not valid UTF-8"},
	} {
		if got, reason := input.Text(c.in, 1, 10); got != c.want || reason != c.reason {
			t.Errorf("Text(%q) = %q, %q, want %q, %q", c.in, got, reason, c.want, c.reason)
		}
	}
}
