package server

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"exante/auth/uid"
	"exante/storage"
)

const (
	maxPage        = 1_000_000_000
	maxPerPage     = 100
	defaultPerPage = 10
	maxParameters  = 64
	maxValues      = 100 // of one parameter
)

// query reads the parameters of one request. As with fields, what nobody asked for
// is reported: a filter that is silently dropped would leak rows.
type query struct {
	problems
	params []parameter
}

type parameter struct {
	name, value string
	read        bool
}

// readQuery splits and decodes a raw query string. A parameter may be given once;
// several values are separated by commas.
func readQuery(raw []byte) *query {
	q := &query{}
	for part := range strings.SplitSeq(string(raw), "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		switch {
		case nameErr != nil || !isText(name):
			q.add("query", "holds a name that is not percent-encoded UTF-8")
		case valueErr != nil || !isText(value):
			q.add(shortName(name), "is not percent-encoded UTF-8")
		case len(q.params) == maxParameters:
			q.add("query", "has more than %d parameters", maxParameters)
			return q
		case slices.ContainsFunc(q.params, func(p parameter) bool { return p.name == name }):
			q.add(shortName(name), "is given twice")
		default:
			q.params = append(q.params, parameter{name: name, value: value})
		}
	}
	return q
}

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// done reports every parameter that was not read, and returns all problems.
func (q *query) done() error {
	for _, p := range q.params {
		if !p.read {
			q.add(shortName(p.name), "is not a known parameter")
		}
	}
	return q.err()
}

// take finds a parameter; an empty value is reported, for it would filter nothing.
func (q *query) take(name string) (string, bool) {
	v, sent := q.takeEmpty(name)
	if sent && v == "" {
		q.add(name, "must not be empty")
	}
	return v, v != ""
}

// takeEmpty finds a parameter whose empty value means something.
func (q *query) takeEmpty(name string) (value string, sent bool) {
	for i := range q.params {
		if p := &q.params[i]; p.name == name {
			p.read = true
			return p.value, true
		}
	}
	return "", false
}

// text reads a value of at most max characters.
func (q *query) text(name string, max int) string {
	v, _ := q.take(name)
	if utf8.RuneCountInString(v) > max {
		q.add(name, "must have at most %d characters", max)
	}
	return v
}

// integer reads a whole number of the range, or returns def.
func (q *query) integer(name string, min, max, def int64) (n int64, sent bool) {
	v, sent := q.take(name)
	if !sent {
		return def, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < min || n > max || v[0] == '+' {
		q.add(name, "must be an integer from %d to %d", min, max)
		return def, false
	}
	return n, true
}

// page reads page and per_page.
func (q *query) page() (page, perPage int) {
	p, _ := q.integer("page", 1, maxPage, 1)
	per, _ := q.integer("per_page", 1, maxPerPage, defaultPerPage)
	return int(p), int(per)
}

// sort reads "field", "+field" or "-field". A plus sign arrives as a space.
func (q *query) sort(fields []string, def string) (field string, desc bool) {
	v, sent := q.take("sort")
	if !sent {
		v = def
	}
	field = strings.TrimLeft(v, " +-")
	desc = v[0] == '-'
	if len(v)-len(field) > 1 || !slices.Contains(fields, field) {
		q.add("sort", "%s, after a minus sign for descending order", oneOf(fields))
	}
	return field, desc
}

// list reads several values separated by commas.
func list[T any](q *query, name string, parse func(string) (T, bool), want string) []T {
	v, sent := q.take(name)
	if !sent {
		return nil
	}
	var values []T
	for part := range strings.SplitSeq(v, ",") {
		value, ok := parse(part)
		switch {
		case !ok:
			q.add(name, "%s", want)
			return nil
		case len(values) == maxValues:
			q.add(name, "must have at most %d values", maxValues)
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

// instant reads a time. As the end of a range, which is inclusive, a plain date
// means the last moment of that day, and a time the last of that second: answers
// show whole seconds.
func (q *query) instant(name string, end bool) time.Time {
	v, sent := q.take(name)
	if !sent {
		return time.Time{}
	}
	t, plain, ok := parseTime(strings.Replace(v, " ", "+", 1)) // the plus sign of an offset
	if !ok {
		q.add(name, "must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23")
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

// times reads name_from and name_to, both inclusive.
func (q *query) times(name string) storage.TimeRange {
	return storage.TimeRange{From: q.instant(name+"_from", false), To: q.instant(name+"_to", true)}
}

// integers reads name_from and name_to, both inclusive.
func (q *query) integers(name string, min, max int64) (r storage.IntRange) {
	r.From, r.HasFrom = q.integer(name+"_from", min, max, 0)
	r.To, r.HasTo = q.integer(name+"_to", min, max, 0)
	return r
}

// pageLink is link to another page; the first needs no number.
func (q *query) pageLink(path string, page int) string {
	_, numbered := q.takeEmpty("page")
	if page == 1 && !numbered {
		return q.link(path, "", "")
	}
	return q.link(path, "page", strconv.Itoa(page))
}

// link is path with the whole query, percent-encoded, one parameter replaced or
// added.
func (q *query) link(path, changed, to string) string {
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
