package index_test

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/index"
)

// The statuses of these tests, of which sent and part fall due.
const (
	draft uint8 = iota + 1
	sent
	overdue
	part
	paid
)

var statusNames = []string{"", "DRAFT", "SENT", "OVERDUE", "PARTIALLY_PAID", "PAID"}

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
type reference map[uid.ID]index.Row

func date(seconds int64) time.Time { return time.Unix(seconds, 0).UTC().Truncate(24 * time.Hour) }

func reads(r index.Row, now time.Time) uint8 {
	if (r.Status == sent || r.Status == part) && date(now.Unix()).After(date(r.Due)) {
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

func matches(r index.Row, q index.Query) bool {
	return oneOf(reads(r, q.Now), q.Statuses) && oneOf(r.Method, q.Methods) && oneOf(r.Party, q.Parties) &&
		oneOf(r.Currency, q.Currencies) && (q.Number == "" || r.Number == q.Number) &&
		in(r.Issue, q.Issue) && in(r.Due, q.Due) && in(r.Paid, q.Paid) && in(r.Total, q.Total) &&
		in(overdueDays(r, q.Now), q.OverdueDays) && in(r.Updated, q.Updated)
}

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareBy(a, b index.Row, c index.Column, now time.Time) int {
	switch c {
	case index.Created:
		return compareInts(a.Created, b.Created)
	case index.Updated:
		return compareInts(a.Updated, b.Updated)
	case index.Issue:
		return compareInts(a.Issue, b.Issue)
	case index.Due:
		return compareInts(a.Due, b.Due)
	case index.Paid:
		return compareInts(a.Paid, b.Paid)
	case index.Number:
		return strings.Compare(a.Number, b.Number)
	case index.Status:
		return strings.Compare(statusName(reads(a, now)), statusName(reads(b, now)))
	case index.Total:
		return compareInts(a.Total, b.Total)
	}
	return compareInts(overdueDays(a, now), overdueDays(b, now))
}

func (m reference) find(q index.Query) ([]uid.ID, int) {
	var rows []index.Row
	for _, r := range m {
		if matches(r, q) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b index.Row) int {
		c := compareBy(a, b, q.Sort, q.Now)
		if c == 0 {
			c = bytes.Compare(a.ID[:], b.ID[:])
		}
		if q.Desc {
			c = -c
		}
		return c
	})
	var page []uid.ID
	for i, r := range rows {
		if i >= q.Offset && i < q.Offset+q.Limit {
			page = append(page, r.ID)
		}
	}
	return page, len(rows)
}
