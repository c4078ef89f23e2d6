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
	painted := colours(w)
	var b strings.Builder
	for _, row := range append([][]string{titles}, rows...) {
		gap := 0 // blanks are owed until something follows them
		for i, cell := range row {
			word, fill := printable(cell), 0
			if wide := columns[i].wide; wide != uncut {
				cut, width := fit(word, wide)
				word, fill = cut, wide-width+2
			}
			if word == "" {
				gap += fill
				continue
			}
			if painted && stateTitles[columns[i].title] {
				word = paint(word, stateHues[cell])
			}
			b.WriteString(strings.Repeat(" ", gap) + word)
			gap = fill
		}
		b.WriteByte('\n')
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
	painted := colours(w)
	var b strings.Builder
	for _, p := range pairs {
		text := printable(p[1])
		if painted && stateTitles[p[0]] {
			text = paint(text, stateHues[p[1]])
		}
		fmt.Fprintf(&b, "%-*s  %s\n", wide, p[0], text)
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

// wideRunes are drawn two cells wide (UAX #11, W and F, as blocks; emoji as
// terminals draw them).
var wideRunes = [][2]rune{
	{0x1100, 0x115F}, {0x231A, 0x231B}, {0x23E9, 0x23EC}, {0x25FD, 0x25FE}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x26A1, 0x26A1},
	{0x26AA, 0x26AB}, {0x26BD, 0x26BE}, {0x26C4, 0x26C5}, {0x26D4, 0x26D4}, {0x26EA, 0x26EA}, {0x26F2, 0x26F5}, {0x2705, 0x2705},
	{0x270A, 0x270B}, {0x2728, 0x2728}, {0x274C, 0x274E}, {0x2753, 0x2757}, {0x2795, 0x2797}, {0x2B1B, 0x2B1C}, {0x2B50, 0x2B55},
	{0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF}, {0x4E00, 0xA4CF}, {0xA960, 0xA97F}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
	{0xFE10, 0xFE19}, {0xFE30, 0xFE6F}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x16FE0, 0x18CFF}, {0x1AFF0, 0x1B2FF}, {0x1F004, 0x1F004},
	{0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1FAFF}, {0x20000, 0x3FFFD},
}

// cells is how wide a terminal draws r. Marks are drawn over what stands before them.
func cells(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) || r >= 0x1160 && r <= 0x11FF {
		return 0
	}
	for _, block := range wideRunes {
		if r >= block[0] && r <= block[1] {
			return 2
		}
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
	if _, err := fmt.Fscanln(s.input, &answer); err != nil || !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		return errDeclined
	}
	return nil
}
