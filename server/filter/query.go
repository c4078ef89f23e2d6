package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
)

const (
	maxPage        = 1_000_000_000
	maxPerPage     = 100
	defaultPerPage = 10
	maxParameters  = 64
	maxValues      = 100 // of one parameter
	maxProblems    = 100 // told in one answer
)

// Query reads the parameters of one request, and gathers what is wrong with them.
// What nobody asked for is reported: a filter that is silently dropped would leak
// rows.
type Query struct {
	params  []parameter
	refused input.Refusals
}

type parameter struct {
	name, value string
	read        bool
}

// Read splits and decodes a raw query string. A parameter may be given once;
// several values are separated by commas.
func Read(raw []byte) *Query {
	q := &Query{}
	for part := range strings.SplitSeq(string(raw), "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		switch {
		case nameErr != nil || !isText(name):
			q.Refuse("query", "holds a name that is not percent-encoded UTF-8")
		case valueErr != nil || !isText(value):
			q.Refuse(input.ShortName(name), "is not percent-encoded UTF-8")
		case len(q.params) == maxParameters:
			q.Refuse("query", "has more than %d parameters", maxParameters)
			return q
		case slices.ContainsFunc(q.params, func(p parameter) bool { return p.name == name }):
			q.Refuse(input.ShortName(name), "is given twice")
		default:
			q.params = append(q.params, parameter{name: name, value: value})
		}
	}
	return q
}

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Done reports every parameter that was not read, and returns all problems.
func (q *Query) Done() error {
	for _, p := range q.params {
		if !p.read {
			q.Refuse(input.ShortName(p.name), "is not a known parameter")
		}
	}
	return q.refused.Err()
}

// Refuse says what is wrong with a parameter.
func (q *Query) Refuse(name, format string, args ...any) {
	if len(q.refused) < maxProblems {
		q.refused.Add(name, fmt.Sprintf(format, args...))
	}
}

// Take finds a parameter; an empty value is reported, for it would filter nothing.
func (q *Query) Take(name string) (string, bool) {
	v, sent := q.TakeEmpty(name)
	if sent && v == "" {
		q.Refuse(name, "must not be empty")
	}
	return v, v != ""
}

// TakeEmpty finds a parameter whose empty value means something.
func (q *Query) TakeEmpty(name string) (value string, sent bool) {
	for i := range q.params {
		if p := &q.params[i]; p.name == name {
			p.read = true
			return p.value, true
		}
	}
	return "", false
}

// Text reads a value of at most max characters.
func (q *Query) Text(name string, max int) string {
	v, _ := q.Take(name)
	if utf8.RuneCountInString(v) > max {
		q.Refuse(name, "must have at most %d characters", max)
	}
	return v
}

// Integer reads a whole number of the range, or returns def.
func (q *Query) Integer(name string, min, max, def int64) (n int64, sent bool) {
	v, sent := q.Take(name)
	if !sent {
		return def, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < min || n > max || v[0] == '+' {
		q.Refuse(name, "must be an integer from %d to %d", min, max)
		return def, false
	}
	return n, true
}

// Page reads page and per_page.
func (q *Query) Page() (page, perPage int) {
	p, _ := q.Integer("page", 1, maxPage, 1)
	per, _ := q.Integer("per_page", 1, maxPerPage, defaultPerPage)
	return int(p), int(per)
}

// Sort reads "field", "+field" or "-field". A plus sign arrives as a space.
func (q *Query) Sort(fields []string, def string) (field string, desc bool) {
	v, sent := q.Take("sort")
	if !sent {
		v = def
	}
	field = strings.TrimLeft(v, " +-")
	desc = v[0] == '-'
	if len(v)-len(field) > 1 || !slices.Contains(fields, field) {
		q.Refuse("sort", "%s, after a minus sign for descending order", input.OneOf(fields))
	}
	return field, desc
}

// List reads several values separated by commas.
func List[T any](q *Query, name string, parse func(string) (T, bool), want string) []T {
	v, sent := q.Take(name)
	if !sent {
		return nil
	}
	var values []T
	for part := range strings.SplitSeq(v, ",") {
		value, ok := parse(part)
		switch {
		case !ok:
			q.Refuse(name, "%s", want)
			return nil
		case len(values) == maxValues:
			q.Refuse(name, "must have at most %d values", maxValues)
			return nil
		}
		values = append(values, value)
	}
	return values
}

func parseID(s string) (uid.ID, bool) {
	id, err := uid.Parse(s)
	return id, err == nil
}

// Instant reads a time. As the end of a range, which is inclusive, a plain date
// means the last moment of that day, and a time the last of that second: answers
// show whole seconds.
func (q *Query) Instant(name string, end bool) time.Time {
	v, sent := q.Take(name)
	if !sent {
		return time.Time{}
	}
	t, plain, ok := input.Time(strings.Replace(v, " ", "+", 1)) // the plus sign of an offset
	if !ok {
		q.Refuse(name, "must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23")
		return time.Time{}
	}
	switch {
	case end && plain:
		t = t.Add(24*time.Hour - time.Nanosecond)
	case end:
		t = t.Add(time.Second - time.Nanosecond)
	}
	return t
}

// Times reads name_from and name_to, both inclusive.
func (q *Query) Times(name string) storage.TimeRange {
	return storage.TimeRange{From: q.Instant(name+"_from", false), To: q.Instant(name+"_to", true)}
}

// Integers reads name_from and name_to, both inclusive.
func (q *Query) Integers(name string, min, max int64) (r storage.IntRange) {
	r.From, r.HasFrom = q.Integer(name+"_from", min, max, 0)
	r.To, r.HasTo = q.Integer(name+"_to", min, max, 0)
	return r
}

// PageLink is link to another page; the first needs no number.
func (q *Query) PageLink(path string, page int) string {
	_, numbered := q.TakeEmpty("page")
	if page == 1 && !numbered {
		return q.Link(path, "", "")
	}
	return q.Link(path, "page", strconv.Itoa(page))
}

// Link is path with the whole query, percent-encoded, one parameter replaced or
// added.
func (q *Query) Link(path, changed, to string) string {
	var b strings.Builder
	b.WriteString(path)
	separator := byte('?')
	write := func(name, value string) {
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(escape(name) + "=" + escape(value))
	}
	for _, p := range q.params {
		if p.name == changed {
			p.value, changed = to, ""
		}
		write(p.name, p.value)
	}
	if changed != "" {
		write(changed, to)
	}
	return b.String()
}

// escape percent-encodes a space too, which reads the same everywhere.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Identity is what makes a list what it is: all parameters but where one stands in
// it and how much of it is shown, each with its length, in the order of their
// names.
func (q *Query) Identity() []byte {
	params := slices.Clone(q.params)
	slices.SortFunc(params, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	var id bytes.Buffer
	for _, p := range params {
		if slices.Contains([]string{"cursor", "page", "per_page"}, p.name) {
			continue
		}
		for _, text := range []string{p.name, p.value} {
			id.Write(binary.AppendUvarint(nil, uint64(len(text))))
			id.WriteString(text)
		}
	}
	id.WriteByte(0)
	return id.Bytes()
}
