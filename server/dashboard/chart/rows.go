package chart

import (
	"html/template"
	"strings"
	"unicode"
)

// Row is one horizontal bar.
type Row struct {
	Label string // what it is: "Overdue"
	Value uint64 // its length, beside the others
	Text  string // the numbers to read: "12 invoices, EUR 1,300.00"
	Class string // that colours it; "": as the first series
	Href  string // where it leads, a path of this site or its query; "": nowhere
}

const rowHeight = 44 * px // to be hit with a finger

// Rows draws a bar for each row, from the top, its words above it; nothing without rows.
func Rows(rows []Row) template.HTML {
	if len(rows) == 0 {
		return ""
	}
	var d drawing
	d.open("svg", attrs{"xmlns", "http://www.w3.org/2000/svg", "class", "chart rows", "role", "list", "width", "100%", "height", rowHeight * length(len(rows))})
	var highest uint64
	for _, r := range rows {
		highest = max(highest, r.Value)
	}
	for i, r := range rows {
		d.row(r, rowHeight*length(i), highest)
	}
	return d.html()
}

// row is an item of a list, and a link if it leads anywhere.
func (d *drawing) row(r Row, top length, highest uint64) {
	d.open("g", attrs{"role", "listitem"})
	leads := local(r.Href)
	if leads {
		d.open("a", attrs{"href", r.Href})
		d.shape("rect", attrs{"class", "hit", "x", "0", "y", top, "width", "100%", "height", rowHeight, "fill", "none", "pointer-events", "all"})
	}
	d.element("text", attrs{"x", "0", "y", top + 16*px}, r.Label)
	d.element("text", attrs{"class", "amount", "x", "100%", "y", top + 16*px, "text-anchor", "end"}, r.Text)
	d.shape("rect", attrs{"class", "track", "x", "0", "y", top + 25*px, "width", "100%", "height", 8 * px, "rx", 4 * px})
	if r.Value > 0 {
		class := r.Class
		if class == "" {
			class = OK.Class()
		}
		d.shape("rect", attrs{"class", class, "x", "0", "y", top + 25*px, "width", percent(max(share(100_00, r.Value, highest), 50)), "height", 8 * px, "rx", 4 * px})
	}
	if leads {
		d.close("a")
	}
	d.close("g")
}

// local reports whether a link stays on this site. Browsers drop tabs and line ends
// from an address and take a backslash for a slash.
func local(href string) bool {
	if strings.ContainsFunc(href, func(r rune) bool { return r <= ' ' || r == '\\' || r == unicode.ReplacementChar }) {
		return false
	}
	return strings.HasPrefix(href, "?") || strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//")
}
