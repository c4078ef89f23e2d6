package index_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/index"
	"exante/storage/input"
)

// The statuses of these tests, of which sent and part fall due.
const (
	draft uint8 = iota + 1
	sent
	overdue
	part
	paid
	void
	cancelled
)

var statusNames = []string{"", "DRAFT", "SENT", "OVERDUE", "PARTIALLY_PAID", "PAID", "VOID", "CANCELLED"}

func statusName(s uint8) string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return ""
}

func rule() index.Rule {
	return index.Rule{
		Overdue:  overdue,
		FallsDue: func(s uint8) bool { return s == sent || s == part },
		Name:     statusName,
	}
}

// reference is what the index promises, as slow and as obvious as can be: a map
// of rows, every one looked at, and a full sort.
type reference struct {
	rows  map[uid.ID]index.Row
	names map[uid.ID]string // of parties, now
}

func newReference() reference {
	return reference{map[uid.ID]index.Row{}, map[uid.ID]string{}}
}

func date(seconds int64) time.Time { return time.Unix(seconds, 0).UTC().Truncate(24 * time.Hour) }

func reads(r index.Row, now time.Time) uint8 {
	if (r.Status == sent || r.Status == part) && r.Due != index.None && date(now.Unix()).After(date(r.Due)) {
		return overdue
	}
	return r.Status
}

func overdueDays(r index.Row, now time.Time) int64 {
	if reads(r, now) != overdue {
		return 0
	}
	return int64(date(now.Unix()).Sub(date(r.Due)) / (24 * time.Hour))
}

func in(v int64, r index.Range) bool {
	if !r.HasFrom && !r.HasTo {
		return true
	}
	return v != index.None && (!r.HasFrom || v >= r.From) && (!r.HasTo || v <= r.To)
}

func oneOf[V comparable](v V, list []V) bool { return len(list) == 0 || slices.Contains(list, v) }

func (m reference) matches(r index.Row, q index.Query) bool {
	return oneOf(reads(r, q.Now), q.Statuses) && oneOf(r.Method, q.Methods) && oneOf(r.Party, q.Parties) &&
		oneOf(r.Currency, q.Currencies) && (q.Number == "" || r.Number == q.Number) && m.shows(r, q.Search) &&
		in(r.Issue, q.Issue) && in(r.Due, q.Due) && in(r.Paid, q.Paid) && in(r.Total, q.Total) &&
		in(overdueDays(r, q.Now), q.OverdueDays) && in(r.Updated, q.Updated)
}

func (m reference) shows(r index.Row, text string) bool {
	if text == "" {
		return true
	}
	client := r.Client
	if client == "" {
		client = m.names[r.Party]
	}
	return strings.Contains(input.Fold(r.Number), input.Fold(text)) || strings.Contains(input.Fold(client), input.Fold(text))
}

// mark is the place of a row in an order.
func mark(r index.Row, c index.Column, now time.Time) index.Mark {
	m := index.Mark{ID: r.ID}
	switch c {
	case index.Created:
		m.Value = r.Created
	case index.Updated:
		m.Value = r.Updated
	case index.Issue:
		m.Value = r.Issue
	case index.Due:
		m.Value = r.Due
	case index.Paid:
		m.Value = r.Paid
	case index.Number:
		m.Text = r.Number
	case index.Status:
		m.Text = statusName(reads(r, now))
	case index.Total:
		m.Value = r.Total
	case index.OverdueDays:
		m.Value = overdueDays(r, now)
	}
	return m
}

func compareMarks(a, b index.Mark, q index.Query) int {
	c := cmp.Compare(a.Value, b.Value)
	if q.Sort == index.Number || q.Sort == index.Status {
		c = strings.Compare(a.Text, b.Text)
	}
	if c == 0 {
		c = bytes.Compare(a.ID[:], b.ID[:])
	}
	if q.Desc {
		c = -c
	}
	return c
}

// sorted is all that matches, in order.
func (m reference) sorted(q index.Query) (marks []index.Mark) {
	for _, r := range m.rows {
		if m.matches(r, q) {
			marks = append(marks, mark(r, q.Sort, q.Now))
		}
	}
	slices.SortFunc(marks, func(a, b index.Mark) int { return compareMarks(a, b, q) })
	return marks
}

// all is all that matches and comes after q.After, and how much matches in all.
func (m reference) all(q index.Query) (rest []index.Mark, total int) {
	marks := m.sorted(q)
	for _, at := range marks {
		if q.After == nil || compareMarks(at, *q.After, q) > 0 {
			rest = append(rest, at)
		}
	}
	return rest, len(marks)
}

func (m reference) find(q index.Query) (p index.Page) {
	rest, total := m.all(q)
	p.Total = total
	for i, at := range rest {
		if i >= q.Offset && i < q.Offset+q.Limit {
			p.IDs, p.Rows, p.Next = append(p.IDs, at.ID), append(p.Rows, m.rows[at.ID]), &rest[i]
		}
	}
	if q.Offset+q.Limit >= len(rest) {
		p.Next = nil
	}
	return p
}

type sumOf struct {
	status   uint8
	currency string
}

// sums is, for each status and currency, the count and the sum in decimal.
func (m reference) sums(now time.Time) map[sumOf]string {
	counts, totals := map[sumOf]int{}, map[sumOf]*big.Int{}
	for _, r := range m.rows {
		k := sumOf{reads(r, now), r.Currency}
		if totals[k] == nil {
			totals[k] = new(big.Int)
		}
		counts[k]++
		totals[k].Add(totals[k], big.NewInt(r.Total))
	}
	sums := map[sumOf]string{}
	for k, n := range counts {
		sums[k] = fmt.Sprint(n, totals[k])
	}
	return sums
}

func (m reference) spans(now time.Time) (s index.Spans) {
	widen := func(s *index.Span, v int64) {
		if v != index.None {
			if !s.Any {
				s.Min, s.Max = v, v
			}
			s.Min, s.Max, s.Any = min(s.Min, v), max(s.Max, v), true
		}
	}
	statuses, methods := map[uint8]bool{}, map[uint8]bool{}
	for _, r := range m.rows {
		widen(&s.Issue, r.Issue)
		widen(&s.Due, r.Due)
		widen(&s.Paid, r.Paid)
		widen(&s.Total, r.Total)
		widen(&s.OverdueDays, overdueDays(r, now))
		statuses[reads(r, now)], methods[r.Method] = true, true
	}
	s.Statuses, s.Methods = slices.Sorted(maps.Keys(statuses)), slices.Sorted(maps.Keys(methods))
	return s
}
