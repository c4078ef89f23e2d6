package chart_test

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"strings"
	"testing"

	"exante/server/dashboard/chart"
)

// wellFormed checks that a drawing is XML with nothing in it that is not ours.
func wellFormed(t *testing.T, drawn template.HTML) {
	t.Helper()
	ours := map[string]bool{
		"svg": true, "title": true, "desc": true, "g": true, "a": true, "rect": true, "line": true, "text": true, "path": true,
	}
	in := xml.NewDecoder(strings.NewReader(string(drawn)))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", drawn, err)
		}
		tag, is := token.(xml.StartElement)
		if !is {
			continue
		}
		if !ours[tag.Name.Local] {
			t.Fatalf("element %s in %s", tag.Name.Local, drawn)
		}
		for _, a := range tag.Attr {
			if name := a.Name.Local; name == "style" || strings.HasPrefix(name, "on") {
				t.Fatalf("attribute %s in %s", name, drawn)
			}
			switch a.Name.Local {
			case "x", "y", "width", "height", "x1", "x2", "y1", "y2", "d":
				if strings.ContainsAny(a.Value, "NIe") { // NaN, Inf, 1e9
					t.Fatalf("%s=%q in %s", a.Name.Local, a.Value, drawn)
				}
			}
		}
	}
}

func FuzzDrawingsAreWellFormed(f *testing.F) {
	f.Add([]byte{}, "", "")
	f.Add([]byte("12345678"), `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "' onmouseover='", "/\x00\u202e]]>\ufffe\xff")
	f.Fuzz(func(t *testing.T, numbers []byte, label, href string) {
		var counts []uint64
		for len(numbers) >= 8 && len(counts) < 500 {
			counts, numbers = append(counts, binary.LittleEndian.Uint64(numbers)), numbers[8:]
		}
		s := chart.Series{Title: label}
		var rows []chart.Row
		for i, n := range counts {
			b := chart.Bar{Label: label, Name: href}
			b.Counts[i%len(b.Counts)], b.Counts[0] = n, n
			s.Bars = append(s.Bars, b)
			rows = append(rows, chart.Row{Label: label, Value: n, Text: href, Class: label, Href: href})
		}
		wellFormed(t, chart.Stacked(s))
		wellFormed(t, chart.Spark(counts, label))
		wellFormed(t, chart.Rows(rows))
	})
}
