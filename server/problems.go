package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/input"
)

// problems gathers what is wrong with a body or a query, so that one answer names
// every mistake.
type problems struct{ list []input.Problem }

func (p *problems) add(path, format string, args ...any) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, input.Problem{Path: path, Reason: fmt.Sprintf(format, args...)})
	}
}

// err is nil when nothing is wrong.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &input.InvalidError{Problems: p.list}
}

// shortName shows a name that a client made up: as it is when it is a plain word,
// else quoted, so that it disturbs no terminal. A long one is cut: it may be a
// secret in the wrong place.
func shortName(name string) string {
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

// oneOf is the reason for a word outside of its list.
func oneOf(words []string) string { return "must be one of " + strings.Join(words, ", ") }

// nowhere is a uid that no record has: version 15 is never made. A malformed uid
// in a path or an array takes the way of an absent one, so both answer the same.
// n tells several of them apart.
func nowhere(n int) uid.ID {
	id := uid.ID{6: 0xff, 8: 0xff}
	id[14], id[15] = byte(n>>8), byte(n)
	return id
}

// idOrNowhere parses the uid of the thing that is acted on.
func idOrNowhere(text string, n int) uid.ID {
	id, err := uid.Parse(text)
	if err != nil {
		return nowhere(n)
	}
	return id
}

const dateOnly = len("2006-01-02")

// parseTime reads RFC 3339 with an offset, or a plain date, which is midnight UTC.
// A fraction of a second is dropped: answers have whole seconds, and what was
// answered must be no change when it is sent back. plain reports a plain date.
func parseTime(text string) (t time.Time, plain, ok bool) {
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
