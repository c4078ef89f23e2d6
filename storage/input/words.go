package input

import (
	"strconv"
	"strings"
)

// ShortName shows a name that a client made up: as it is when it is a plain word,
// else quoted, so that it disturbs no terminal. A long one is cut: it may be a
// secret in the wrong place.
func ShortName(name string) string {
	const most, kept = 32, 16
	if runes := []rune(name); len(runes) > most {
		return strconv.Quote(string(runes[:kept]) + "…")
	}
	for _, c := range name {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return strconv.Quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// OneOf is the reason for a word outside of its list.
func OneOf(words []string) string { return "must be one of " + strings.Join(words, ", ") }
