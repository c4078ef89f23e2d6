package chart

import "html/template"

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
	plotTop    = 10 * px
	plotHeight = 180 * px
	plotBottom = plotTop + plotHeight
	stackedAll = plotBottom + 26*px
	maxLabels  = 8
)

// Stacked draws a bar for each piece of time, its outcomes on top of each other. The
// numbers of the axis stand left of the drawing's own box, in the room that the class
// "stacked" gives them.
func Stacked(s Series) template.HTML {
	var d drawing
	total := s.Total()
	d.begin("chart stacked", stackedAll, s.Title, total.String())
	scale := []uint64{0}
	if highest := s.highest(); highest > 0 {
		scale = ticks(highest)
	} else {
		d.element("text", attrs{"class", "none", "x", percent(50_00), "y", plotTop + plotHeight/2, "text-anchor", "middle"}, "No requests in this time")
	}
	d.grid(scale)
	for i, b := range s.Bars {
		d.bar(b, slot{i, len(s.Bars)}, scale[len(scale)-1])
	}
	d.labels(s.Bars)
	return d.html()
}

// highest is the most that any bar has.
func (s Series) highest() uint64 {
	var highest uint64
	for _, b := range s.Bars {
		highest = max(highest, b.Counts.Total())
	}
	return highest
}

// slot is the place of a bar along the axis: the nth of so many.
type slot struct{ n, of int }

// at is where so many hundredths of the slot have passed.
func (s slot) at(hundredths int) percent {
	return percent((s.n*100 + hundredths) * 100_00 / (s.of * 100))
}

// grid draws a line and a number for each tick.
func (d *drawing) grid(scale []uint64) {
	d.open("g", attrs{"class", "grid"})
	for _, n := range scale {
		y := plotBottom - height(n, scale[len(scale)-1])
		d.shape("line", attrs{"x1", "0", "x2", "100%", "y1", y, "y2", y})
		d.element("text", attrs{"x", "-8", "y", y, "dy", "0.32em", "text-anchor", "end"}, short(n))
	}
	d.close("g")
}

// height is how high n is drawn where top reaches the whole height.
func height(n, top uint64) length { return length(share(int(plotHeight), n, top)) }

// bar draws one. Its whole height tells its numbers, an empty bar's too. Whatever
// happened at all is at least a pixel high.
func (d *drawing) bar(b Bar, s slot, top uint64) {
	const gap = 9 // hundredths of the slot, on either side
	left, right := s.at(gap), s.at(100-gap)
	d.open("g", attrs{"class", "bar"})
	d.element("title", nil, b.Name+": "+b.Counts.String())
	d.shape("rect", attrs{"class", "hit", "x", s.at(0), "y", plotTop, "width", s.at(100) - s.at(0), "height", plotHeight, "fill", "none", "pointer-events", "all"})
	y := plotBottom
	for o, n := range b.Counts {
		if n == 0 {
			continue
		}
		high := max(height(n, top), 1*px)
		y = max(y-high, 0)
		d.shape("rect", attrs{"class", Outcome(o).Class(), "x", left, "y", y, "width", right - left, "height", high})
	}
	d.close("g")
}

// labels names as many bars as there is room for, evenly.
func (d *drawing) labels(bars []Bar) {
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
			class := []string{"major", "minor"}[seen/every%2]
			d.element("text", attrs{"class", class, "x", slot{i, len(bars)}.at(50), "y", plotBottom + 18*px, "text-anchor", "middle"}, b.Label)
		}
		seen++
	}
	d.close("g")
}
