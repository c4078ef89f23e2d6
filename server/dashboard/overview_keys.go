package dashboard

import (
	"slices"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/dashboard/chart"
)

// keysSummary is how the keys of the organization are doing.
type keysSummary struct {
	All, Live int
	Used      bool // some key was, ever
	Advice    []adviceTally

	Today  int      // keys that were used in the last 24 hours
	latest []uid.ID // those of them that were used last, at most maxLatest
}

// adviceTally is of how many keys something was found.
type adviceTally struct {
	advice
	Count int
}

// maxLatest is of how many keys the requests are added up: what a page has time for.
const maxLatest = 50

// summarize looks at all keys. That they are in memory is why it may.
func (v *visit) summarize() keysSummary {
	var (
		s     keysSummary
		last  latest
		count = make([]int, len(advices))
		since = timespans[0].begin(v.now)
	)
	var found []auth.Finding
	for k := range v.store.Keyring().Standings(v.org.ID, v.now) {
		s.All++
		s.Used = s.Used || !k.Last.At.IsZero()
		found = found[:0]
		if !k.Suspended {
			found = k.AppendHygiene(found, v.now)
		}
		if k.State == auth.Active || k.State == auth.Retiring {
			s.Live++
		}
		for _, f := range found {
			for i := range advices {
				if advices[i].Kind == f.Kind {
					count[i]++
				}
			}
		}
		if !k.Last.At.Before(since) {
			s.Today++
			last.add(k.Key.ID, k.Last.At)
		}
	}
	for i, n := range count {
		if n > 0 {
			s.Advice = append(s.Advice, adviceTally{advices[i], n})
		}
	}
	s.latest = last.ids
	return s
}

// latest are the keys that were used last, the last one first, at most maxLatest.
type latest struct {
	ids []uid.ID
	at  []time.Time
}

// add takes a key in, if it is one of them, for that whose use is longest ago.
func (l *latest) add(id uid.ID, at time.Time) {
	if full := len(l.at) == maxLatest; full {
		if !at.After(l.at[maxLatest-1]) {
			return
		}
		l.ids, l.at = l.ids[:maxLatest-1], l.at[:maxLatest-1]
	}
	place, _ := slices.BinarySearchFunc(l.at, at, func(have, at time.Time) int { return at.Compare(have) })
	l.ids, l.at = slices.Insert(l.ids, place, id), slices.Insert(l.at, place, at)
}

// Some reports whether the requests shown are those of some keys only.
func (s keysSummary) Some() bool { return s.Today > len(s.latest) }

// Shown is of how many keys the requests are shown.
func (s keysSummary) Shown() int { return len(s.latest) }

// lastDayOf adds up the last 24 hours of keys.
func (v *visit) lastDayOf(keys []uid.ID) (activity, error) {
	days, err := v.store.LastDay(v.req.Context, v.org.ID, keys, v.now)
	if err != nil {
		return activity{}, err
	}
	var hours []auth.Bucket
	for i := range days {
		for n, t := range days[i].Hours {
			if t.Requests+t.ServerErrors > 0 {
				hours = append(hours, auth.Bucket{
					Hour: days[i].Begin.Add(time.Duration(n) * time.Hour), Requests: t.Requests,
					Unauthorized: t.Unauthorized, Forbidden: t.Forbidden, RateLimited: t.RateLimited, ServerErrors: t.ServerErrors,
				})
			}
		}
	}
	return drawn(timespans[0], v.now, hours), nil
}

// Quiet reports whether there was no request.
func (a activity) Quiet() bool { return a.Total == chart.Counts{} }
