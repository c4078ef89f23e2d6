package billing

import (
	"fmt"
	"strconv"
	"strings"

	"exante/storage/input"
)

// DefaultNumberPattern gives INV-2026-000001.
const DefaultNumberPattern = "INV-{YYYY}-{SEQ:6}"

// MaxNumber is the length of an invoice number in characters.
const MaxNumber = 64

const yearPlace = "{YYYY}"

// NumberPattern is how the numbers of an organization's own series look.
type NumberPattern struct {
	head, tail string // around the sequence; one of them may hold yearPlace
	digits     int    // of the sequence, at least
}

// ParseNumberPattern reads text with {SEQ} or {SEQ:n} (at least n digits, 1 to
// 12) once and {YYYY} at most once, that gives clean text of at most 64
// characters. The error says what is wrong with it.
func ParseNumberPattern(text string) (NumberPattern, error) {
	fail := func(reason string) (NumberPattern, error) {
		return NumberPattern{}, fmt.Errorf("%q %s", text, reason)
	}
	head, rest, found := strings.Cut(text, "{SEQ")
	format, tail, closed := strings.Cut(rest, "}")
	p := NumberPattern{head, tail, 1}
	if width, given := strings.CutPrefix(format, ":"); given {
		p.digits, _ = strconv.Atoi(width)
	} else if format != "" {
		closed = false
	}
	switch longest := p.Number(2026, 1_000_000_000_000); {
	case !found || !closed || p.digits < 1 || p.digits > 12:
		return fail("must have {SEQ} or {SEQ:n}, n from 1 to 12")
	case strings.ContainsAny(strings.Replace(head+tail, yearPlace, "", 1), "{}"):
		return fail("may have {YYYY} and {SEQ} once, and no other brace")
	default:
		if clean, reason := input.Text(longest, 1, MaxNumber); reason != "" || clean != longest {
			return fail("gives numbers that are no clean text of at most 64 characters")
		}
	}
	return p, nil
}

// Number is the number with that place in the series.
func (p NumberPattern) Number(year int, series uint64) string {
	y := fmt.Sprintf("%04d", year)
	return fmt.Sprintf("%s%0*d%s", strings.ReplaceAll(p.head, yearPlace, y), p.digits, series,
		strings.ReplaceAll(p.tail, yearPlace, y))
}

// Matches reports whether some year and place give this number.
func (p NumberPattern) Matches(number string) bool {
	rest, ok := cutTemplate(number, p.head)
	if !ok {
		return false
	}
	tail := len(strings.Replace(p.tail, yearPlace, "YYYY", 1))
	if len(rest) < tail {
		return false
	}
	sequence, ending := rest[:len(rest)-tail], rest[len(rest)-tail:]
	if _, ok := cutTemplate(ending, p.tail); !ok {
		return false
	}
	return isDigits(sequence) && (len(sequence) == p.digits || len(sequence) > p.digits && sequence[0] != '0')
}

// cutTemplate takes from the front of text what template stands for.
func cutTemplate(text, template string) (rest string, ok bool) {
	before, after, hasYear := strings.Cut(template, yearPlace)
	if text, ok = strings.CutPrefix(text, before); !ok || !hasYear {
		return text, ok
	}
	if len(text) < 4 || !isDigits(text[:4]) {
		return text, false
	}
	return strings.CutPrefix(text[4:], after)
}
