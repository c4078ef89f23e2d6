package chart

import (
	"html/template"
	"strconv"
	"strings"
)

// The measures of a sparkline, in CSS pixels.
const (
	sparkBars   = 24
	sparkStep   = 4
	sparkHeight = 20
)

// Spark draws the last 24 of counts, the earliest first, as small bars without an
// axis, for a list: the highest fills the height. The label says what they are, for
// those who do not see it and on hover. It takes less than 1 KiB and the label.
func Spark(counts []uint64, label string) template.HTML {
	counts = counts[max(0, len(counts)-sparkBars):]
	var highest uint64
	for _, n := range counts {
		highest = max(highest, n)
	}
	var d drawing
	d.open("svg", attrs{"xmlns", "http://www.w3.org/2000/svg", "class", "spark", "role", "img",
		"width", sparkBars * sparkStep * px, "height", (sparkHeight + 1) * px})
	d.element("title", nil, label)
	d.shape("path", attrs{"class", "base", "d", "M0 " + strconv.Itoa(sparkHeight) + "h" + strconv.Itoa(sparkBars*sparkStep) + "v1H0z"})
	if highest > 0 {
		d.shape("path", attrs{"class", "bars", "d", sparkPath(counts, highest)})
	}
	return d.html()
}

// sparkPath is one path of all bars, those of the last hours at the right.
func sparkPath(counts []uint64, highest uint64) string {
	var b strings.Builder
	first := sparkBars - len(counts)
	for i, n := range counts {
		if n == 0 {
			continue
		}
		height := max(share(sparkHeight, n, highest), 1)
		b.WriteString("M" + strconv.Itoa((first+i)*sparkStep) + " " + strconv.Itoa(sparkHeight) + "v-" + strconv.Itoa(height) + "h3v" + strconv.Itoa(height) + "z")
	}
	return b.String()
}
