package dashboard

import (
	"errors"
	"fmt"
	"html/template"
	"time"

	"exante/server/dashboard/chart"
)

// functions are what templates call, beside the methods of what they show.
func functions(version string) template.FuncMap {
	return template.FuncMap{
		"count":  chart.Count,
		"millis": millis,
		"tone":   statusTone,
		"asset":  func(name string) string { return "/assets/" + version + "/" + name },
		"dict":   dict,
		"date":   func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"clock":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"stamp":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"since":  func(t, now time.Time) string { return span(now.Sub(t)) + " ago" },
		"until":  func(t, now time.Time) string { return "in " + span(t.Sub(now)) },

		"plural":  func(n int, noun string) string { return plural(int64(n), noun) },
		"size":    size,
		"moment":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"capital": capital,
	}
}

// dict is a map for a template that takes several things: name, value, and so on.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict wants names and values")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// span is how long something is, in one unit, cut off.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{365 * day, "year"}, {day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int64(d / u.unit); n >= 1 {
			return plural(n, u.name)
		}
	}
	return "less than a minute"
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// size is how large a file is: "1.5 MiB".
func size(bytes int64) string {
	for _, u := range []struct {
		unit int64
		name string
	}{{1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= u.unit {
			tenths := bytes * 10 / u.unit
			return fmt.Sprintf("%d.%d %s", tenths/10, tenths%10, u.name)
		}
	}
	return plural(bytes, "byte")
}

// millis is how long an answer took.
func millis(d time.Duration) string {
	if d < time.Millisecond {
		return "< 1 ms"
	}
	return chart.Count(uint64(d/time.Millisecond)) + " ms"
}

// statusTone is the class of the badge of an HTTP status.
func statusTone(status int) string {
	switch {
	case status >= 500:
		return "bad"
	case status >= 400:
		return "warn"
	}
	return "good"
}
