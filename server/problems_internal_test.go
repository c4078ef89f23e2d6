package server

import (
	"strings"
	"testing"
	"time"
)

func TestTimesAreRFC3339OrADate(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-23":                     "2026-11-23T00:00:00Z",
		"2026-11-23T09:30:00Z":           "2026-11-23T09:30:00Z",
		"2026-11-23T09:30:00.999Z":       "2026-11-23T09:30:00Z",
		"2026-11-23T01:30:00+05:30":      "2026-11-22T20:00:00Z",
		"9999-12-31":                     "9999-12-31T00:00:00Z",
		"0000-01-01":                     "",
		"0001-01-01":                     "", // would read as absent
		"9999-12-31T23:59:59-01:00":      "",
		"2026-02-30":                     "",
		"2026-11-23T9:30:00Z":            "",
		"2026-11-23T09:30:00":            "",
		"2026-11-23T09:30:00,5Z":         "",
		"2026-11-23 09:30:00Z":           "",
		"2026-11-23T24:00:00Z":           "",
		"2026-11-23T09:30:00+24:00":      "",
		"2026-11-23T09:30:00+00:60":      "",
		"2026-11-23t09:30:00z":           "2026-11-23T09:30:00Z",
		"1760000000":                     "",
		"20261123":                       "",
		"":                               "",
		"2026-11-23T09:30:00Z\u00a0":     "",
		"2026-11-2" + "\uff13":           "",
		strings.Repeat("2026-11-23", 99): "",
	} {
		got, _, ok := parseTime(text)
		if ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("parseTime(%q) = %v, %v, want %q", text, got, ok, want)
		}
	}
}

func TestNamesAreShownWithoutHarm(t *testing.T) {
	key := "ex_live_" + strings.Repeat("aB3dE", 7) + "xyz"
	for name, want := range map[string]string{
		"total_cents": "total_cents", "": `""`, "a b": `"a b"`, "a\x1b[2J": `"a\x1b[2J"`, `a"b`: `"a\"b"`, "é": `"é"`,
		key: `"ex_live_aB3dEaB3…"`, strings.Repeat("é", 33): `"` + strings.Repeat("é", 16) + `…"`,
	} {
		if got := shortName(name); got != want {
			t.Errorf("shortName(%q) = %s, want %s", name, got, want)
		}
	}
}
