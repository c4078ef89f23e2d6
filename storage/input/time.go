package input

import (
	"strings"
	"time"
)

const dateOnly = len("2006-01-02")

// Time reads RFC 3339 with an offset, or a plain date, which is midnight UTC.
// A fraction of a second is dropped: answers have whole seconds, and what was
// answered must be no change when it is sent back. plain reports a plain date.
func Time(text string) (t time.Time, plain, ok bool) {
	if plain = len(text) == dateOnly; plain {
		text += "T00:00:00Z"
	}
	text = strings.ToUpper(text) // RFC 3339 §5.6 permits t and z
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !isStrict(text) {
		return time.Time{}, plain, false
	}
	t = t.UTC().Truncate(time.Second)
	return t, plain, t.Year() >= 1 && t.Year() <= 9999 && !t.IsZero()
}

// isStrict refuses what time.Parse takes beyond RFC 3339 (go.dev/issue/54580): an
// hour of one digit, a comma before the fraction, offsets of a day and more.
func isStrict(text string) bool {
	if text[len("2006-01-02T15")] != ':' || strings.Contains(text, ",") {
		return false
	}
	if text[len(text)-1] == 'Z' {
		return true
	}
	offset := text[len(text)-len("07:00"):]
	return offset[:2] < "24" && offset[3:] < "60"
}
