package auth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Window is one limit: no interval of length Every ever holds more than Limit
// admitted requests.
type Window struct {
	Limit int64         // 1..1e9 requests
	Every time.Duration // 1s..31d, whole seconds
}

const (
	maxLimit   = 1_000_000_000
	maxEvery   = 31 * 24 * time.Hour
	maxWindows = 4
)

// Limits are the windows of one key, all of which apply, shortest first.
type Limits []Window

// ParseLimits reads "600/1m,20000/24h". A duration is a whole number followed
// by s, m, h or d. No two windows may have the same length; at most 4.
func ParseLimits(s string) (Limits, error) {
	var out Limits
	for part := range strings.SplitSeq(s, ",") {
		w, err := parseWindow(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o Window) bool { return o.Every == w.Every }) {
			return nil, fmt.Errorf("%w: two windows of %s", ErrBadLimits, formatEvery(w.Every))
		}
		if len(out) == maxWindows {
			return nil, fmt.Errorf("%w: more than %d windows", ErrBadLimits, maxWindows)
		}
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b Window) int { return int(a.Every/time.Second) - int(b.Every/time.Second) })
	return out, nil
}

func parseWindow(s string) (Window, error) {
	bad := fmt.Errorf("%w: %q is not N/D with N 1..1000000000 and D 1s..31d", ErrBadLimits, s)
	n, d, ok := strings.Cut(s, "/")
	if !ok || len(d) < 2 {
		return Window{}, bad
	}
	limit, err := strconv.ParseUint(n, 10, 31)
	if err != nil || limit < 1 || limit > maxLimit {
		return Window{}, bad
	}
	unit := unitOf(d[len(d)-1])
	count, err := strconv.ParseUint(d[:len(d)-1], 10, 31)
	if unit == 0 || err != nil || count < 1 || time.Duration(count) > maxEvery/unit {
		return Window{}, bad
	}
	return Window{Limit: int64(limit), Every: time.Duration(count) * unit}, nil
}

func unitOf(letter byte) time.Duration {
	switch letter {
	case 's':
		return time.Second
	case 'm':
		return time.Minute
	case 'h':
		return time.Hour
	case 'd':
		return 24 * time.Hour
	}
	return 0
}

// Within reports whether whoever keeps to l keeps to outer as well: each window
// of outer is implied by one of l. A window of N per D lets at most N*ceil(E/D)
// through in any interval of length E.
func (l Limits) Within(outer Limits) bool {
	return !slices.ContainsFunc(outer, func(o Window) bool {
		return !slices.ContainsFunc(l, func(w Window) bool {
			return w.Limit*int64((o.Every+w.Every-1)/w.Every) <= o.Limit
		})
	})
}

// String is the form that ParseLimits reads.
func (l Limits) String() string {
	parts := make([]string, len(l))
	for i, w := range l {
		parts[i] = w.String()
	}
	return strings.Join(parts, ",")
}

// String is "600/1m".
func (w Window) String() string {
	return strconv.FormatInt(w.Limit, 10) + "/" + formatEvery(w.Every)
}

// Name is the policy name in the RateLimit fields: second, minute, hour or day,
// else the duration as it is written.
func (w Window) Name() string {
	switch w.Every {
	case time.Second:
		return "second"
	case time.Minute:
		return "minute"
	case time.Hour:
		return "hour"
	case 24 * time.Hour:
		return "day"
	}
	return formatEvery(w.Every)
}

func formatEvery(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0 && d > 24*time.Hour:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
