package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"exante/auth"
)

func TestLimitsParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"600/1m", "600/1m"},
		{"20/4s", "20/4s"},
		{"600/60s", "600/1m"},
		{"1/1s,1000000000/31d", "1/1s,1000000000/31d"},
		{"20000/24h, 600/1m", "600/1m,20000/24h"}, // shortest first
		{"5/1d", "5/24h"},
		{"5/48h", "5/2d"},
		{"5/90m", "5/90m"},
		{"5/90s", "5/90s"},
		{"5/2678400s", "5/31d"},
		{"1/1s,1/2s,1/3s,1/4s", "1/1s,1/2s,1/3s,1/4s"},
	} {
		got, err := auth.ParseLimits(c.in)
		if err != nil || got.String() != c.want {
			t.Errorf("ParseLimits(%q) = %s, %v, want %s", c.in, got, err, c.want)
		}
		again, err := auth.ParseLimits(got.String())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
			t.Errorf("ParseLimits(%q) of what was written = %s, %v", got, again, err)
		}
	}
}

func TestBadLimitsAreNamed(t *testing.T) {
	form := func(s string) string {
		return fmt.Sprintf("malformed rate limit: %q is not N/D with N 1..1000000000 and D 1s..31d", s)
	}
	for in, want := range map[string]string{
		"":                       form(""),
		"600":                    form("600"),
		"600/":                   form("600/"),
		"600/m":                  form("600/m"),
		"/1m":                    form("/1m"),
		"600/1":                  form("600/1"),
		"600/1x":                 form("600/1x"),
		"600/1M":                 form("600/1M"),
		"600/1.5m":               form("600/1.5m"),
		"600/1m30s":              form("600/1m30s"),
		"600/0s":                 form("600/0s"),
		"600/-1s":                form("600/-1s"),
		"600/+1s":                form("600/+1s"),
		"600/500ms":              form("600/500ms"),
		"600/32d":                form("600/32d"),
		"600/745h":               form("600/745h"),
		"0/1m":                   form("0/1m"),
		"-5/1m":                  form("-5/1m"),
		"1e3/1m":                 form("1e3/1m"),
		"1000000001/1m":          form("1000000001/1m"),
		"99999999999999999999/s": form("99999999999999999999/s"),
		"600/1m,":                form(""),
		"600/1m;5/1s":            form("600/1m;5/1s"),
		"600/1 m":                form("600/1 m"),
		// In nanoseconds these overflow to 25 minutes.
		"1/5124096h":               form("1/5124096h"),
		"1/213504d":                form("1/213504d"),
		"1/1m,2/60s":               "malformed rate limit: two windows of 1m",
		"1/1s,1/2s,1/3s,1/4s,1/5s": "malformed rate limit: more than 4 windows",
	} {
		got, err := auth.ParseLimits(in)
		if !errors.Is(err, auth.ErrBadLimits) || got != nil || err.Error() != want {
			t.Errorf("ParseLimits(%q) = %s, %q, want %q", in, got, errText(err), want)
		}
	}
}

func TestWindowsHaveNames(t *testing.T) {
	for every, want := range map[time.Duration]string{
		time.Second: "second", time.Minute: "minute", time.Hour: "hour", 24 * time.Hour: "day",
		4 * time.Second: "4s", 90 * time.Minute: "90m", 48 * time.Hour: "2d", 36 * time.Hour: "36h",
	} {
		if got := (auth.Window{Limit: 1, Every: every}).Name(); got != want {
			t.Errorf("Name of %s = %s, want %s", every, got, want)
		}
	}
}

func TestSecondsRoundUp(t *testing.T) {
	for wait, want := range map[time.Duration]int64{
		0: 1, 1: 1, time.Second - 1: 1, time.Second: 1, time.Second + 1: 2, 59*time.Second + 1: 60, 31 * 24 * time.Hour: 2678400,
	} {
		if got := auth.Seconds(wait); got != want {
			t.Errorf("Seconds(%s) = %d, want %d", wait, got, want)
		}
	}
}

func TestLimitsWithin(t *testing.T) {
	for _, c := range []struct {
		inner, outer string
		want         bool
	}{
		{"600/1m", "600/1m", true},
		{"599/1m", "600/1m", true},
		{"601/1m", "600/1m", false},
		{"10/1m", "100/1m,20000/24h", true}, // 14,400 a day
		{"10/1m", "100/1m,1000/24h", false},
		{"10/1m,500/24h", "100/1m,1000/24h", true},
		{"1/1s", "60/1m", true},
		{"2/1s", "60/1m", false},
		{"60/1m", "1/1s", false}, // all at once
		{"1/1h", "1/1s", true},
		{"1/7s", "9/1m", true}, // ceil(60/7)
		{"1/7s", "8/1m", false},
		{"1000000000/1s", "1000000000/31d", false},
	} {
		if got := mustLimits(t, c.inner).Within(mustLimits(t, c.outer)); got != c.want {
			t.Errorf("%s within %s = %v, want %v", c.inner, c.outer, got, c.want)
		}
	}
}
