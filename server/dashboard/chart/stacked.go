package chart

import (
	"html/template"
	"strings"
)

// Series are requests over time.
type Series struct {
	Title string // what the chart shows, for those who do not see it
	Bars  []Bar  // equally long, the earliest first
}

// Bar is a piece of time.
type Bar struct {
	Label  string // short, below it: "14:00"; "": none. Of many only some are drawn.
	Name   string // in full, on hover: "26 November, 14:00 to 15:00 UTC"
	Counts Counts
}

// Total is what came of all requests.
func (s Series) Total() Counts {
	var total Counts
	for _, b := range s.Bars {
		total = total.Plus(b.Counts)
	}
	return total
}

// The measures of a stacked chart, in CSS pixels.
const (
	plotTop    = 10.0
	plotHeight = 180.0
	plotBottom = plotTop + plotHeight
	stackedAll = plotBottom + 26
	maxLabels  = 8
)

// Stacked draws a bar for each piece of time, its outcomes on top of each other. The
// numbers of the axis stand left of the drawing's own box, in the room that the class
// "stacked" gives them.
func Stacked(s Series) template.HTML {
	var d drawing
	total := s.Total()
	d.begin("chart stacked", stackedAll, s.Title, total.String())
	var highest float64
	for _, b := range s.Bars {
		highest = max(highest, float64(b.Counts.Total()))
	}
	scale := ticks(highest)
	d.grid(scale)
	if total.Total() == 0 {
		d.element("text", attrs{"class", "none", "x", percent(50), "y", plotTop + plotHeight/2, "text-anchor", "middle"}, "No requests in this time")
	}
	width := 100 / float64(max(len(s.Bars), 1))
	for i, b := range s.Bars {
		d.bar(b, float64(i)*width, width, scale[len(scale)-1])
	}
	d.labels(s.Bars, width)
	return d.html()
}

// grid draws a line and a number for each tick.
func (d *drawing) grid(scale []float64) {
	d.open("g", attrs{"class", "grid"})
	for _, v := range scale {
		y := plotBottom - plotHeight*v/scale[len(scale)-1]
		d.shape("line", attrs{"x1", "0", "x2", "100%", "y1", y, "y2", y})
		d.element("text", attrs{"x", "-8", "y", y, "dy", "0.32em", "text-anchor", "end"}, short(v))
	}
	d.close("g")
}

// bar draws one. Its whole height tells its numbers, an empty bar's too. Whatever
// happened at all is at least a pixel high.
func (d *drawing) bar(b Bar, left, width, top float64) {
	const gap = 0.18 // of the width
	d.open("g", attrs{"class", "bar"})
	d.element("title", nil, b.Name+": "+b.Counts.String())
	d.shape("rect", attrs{"class", "hit", "x", percent(left), "y", plotTop, "width", percent(width), "height", plotHeight, "fill", "none", "pointer-events", "all"})
	y := plotBottom
	for o, n := range b.Counts {
		if n == 0 {
			continue
		}
		height := max(plotHeight*float64(n)/top, 1)
		y -= height
		d.shape("rect", attrs{"class", Outcome(o).Class(), "x", percent(left + width*gap/2), "y", max(y, 0), "width", percent(width * (1 - gap)), "height", height})
	}
	d.close("g")
}

// labels names as many bars as there is room for, evenly.
func (d *drawing) labels(bars []Bar, width float64) {
	named := 0
	for _, b := range bars {
		if b.Label != "" {
			named++
		}
	}
	every := (named + maxLabels - 1) / maxLabels
	seen := 0
	d.open("g", attrs{"class", "axis"})
	for i, b := range bars {
		if b.Label == "" {
			continue
		}
		if seen%every == 0 {
			classes := []string{"", "minor"}
			d.element("text", attrs{"class", classes[seen/every%2], "x", percent((float64(i) + 0.5) * width), "y", plotBottom + 18, "text-anchor", "middle"}, strings.TrimSpace(b.Label))
		}
		seen++
	}
	d.close("g")
}
