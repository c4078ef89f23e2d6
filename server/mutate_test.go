package server_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// wrongValues are what no member wants, or only some do.
var wrongValues = []any{
	nil, true, "", "30", " ", "ＵＳＤ", "a\u202eb", "a\u0301", strings.Repeat("x", 51), strings.Repeat("x", 65), strings.Repeat("ж", 201), strings.Repeat("x", 1001), strings.Repeat("x", 70_000),
	[]any{}, map[string]any{},
	raw("0"), raw("-1"), raw("1.0"), raw("1.5"), raw("-0"), raw("1e2"), raw("1e400"), raw("31"), raw("3651"), raw("-1e-400"), raw("9007199254740992"),
	raw("18446744073709551616"), raw(strings.Repeat("9", 400)), raw("01"), raw("NaN"), raw("'x'"), raw(`"\ud800"`), raw(`"\u0000"`),
	raw("\"\x00\""), raw("\"\xff\""), raw(strings.Repeat("[", 40) + strings.Repeat("]", 40)), raw(`{"a":1,"a":2}`),
	"2026-13-01", "2026-02-30T00:00:00Z", "0000-01-01", "9999-12-31T23:59:59-23:59", "2026-11-23T24:00:00Z",
	"0190b7a000007000800000000000dead", "{0190b7a0-0000-7000-8000-00000000dead}", "00000000-0000-0000-0000-000000000000", "PAIDſ",
}

// mutate changes one place of a value.
func mutate(t *rapid.T, v any) any {
	place := rapid.IntRange(0, places(v)-1).Draw(t, "place")
	return change(v, &place, func(old any) any { return damage(t, old) })
}

// places counts the values in v.
func places(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += places(e)
		}
	case []any:
		for _, e := range v {
			n += places(e)
		}
	}
	return n
}

// change is v with the value at one place replaced.
func change(v any, place *int, by func(any) any) any {
	*place--
	if *place == -1 {
		return by(v)
	}
	switch v := v.(type) {
	case map[string]any:
		other := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			other[name] = change(v[name], place, by)
		}
		return other
	case []any:
		other := make([]any, len(v))
		for i := range v {
			other[i] = change(v[i], place, by)
		}
		return other
	}
	return v
}

// damage makes of a value what does not belong there.
func damage(t *rapid.T, old any) any {
	switch old := old.(type) {
	case map[string]any:
		return damageObject(t, maps.Clone(old))
	case []any:
		switch rapid.IntRange(0, 3).Draw(t, "array damage") {
		case 0:
			return []any{}
		case 1:
			return append(slices.Clone(old), old...)
		case 2:
			return slices.Repeat([]any{rapid.SampledFrom(wrongValues).Draw(t, "element")}, rapid.SampledFrom([]int{1, 101, 1001}).Draw(t, "elements"))
		}
	}
	if rapid.Bool().Draw(t, "by one") {
		return oneMore(old)
	}
	return rapid.SampledFrom(wrongValues).Draw(t, "wrong value")
}

// oneMore is just beyond old, which may have been at its bound.
func oneMore(old any) any {
	switch old := old.(type) {
	case string:
		return old + "x"
	case json.Number:
		if n, err := old.Int64(); err == nil && n > 0 {
			return json.Number(strconv.FormatInt(n+1, 10))
		}
		return json.Number("-1")
	}
	return nil
}

func damageObject(t *rapid.T, object map[string]any) any {
	names := slices.Sorted(maps.Keys(object))
	switch kind := rapid.IntRange(0, 3).Draw(t, "object damage"); {
	case kind == 0 && len(names) > 0:
		delete(object, rapid.SampledFrom(names).Draw(t, "missing"))
	case kind == 1 && len(names) > 0:
		twice := encode(rapid.SampledFrom(names).Draw(t, "twice"))
		return raw(strings.Replace(encode(object), "{", "{"+twice+":1,", 1))
	case kind == 2:
		return rapid.SampledFrom(wrongValues).Draw(t, "no object")
	default:
		name := rapid.SampledFrom([]string{"uid", "organization_uid", "version", "__proto__", "", "total_cents", "key", "Name", "name\u0000", strings.Repeat("n", 300)}).Draw(t, "unknown")
		object[name] = rapid.SampledFrom(wrongValues).Draw(t, "unknown value")
	}
	return object
}

// spoil makes of a body one that is no JSON, or not only that.
func spoil(t *rapid.T, body string) string {
	half := body[:len(body)/2]
	return rapid.SampledFrom([]string{
		" ", "null", "[]", "{}", `""`, "0", "{", "]", half, body + "x", body + body, "\ufeff" + body, body + "\x00", "\xff" + body, "//\n" + body,
		strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), `{"a":1,"a":1}`, "name=value",
		strings.Repeat(" ", 1<<20) + body, "1e999999", strings.ToUpper(body),
	}).Draw(t, "spoilt body")
}
