package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// printJSON prints v on one line.
func (s *shell) printJSON(v any) error { return printJSONTo(s.stdout, v) }

func printJSONTo(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// tell writes to the operator, beside the data.
func (s *shell) tell(format string, args ...any) {
	fmt.Fprintf(s.stderr, format+"\n", args...)
}

// column is one column of a table; wide is its width, longer cells are cut.
type column struct {
	title string
	wide  int
}

// uncut is the width of a last column whose cells matter more than the margin.
const uncut = 0

// table prints rows below titles. A cell is one line of printable characters
// whatever a record holds: names come from outside.
func table(w io.Writer, columns []column, rows [][]string) error {
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	var b strings.Builder
	for _, row := range append([][]string{titles}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			cell = printable(cell)
			if columns[i].wide == uncut {
				line.WriteString(cell)
				continue
			}
			cell, width := fit(cell, columns[i].wide)
			line.WriteString(cell + strings.Repeat(" ", columns[i].wide-width+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fields prints one record, a line a field.
func fields(w io.Writer, pairs [][2]string) error {
	wide := 0
	for _, p := range pairs {
		wide = max(wide, len(p[0]))
	}
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%-*s  %s\n", wide, p[0], printable(p[1]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable replaces what could move the cursor or reorder the line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// fit cuts s to wide terminal cells and says how many it takes.
func fit(s string, wide int) (string, int) {
	width, cut, cutWidth := 0, 0, 0
	for i, r := range s {
		n := cells(r)
		if width+n > wide {
			return s[:cut] + "…", cutWidth + 1
		}
		width += n
		if width <= wide-1 {
			cut, cutWidth = i+len(string(r)), width
		}
	}
	return s, width
}

// cells is how wide a terminal draws r: East Asian characters take two.
func cells(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0xFF01 && r <= 0xFF60, r >= 0x1F300 && r <= 0x1FAFF:
		return 2
	}
	return 1
}

// isTerminal reports whether a person is at the other end of stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// confirm asks before something that can't be undone.
func (s *shell) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !isTerminal(s.stdin) {
		return errNeedsYes
	}
	fmt.Fprint(s.stderr, question+" [y/N] ")
	var answer string
	if _, err := fmt.Fscanln(s.stdin, &answer); err != nil || !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		return errDeclined
	}
	return nil
}

// progressBar draws on stderr while something long runs, if a person sees it.
// finish wipes it.
func (s *shell) progressBar(what string) (progress Progress, finish func()) {
	if !isTerminal(s.stderr) {
		return nil, func() {}
	}
	const wide = 40
	draw := func(done, total int) {
		full := wide
		if total > 0 {
			full = min(wide, wide*done/total)
		}
		fmt.Fprintf(s.stderr, "\r%s [%s%s] %d/%d", what, strings.Repeat("#", full), strings.Repeat(".", wide-full), done, total)
	}
	return draw, func() { fmt.Fprint(s.stderr, "\r\x1b[K") }
}
