package dashboard

import (
	"testing"
	"time"

	"exante/auth"
	"exante/server/dashboard/chart"
)

// nowHere is a moment that is in the middle of everything.
var nowHere = time.Date(2026, 3, 4, 15, 30, 0, 0, time.UTC)

func at(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }

func TestHoursGoIntoTheirBars(t *testing.T) {
	for _, c := range []struct {
		span string
		hour time.Time
		bar  int // -1: none
		name string
	}{
		{"24h", at(4, 15), 23, "Wed 4 Mar, 15:00–16:00 UTC"},
		{"24h", at(3, 16), 0, "Tue 3 Mar, 16:00–17:00 UTC"},
		{"24h", at(3, 23), 7, "Tue 3 Mar, 23:00–00:00 UTC"},
		{"24h", at(3, 15), -1, ""},
		{"24h", at(4, 16), -1, ""}, // the clock was ahead
		{"7d", at(4, 17), 27, "Wed 4 Mar, 12:00–18:00 UTC"},
		{"7d", at(4, 12), 27, "Wed 4 Mar, 12:00–18:00 UTC"},
		{"7d", at(4, 11), 26, "Wed 4 Mar, 06:00–12:00 UTC"},
		{"7d", at(-3, 18), 0, "Wed 25 Feb, 18:00–00:00 UTC"},
		{"7d", at(-3, 17), -1, ""},
		{"30d", at(4, 0), 29, "Wed 4 Mar"},
		{"30d", at(3, 23), 28, "Tue 3 Mar"},
		{"30d", at(-25, 0), 0, "Tue 3 Feb"},
		{"30d", at(-26, 23), -1, ""},
		{"", at(4, 15), 23, "Wed 4 Mar, 15:00–16:00 UTC"},
		{"1y", at(4, 15), 23, "Wed 4 Mar, 15:00–16:00 UTC"},
	} {
		a := drawn(spanNamed(c.span), nowHere, []auth.Bucket{{Hour: c.hour, Requests: 3}})
		got := -1
		for i, b := range a.Series.Bars {
			if b.Counts.Total() > 0 {
				got = i
			}
		}
		if got != c.bar {
			t.Errorf("%s: %s is in bar %d, want %d", c.span, c.hour, got, c.bar)
		}
		if got >= 0 && a.Series.Bars[got].Name != c.name {
			t.Errorf("%s: bar %d is called %q, want %q", c.span, got, a.Series.Bars[got].Name, c.name)
		}
	}
}

func TestOutcomesAddUpToTheRequests(t *testing.T) {
	hours := []auth.Bucket{
		{Hour: at(4, 13), Requests: 100, Unauthorized: 1, Forbidden: 2, RateLimited: 4, ServerErrors: 8},
		{Hour: at(4, 14), Requests: 10},
		{Hour: at(4, 15), ServerErrors: 3}, // they came in the hour before, and failed in this
	}
	a := drawn(spanNamed("30d"), nowHere, hours)
	if want := (chart.Counts{95, 1, 2, 4, 11}); a.Total != want {
		t.Errorf("in all %v, want %v", a.Total, want)
	}
	if busy := a.Busy(); len(busy) != 1 || busy[0].Name != "Wed 4 Mar" || busy[0].Counts != a.Total {
		t.Errorf("the table has %+v", busy)
	}
}
