package dashboard

import (
	"cmp"
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
	Needy     int // keys of which something was found

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
	type used struct {
		id uid.ID
		at time.Time
	}
	var (
		s     keysSummary
		today []used
		count = map[auth.FindingKind]int{}
		since = timespans[0].begin(v.now)
	)
	for _, k := range v.store.Keys(v.org.ID) {
		last := v.store.Keyring().LastUse(k.ID)
		found := auth.Hygiene(k, last, v.now)
		s.All++
		s.Used = s.Used || !last.At.IsZero()
		if !v.standing(k, found).ended() {
			s.Live++
		}
		if len(found) > 0 {
			s.Needy++
		}
		for _, f := range found {
			count[f.Kind]++
		}
		if !last.At.Before(since) {
			today = append(today, used{k.ID, last.At})
		}
	}
	for _, a := range advices {
		if n := count[a.Kind]; n > 0 {
			s.Advice = append(s.Advice, adviceTally{a, n})
		}
	}
	s.Today = len(today)
	slices.SortFunc(today, func(a, b used) int { return cmp.Compare(b.at.UnixNano(), a.at.UnixNano()) })
	for _, u := range today[:min(len(today), maxLatest)] {
		s.latest = append(s.latest, u.id)
	}
	return s
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
