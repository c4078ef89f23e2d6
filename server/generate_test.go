package server_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"exante/server/openapi/contract"
)

// raw is text that stands in a body as it is, JSON or not.
type raw string

// supply finds uids for a member or parameter: some that are there, some that
// are not.
type supply func(t *rapid.T, name string) string

// drawValue draws a value that the schema allows. name is that of the member or
// parameter.
func drawValue(t *rapid.T, s *contract.Schema, name string, uids supply) any {
	k := s.Keywords()
	if v, ok := k["const"]; ok {
		return v
	}
	if words, ok := k["enum"].([]any); ok {
		return rapid.SampledFrom(words).Draw(t, name)
	}
	if options, ok := k["oneOf"].([]any); ok {
		return drawValue(t, s.Within(rapid.SampledFrom(options).Draw(t, name+" form")), name, uids)
	}
	switch drawType(t, k, name) {
	case "object":
		return drawObject(t, s, k, uids)
	case "array":
		n := rapid.IntRange(count(k, "minItems", 0), min(count(k, "maxItems", 3), 3)).Draw(t, name+" length")
		list := make([]any, n)
		for i := range list {
			list[i] = drawValue(t, s.Within(k["items"]), name, uids)
		}
		return list
	case "string":
		return drawString(t, k, name, uids)
	case "integer":
		return drawInteger(t, k, name)
	case "number":
		return json.Number(rapid.SampledFrom([]string{"0", "1", "2.5", "0.000001", "1e2", "100000.25"}).Draw(t, name))
	case "boolean":
		return rapid.Bool().Draw(t, name)
	case "null":
		return nil
	}
	return drawAnything(t, 2)
}

func drawType(t *rapid.T, k map[string]any, name string) string {
	switch kind := k["type"].(type) {
	case string:
		return kind
	case []any:
		return rapid.SampledFrom(kind).Draw(t, name+" type").(string)
	}
	return ""
}

// often are members that decide whether a request can be taken at all, in which
// the document has no say: how often of eight they are sent. Others are twice.
var often = map[string]int{"unit_price": 7, "currency": 1}

func drawObject(t *rapid.T, s *contract.Schema, k map[string]any, uids supply) any {
	properties, _ := k["properties"].(map[string]any)
	required, _ := k["required"].([]any)
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || rapid.IntRange(0, 7).Draw(t, "with "+name) < cmp.Or(often[name], 2) {
			object[name] = drawValue(t, s.Within(properties[name]), name, uids)
		}
	}
	if k["additionalProperties"] == true {
		for range rapid.IntRange(0, 3).Draw(t, "own fields") {
			object[drawText(t, "own name")] = drawAnything(t, 2)
		}
	}
	return object
}

func drawString(t *rapid.T, k map[string]any, name string, uids supply) any {
	pattern, _ := k["pattern"].(string)
	switch {
	case k["format"] == "uuid":
		return uids(t, name)
	case strings.HasPrefix(pattern, "^[0-9]{4}-"):
		return rapid.SampledFrom([]string{"2026-11-23", "2026-12-24T23:59:59Z", "2027-02-28T12:00:00.25+05:30", "2024-02-29"}).Draw(t, name)
	case pattern == "^[A-Z]{3}$":
		return rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(t, name)
	case name == "allowed_cidrs":
		return rapid.SampledFrom([]string{"192.0.2.0/24", "2001:db8::/32", "127.0.0.1/32"}).Draw(t, name)
	}
	low, high := count(k, "minLength", 0), count(k, "maxLength", 20)
	n := rapid.SampledFrom([]int{low, min(low+1, high), min(low+7, high), high}).Draw(t, name+" length")
	return rapid.StringOfN(rapid.SampledFrom([]rune("abcXYZ0189-_./äßéЖ日本🙂")), n, n, -1).Draw(t, name)
}

func drawInteger(t *rapid.T, k map[string]any, name string) any {
	low, high := number(k, "minimum", -1<<53), number(k, "maximum", 1<<53)
	n := rapid.SampledFrom([]int64{low, low, high, min(low+1, high), min(low+10, high), max(high-1, low)}).Draw(t, name)
	return json.Number(strconv.FormatInt(n, 10))
}

func count(k map[string]any, name string, otherwise int) int {
	return int(number(k, name, int64(otherwise)))
}

func number(k map[string]any, name string, otherwise int64) int64 {
	text, ok := k[name].(json.Number)
	if !ok {
		return otherwise
	}
	n, err := text.Int64()
	if err != nil {
		return otherwise
	}
	return n
}

// drawAnything draws any JSON value.
func drawAnything(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 4+min(depth, 2)).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(rapid.SampledFrom([]string{"0", "-1", "1.5", "1e5", "9007199254740993", "-0", "1e-7"}).Draw(t, "number"))
	case 3, 4:
		return drawText(t, "text")
	case 5:
		return []any{drawAnything(t, depth-1), drawAnything(t, depth-1)}
	}
	return map[string]any{drawText(t, "name"): drawAnything(t, depth-1)}
}

// drawText draws any text but NUL, which no body may hold.
func drawText(t *rapid.T, label string) string {
	return strings.ReplaceAll(rapid.StringN(0, 20, 100).Draw(t, label), "\x00", "")
}

// encode writes a value as JSON, but for what is raw in it.
func encode(v any) string {
	var b strings.Builder
	encodeTo(&b, v)
	return b.String()
}

func encodeTo(b *strings.Builder, v any) {
	switch v := v.(type) {
	case raw:
		b.WriteString(string(v))
	case map[string]any:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			encodeTo(b, name)
			b.WriteByte(':')
			encodeTo(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			encodeTo(b, e)
		}
		b.WriteByte(']')
	default:
		text, _ := json.Marshal(v) // strings, numbers, booleans and null
		b.Write(text)
	}
}
