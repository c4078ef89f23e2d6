package server

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/input"
)

// length bounds a text in characters.
type length struct{ min, max int }

// text reads a string.
func (f *fields) text(name string, l length) *string {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	return f.checkText(name, v, l)
}

// textOrNull reads a string or null, which is the empty string.
func (f *fields) textOrNull(name string, l length) *string {
	if f.tookNull(name) {
		return new(string)
	}
	return f.text(name, l)
}

func (f *fields) checkText(name string, v jsontext.Value, l length) *string {
	s, ok := unquote(v)
	n := utf8.RuneCountInString(s)
	switch {
	case !ok:
		f.bad(name, "must be a string")
	case n < l.min && l.min == 1:
		f.bad(name, "must not be empty")
	case n < l.min || n > l.max:
		f.bad(name, "must have %d to %d characters", l.min, l.max)
	default:
		return &s
	}
	return nil
}

// tookNull takes the member if it is null.
func (f *fields) tookNull(name string) bool {
	for i := range f.members {
		if m := &f.members[i]; m.name == name && kindOf(m.value) == 'n' {
			m.read = true
			return true
		}
	}
	return false
}

// integer reads a whole number of the range. Its text must be digits: 1.0, 1e3
// and "30" are other types.
func (f *fields) integer(name string, min, max int64) *int64 {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if kindOf(v) != '0' || err != nil && !isDigits(v) {
		f.bad(name, "must be an integer")
		return nil
	}
	if err != nil || n < min || n > max {
		f.bad(name, "must be %d to %d", min, max)
		return nil
	}
	return &n
}

func isDigits(v []byte) bool {
	for i, c := range v {
		if (c < '0' || c > '9') && (i > 0 || c != '-') {
			return false
		}
	}
	return true
}

// cents reads an amount of at least 0.
func (f *fields) cents(name string) *billing.Cents {
	return (*billing.Cents)(f.integer(name, 0, int64(billing.MaxCents)))
}

// number hands the text of a JSON number to parse, so that it never passes through
// a float.
func number[T any](f *fields, name string, parse func(string) (T, error)) *T {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	if kindOf(v) != '0' {
		f.bad(name, "must be a number")
		return nil
	}
	n, err := parse(string(v))
	if err != nil {
		f.bad(name, "must be at least 0 and have at most 6 decimals")
		return nil
	}
	return &n
}

// word reads a string that parse knows; words lists what it knows.
func word[T any](f *fields, name string, parse func(string) (T, bool), words []string) *T {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	s, ok := unquote(v)
	if !ok {
		f.bad(name, "must be a string")
		return nil
	}
	w, ok := parse(s)
	if !ok {
		f.bad(name, "%s", input.OneOf(words))
		return nil
	}
	return &w
}

// id reads a uid that refers to another record.
func (f *fields) id(name string) *uid.ID {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	s, _ := unquote(v)
	id, err := uid.Parse(s)
	if err != nil {
		f.bad(name, "must be a uid")
		return nil
	}
	return &id
}

// idOrNull reads a uid or null, which is the zero ID.
func (f *fields) idOrNull(name string) *uid.ID {
	if f.tookNull(name) {
		return new(uid.ID)
	}
	return f.id(name)
}

// time reads an instant, to whole seconds.
func (f *fields) time(name string) *time.Time {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	s, _ := unquote(v)
	t, _, ok := input.Time(s)
	if !ok {
		f.bad(name, "must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23")
		return nil
	}
	return &t
}

// timeOrNull reads an instant or null, which is the zero time.
func (f *fields) timeOrNull(name string) *time.Time {
	if f.tookNull(name) {
		return new(time.Time)
	}
	return f.time(name)
}

// texts reads an array of 1 to limit strings.
func (f *fields) texts(name string, limit int) []string {
	v, sent := f.take(name)
	if !sent {
		return nil
	}
	if kindOf(v) != '[' {
		f.bad(name, "must be an array of strings")
		return nil
	}
	elements := elementsOf(v, limit)
	if len(elements) == 0 || len(elements) > limit {
		f.bad(name, "must have 1 to %d elements", limit)
		return nil
	}
	list := make([]string, 0, len(elements))
	for i, e := range elements {
		if s, ok := unquote(e); ok {
			list = append(list, s)
		} else {
			f.bad(fmt.Sprintf("%s[%d]", name, i), "must be a string")
		}
	}
	return list
}

// unquote is the text of a checked JSON string; false for another kind.
func unquote(v jsontext.Value) (string, bool) {
	if kindOf(v) != '"' {
		return "", false
	}
	text, err := jsontext.AppendUnquote(nil, v)
	return string(text), err == nil
}
