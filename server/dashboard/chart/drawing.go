package chart

import (
	"encoding/xml"
	"html/template"
	"strconv"
	"strings"
)

// drawing writes SVG. Text and attribute values are escaped here and nowhere else;
// names of elements and attributes are constants of this package.
type drawing struct{ b strings.Builder }

// attrs are names and values by turns. A value is a string, a length, or a percentage.
type attrs []any

// length is in hundredths of a CSS pixel: exact, and never no number.
type length int

// px is a whole number of pixels.
const px length = 100

// percent is in hundredths of one.
type percent int

// begin opens an SVG of a fixed height that is one image to a screen reader.
func (d *drawing) begin(class string, height length, title, desc string) {
	d.open("svg", attrs{"xmlns", "http://www.w3.org/2000/svg", "class", class, "role", "img", "width", "100%", "height", height})
	d.element("title", nil, title)
	if desc != "" {
		d.element("desc", nil, desc)
	}
}

func (d *drawing) open(name string, a attrs) {
	d.start(name, a)
	d.b.WriteByte('>')
}

func (d *drawing) close(name string) {
	d.b.WriteString("</" + name + ">")
}

// element writes one that holds text.
func (d *drawing) element(name string, a attrs, text string) {
	d.open(name, a)
	d.text(text)
	d.close(name)
}

// shape writes an element that holds nothing.
func (d *drawing) shape(name string, a attrs) {
	d.start(name, a)
	d.b.WriteString("/>")
}

func (d *drawing) start(name string, a attrs) {
	d.b.WriteString("<" + name)
	for i := 0; i+1 < len(a); i += 2 {
		d.b.WriteString(" " + a[i].(string) + `="`)
		switch v := a[i+1].(type) {
		case string:
			d.text(v)
		case length:
			d.b.WriteString(decimal(int(v)))
		case percent:
			d.b.WriteString(decimal(int(v)) + "%")
		}
		d.b.WriteByte('"')
	}
}

// text escapes s; what XML can't hold becomes U+FFFD.
func (d *drawing) text(s string) { _ = xml.EscapeText(&d.b, []byte(s)) } // a Builder takes all

// html ends the drawing.
func (d *drawing) html() template.HTML {
	d.close("svg")
	return template.HTML(d.b.String()) // text escaped it
}

// decimal writes hundredths as short as it goes: 4.5 for 450.
func decimal(hundredths int) string {
	s := strconv.Itoa(hundredths / 100)
	if part := hundredths % 100; part != 0 {
		s += strings.TrimRight("."+strconv.Itoa(100 + part)[1:], "0")
	}
	return s
}
