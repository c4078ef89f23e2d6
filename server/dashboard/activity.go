package dashboard

import (
	"html/template"
	"time"

	"exante/auth"
	"exante/server/dashboard/chart"
)

// timespan is a choice of how far back a chart goes.
type timespan struct {
	Word  string // in the address
	Name  string // on the tab
	Title string // of the chart
	bar   time.Duration
	bars  int
	label func(begin time.Time) string // below a bar; "": none
}

const day = 24 * time.Hour

// timespans are the choices; the first is that of a page that names none.
var timespans = []timespan{
	{"24h", "24 hours", "Requests of the last 24 hours, by hour", time.Hour, 24, func(t time.Time) string { return t.Format("15:04") }},
	{"7d", "7 days", "Requests of the last 7 days, by 6 hours", 6 * time.Hour, 28, midnights},
	{"30d", "30 days", "Requests of the last 30 days, by day", day, 30, dayOfMonth},
}

func dayOfMonth(t time.Time) string { return t.Format("2 Jan") }

func midnights(t time.Time) string {
	if t.Hour() != 0 {
		return ""
	}
	return dayOfMonth(t)
}

// spanNamed is the choice of that name, or the first.
func spanNamed(word string) timespan {
	for _, s := range timespans {
		if s.Word == word {
			return s
		}
	}
	return timespans[0]
}

// begin is when the first bar begins, if the last one holds now.
func (s timespan) begin(now time.Time) time.Time {
	return now.UTC().Truncate(s.bar).Add(-time.Duration(s.bars-1) * s.bar)
}

// activity is what a key did in a span of time, or several keys.
type activity struct {
	Span   string // the word of the choice
	Series chart.Series
	Total  chart.Counts
	Chart  template.HTML
}

// Spans are the choices.
func (activity) Spans() []timespan { return timespans }

// Outcomes are what the bars are made of.
func (activity) Outcomes() []chart.Outcome { return chart.Outcomes() }

// Busy are the pieces of time that had requests, the latest first, for a table.
func (a activity) Busy() []chart.Bar {
	var busy []chart.Bar
	for i := range a.Series.Bars {
		if b := a.Series.Bars[len(a.Series.Bars)-1-i]; b.Counts.Total() > 0 {
			busy = append(busy, b)
		}
	}
	return busy
}

// activityOf reads what a key did.
func (v *visit) activityOf(k *auth.Key, s timespan) (activity, error) {
	found, err := v.store.Activity(v.req.Context, v.org.ID, k.ID, s.begin(v.now), v.now)
	if err != nil {
		return activity{}, err
	}
	return drawn(s, v.now, found.Buckets), nil
}

// drawn puts hours into the bars of s. What is out of its time is left out: a clock
// may have been set back.
func drawn(s timespan, now time.Time, hours []auth.Bucket) activity {
	a := activity{Span: s.Word, Series: chart.Series{Title: s.Title, Bars: make([]chart.Bar, s.bars)}}
	begin := s.begin(now)
	for i := range a.Series.Bars {
		b := &a.Series.Bars[i]
		from := begin.Add(time.Duration(i) * s.bar)
		b.Label, b.Name = s.label(from), pieceOfTime(from, from.Add(s.bar))
	}
	for _, h := range hours {
		if i := h.Hour.Sub(begin) / s.bar; !h.Hour.Before(begin) && int(i) < s.bars {
			b := &a.Series.Bars[i]
			b.Counts = b.Counts.Plus(countsOf(h))
		}
	}
	a.Total, a.Chart = a.Series.Total(), chart.Stacked(a.Series)
	return a
}

// countsOf tells the outcomes of an hour apart. Requests counts all of them, so what
// is neither refused nor failed was accepted. A request that failed in the hour after
// that in which it came counts there, and never makes less than none of the others.
func countsOf(h auth.Bucket) chart.Counts {
	other := h.Unauthorized + h.Forbidden + h.RateLimited + h.ServerErrors
	return chart.Counts{
		chart.OK:           h.Requests - min(h.Requests, other),
		chart.Unauthorized: h.Unauthorized, chart.Forbidden: h.Forbidden, chart.RateLimited: h.RateLimited, chart.ServerError: h.ServerErrors,
	}
}

// pieceOfTime is what a bar stands for, in words.
func pieceOfTime(from, to time.Time) string {
	if to.Sub(from) == day {
		return from.Format("Mon 2 Jan")
	}
	return from.Format("Mon 2 Jan, 15:04") + to.Format("–15:04 UTC")
}
