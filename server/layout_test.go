package server_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// width is how many columns a line of the document has, where it can.
const width = 110

// layouter writes JSON for people: what fits on a line stands on one, of the rest
// each member has its own. Members keep their order.
type layouter struct {
	t       *testing.T
	b       bytes.Buffer
	replace map[string]jsontext.Value // by pointer
}

func layOut(t *testing.T, text []byte, replace map[string]jsontext.Value) []byte {
	l := &layouter{t: t, replace: replace}
	l.value(text, "", 0, 0)
	l.b.WriteByte('\n')
	return l.b.Bytes()
}

// value writes v, of which used columns of its line are taken.
func (l *layouter) value(v jsontext.Value, pointer string, depth, used int) {
	if other, ok := l.replace[pointer]; ok {
		v = other
	}
	line := v.Clone()
	err := line.Format(jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true), jsontext.PreserveRawStrings(true), jsontext.AllowDuplicateNames(false))
	if err != nil {
		l.t.Fatal(err)
	}
	kind := line.Kind()
	if kind != '{' && kind != '[' || len(line) == 2 || used+utf8.RuneCount(line) <= width && !l.replaces(pointer) {
		l.b.Write(line)
		return
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(line))
	open, _ := dec.ReadToken() // checked above, as is all that follows
	l.b.WriteString(open.String() + "\n")
	for first := true; dec.PeekKind() != '}' && dec.PeekKind() != ']'; first = false {
		if !first {
			l.b.WriteString(",\n")
		}
		l.member(dec, kind, pointer, depth+1)
	}
	l.b.WriteString("\n" + strings.Repeat("  ", depth))
	closing, _ := dec.ReadToken()
	l.b.WriteString(closing.String())
}

func (l *layouter) member(dec *jsontext.Decoder, kind jsontext.Kind, pointer string, depth int) {
	head := strings.Repeat("  ", depth)
	if kind == '[' {
		pointer += "/-" // no element is replaced
	} else {
		name, _ := dec.ReadValue()
		name = name.Clone()
		head += string(name) + ": "
		text, _ := jsontext.AppendUnquote(nil, name)
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(string(text))
	}
	l.b.WriteString(head)
	v, err := dec.ReadValue()
	if err != nil {
		l.t.Fatal(err)
	}
	l.value(v.Clone(), pointer, depth, utf8.RuneCountInString(head))
}

// replaces reports whether something below pointer is replaced.
func (l *layouter) replaces(pointer string) bool {
	for p := range l.replace {
		if strings.HasPrefix(p, pointer+"/") {
			return true
		}
	}
	return false
}
