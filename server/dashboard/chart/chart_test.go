package chart_test

import (
	"flag"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/server/dashboard/chart"
)

var update = flag.Bool("update", false, "write the golden drawings anew")

// day is a day of requests, most of them good.
func day() chart.Series {
	s := chart.Series{Title: "Requests of the last 24 hours"}
	for h := range 24 {
		var c chart.Counts
		c[chart.OK] = uint64(h * h * 3)
		if h%5 == 0 {
			c[chart.RateLimited] = uint64(h * 10)
		}
		if h == 7 {
			c[chart.Unauthorized], c[chart.Forbidden], c[chart.ServerError] = 1, 2, 300
		}
		label := fmt.Sprintf("%02d:00", h)
		s.Bars = append(s.Bars, chart.Bar{Label: label, Name: "26 November, " + label, Counts: c})
	}
	return s
}

func rows() []chart.Row {
	return []chart.Row{
		{Label: "Paid", Value: 900, Text: "12 invoices, EUR 1,300.00", Class: "good", Href: "?status=paid"},
		{Label: "Overdue & late", Value: 1, Text: "1 invoice, EUR 1.00", Class: "bad"},
		{Label: "Draft", Text: "none"},
	}
}

func TestDrawingsAreTheGoldenOnes(t *testing.T) {
	spark := make([]uint64, 24)
	for i := range spark {
		spark[i] = uint64(i * i)
	}
	for name, got := range map[string]template.HTML{
		"stacked":     chart.Stacked(day()),
		"empty":       chart.Stacked(chart.Series{Title: "Requests", Bars: make([]chart.Bar, 24)}),
		"nothing":     chart.Stacked(chart.Series{}),
		"spark":       chart.Spark(spark, "4,324 requests in 24 hours"),
		"spark_empty": chart.Spark(nil, "No requests in 24 hours"),
		"rows":        chart.Rows(rows()),
	} {
		path := filepath.Join("testdata", name+".svg")
		text := strings.ReplaceAll(string(got), "><", ">\n<") + "\n"
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, text, want)
		}
	}
}

func TestASparklineIsSmall(t *testing.T) {
	counts := make([]uint64, 100)
	for i := range counts {
		counts[i] = math.MaxUint64 - uint64(i%2)*math.MaxUint64/2
	}
	if got := chart.Spark(counts, "label"); len(got) > 1<<10 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

// Whatever happened at all is seen, beside however much.
func TestOneRequestAmongMillionsIsDrawn(t *testing.T) {
	s := chart.Series{Bars: make([]chart.Bar, 2)}
	s.Bars[0].Counts[chart.OK], s.Bars[1].Counts[chart.ServerError] = 5_000_000, 1
	got := string(chart.Stacked(s))
	if !strings.Contains(got, `class="failed"`) || !strings.Contains(got, `width="41%" height="1"/>`) {
		t.Errorf("the server error is not drawn: %s", got)
	}
}

func TestCountsAreToldInWords(t *testing.T) {
	for want, c := range map[string]chart.Counts{
		"no requests":             {},
		"1 request (Accepted: 1)": {chart.OK: 1},
		"1,234,570 requests (Accepted: 1,234,567, 5xx Server error: 3)":                                {chart.OK: 1234567, chart.ServerError: 3},
		"18,446,744,073,709,551,615 requests (Accepted: 18,446,744,073,709,551,615, 403 Forbidden: 1)": {chart.OK: math.MaxUint64, chart.Forbidden: 1},
	} {
		if got := c.String(); got != want {
			t.Errorf("%v reads %q, want %q", [5]uint64(c), got, want)
		}
	}
}

func TestLabelsAreThinnedEvenly(t *testing.T) {
	for bars, want := range map[int]int{1: 1, 8: 8, 9: 5, 24: 8, 30: 8, 168: 8} {
		s := chart.Series{Bars: make([]chart.Bar, bars)}
		for i := range s.Bars {
			s.Bars[i].Label = "12:00"
		}
		if got := strings.Count(string(chart.Stacked(s)), ">12:00<"); got != want {
			t.Errorf("%d bars have %d labels, want %d", bars, got, want)
		}
	}
}

// A row leads only to where this site is.
func TestARowLeadsNowhereElse(t *testing.T) {
	for href, leads := range map[string]bool{
		"?status=paid": true, "/invoices?status=paid": true, "": false, "javascript:alert(1)": false, "//evil.example": false,
		"/\\evil.example": false, "/\t/evil.example": false, "https://evil.example": false, "\u00a0javascript:alert(1)": false,
	} {
		if got := strings.Contains(string(chart.Rows([]chart.Row{{Href: href}})), "<a "); got != leads {
			t.Errorf("%q leads somewhere: %t, want %t", href, got, leads)
		}
	}
}
