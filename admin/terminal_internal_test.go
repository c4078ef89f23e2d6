package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exante/storage"
)

// onScreen is what a person sees of what draw writes to a terminal.
func onScreen(t *testing.T, draw func(screen *os.File)) string {
	t.Helper()
	keyboard, screen := terminal(t)
	draw(screen)
	if _, err := io.WriteString(screen, "\x04"); err != nil {
		t.Fatal(err)
	}
	var seen []byte
	for !bytes.Contains(seen, []byte{4}) {
		text := make([]byte, 4096)
		n, err := keyboard.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, text[:n]...)
	}
	return strings.ReplaceAll(strings.TrimSuffix(string(seen), "\x04"), "\r\n", "\n")
}

func drawStates(w io.Writer) error {
	rows := [][]string{{"a", "active", "active"}, {"b", "retiring", ""}, {"c", "revoked", "\x1b[31m"}, {"d", "expired", "x"}}
	if err := table(w, []column{{"NAME", 4}, {"STATE", 8}, {"NOTE", 6}}, rows); err != nil {
		return err
	}
	return fields(w, [][2]string{{"name", "active"}, {"state", "active"}})
}

func TestStatesHaveColoursOnATerminalAlone(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	var plainText bytes.Buffer
	if err := drawStates(&plainText); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plainText.String(), "\x1b") {
		t.Errorf("a file gets colours: %q", plainText.String())
	}
	draw := func(screen *os.File) {
		if err := drawStates(screen); err != nil {
			t.Error(err)
		}
	}
	coloured := onScreen(t, draw)
	for _, want := range []string{
		"a     \x1b[32mactive\x1b[0m    active\n", "b     \x1b[33mretiring\x1b[0m\n", "c     \x1b[31mrevoked\x1b[0m   �[31m\n",
		"d     \x1b[2mexpired\x1b[0m   x\n", "name   active\n", "state  \x1b[32mactive\x1b[0m\n",
	} {
		if !strings.Contains(coloured, want) {
			t.Errorf("drew %q without %q", coloured, want)
		}
	}
	for _, none := range [][2]string{{"NO_COLOR", "0"}, {"TERM", "dumb"}} {
		t.Run(none[0], func(t *testing.T) {
			t.Setenv(none[0], none[1])
			if got := onScreen(t, draw); got != plainText.String() {
				t.Errorf("drew %q, want %q", got, plainText.String())
			}
		})
	}
}

func TestErrorsHaveAColourOnATerminalAlone(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	got := onScreen(t, func(screen *os.File) { report(screen, storage.ErrNotFound) })
	if got != "\x1b[31mexante:\x1b[0m no such record\n" {
		t.Errorf("drew %q", got)
	}
}

// With --json a program reads why something failed from the last line.
func TestErrorsAsJSON(t *testing.T) {
	for line, want := range map[string]string{
		"keys list --nonsense --json": `{"error":"unknown flag --nonsense","code":"usage","exit":2,"hint":"see: exante keys list --help"}`,
		"keyz --json":                 `{"error":"unknown command \"keyz\": did you mean keys?","code":"usage","exit":2,"hint":"see: exante --help"}`,
	} {
		var out, talk bytes.Buffer
		code := Main(append([]string{"exante"}, strings.Fields(line)...), strings.NewReader(""), &out, &talk, nil, nil)
		if code != exitUsage || talk.String() != want+"\n" || out.Len() > 0 {
			t.Errorf("%s = %d, %s", line, code, talk.String())
		}
	}
	if wantsJSON([]string{"keys", "show", "--", "--json"}) {
		t.Error("an argument is taken for a flag")
	}
	var talk bytes.Buffer
	code := reportJSON(&talk, fmt.Errorf("a\x1b[2J\nb: %w", os.ErrPermission))
	var got struct {
		Error, Code string
		Exit        int
		Hint        *string
	}
	if err := json.Unmarshal(talk.Bytes(), &got); err != nil || code != exitFailed || got.Exit != code || got.Code != "permission" || got.Hint == nil ||
		!strings.HasPrefix(got.Error, "a\x1b[2J\nb") || strings.Count(talk.String(), "\n") != 1 || strings.Contains(talk.String(), "\x1b") {
		t.Errorf("said %s, %v", talk.String(), err)
	}
	talk.Reset()
	if code := reportJSON(&talk, io.ErrUnexpectedEOF); code != exitFailed || talk.String() != `{"error":"unexpected EOF","code":"failed","exit":1,"hint":null}`+"\n" {
		t.Errorf("said %s", talk.String())
	}
}

func TestWideCharactersAreCounted(t *testing.T) {
	for text, want := range map[string]int{
		"abc": 3, "äöü": 3, "e\u0301": 1, "日本": 4, "한글": 4, "ｱ": 1, "ＡＢ": 4, "🚀": 2, "⚡": 2, "✓": 1, "❤\ufe0f": 1, "\u1112\u1161\u11ab": 2, "𠀀": 2,
	} {
		if _, got := fit(text, 80); got != want {
			t.Errorf("%q takes %d cells, want %d", text, got, want)
		}
	}
}

// A bar fits whatever terminal there is, and says more where there is room.
func TestBarFitsTheTerminal(t *testing.T) {
	b := &bar{what: "import"}
	for _, c := range []struct {
		wide int
		want string
	}{
		{79, "import  [##########..............................]  250k/1M  50k/s  0:15 left"},
		{50, "import  [###..........]  250k/1M  50k/s  0:15 left"},
		{40, "import  250k/1M  50k/s  0:15 left"},
		{24, "import  250k/1M  50k/s"},
		{17, "import  250k/1M"},
		{6, "import"}, {3, "imp"}, {0, ""}, {-1, ""},
	} {
		if got := b.line(250_000, 1_000_000, 5*time.Second, c.wide); got != c.want {
			t.Errorf("at %d columns: %q, want %q", c.wide, got, c.want)
		}
	}
	for wide := range 200 {
		for _, done := range []int{0, 1, 999, 1e6, 1 << 62} {
			for _, total := range []int{0, 1, 1e6, 1 << 62} {
				if got := b.line(done, total, time.Hour, wide); len(got) > wide {
					t.Fatalf("%d of %d at %d columns: %q", done, total, wide, got)
				}
			}
		}
	}
}

func TestCountsAreShortened(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 999: "999", 1000: "1k", 1049: "1.04k", 12_345: "12.3k", 99_999: "99.9k", 100_000: "100k", 250_000: "250k", 999_999: "999k",
		1_000_000: "1M", 4_560_000: "4.56M", 1 << 40: "1.09T", 1 << 62: "999T",
	} {
		if got := short(n); got != want {
			t.Errorf("short(%d) = %s, want %s", n, got, want)
		}
	}
	for s, want := range map[int]string{0: "0:00", 7: "0:07", 754: "12:34", 3723: "1:02:03"} {
		if got := clock(s); got != want {
			t.Errorf("clock(%d) = %s, want %s", s, got, want)
		}
	}
}

func TestBarIsDrawnTenTimesASecondAtMost(t *testing.T) {
	var out bytes.Buffer
	at := time.Unix(1e9, 0)
	b := &bar{out: &out, what: "verify", now: func() time.Time { return at }, columns: func() int { return 80 }, began: at}
	for n := range 3000 { // three seconds
		at = at.Add(time.Millisecond)
		b.draw(n, 3001)
	}
	if drawn := strings.Count(out.String(), "\r"); drawn < 25 || drawn > 30 {
		t.Errorf("drawn %d times in 3 s", drawn)
	}
	b.draw(3001, 3001)
	if !strings.Contains(out.String(), "3k/3k") {
		t.Errorf("the end was not drawn: %q", out.String())
	}
}

func TestBarAsksTheTerminalForItsWidth(t *testing.T) {
	keyboard, screen := terminal(t)
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 20}); err != nil {
		t.Fatal(err)
	}
	progress, finish := (&shell{stderr: screen}).progressBar("verify")
	progress(1, 2)
	finish()
	const want = "\rverify  1/2\x1b[K\r\x1b[K"
	seen := make([]byte, len(want))
	// A terminal hands over what there is, which may be the half of it.
	if _, err := io.ReadFull(keyboard, seen); err != nil || string(seen) != want {
		t.Errorf("drew %q, %v", seen, err)
	}
}

// Whatever a record holds, a row is one line of the screen.
func TestHostileCellsKeepToTheirColumns(t *testing.T) {
	columns := []column{{"UID", 36}, {"STATE", 8}, {"KEY", 15}, {"NAME", 15}}
	for _, text := range []string{
		strings.Repeat("x", 1e5), strings.Repeat("日本語", 50), strings.Repeat("🚀", 50), "a" + strings.Repeat("日", 50), strings.Repeat("e\u0301", 200),
		strings.Repeat("\u202e", 50), "\n\n\r\t\x1b[2J", strings.Repeat("👩\u200d👩", 20), "\xff\xfe", strings.Repeat("\u0301", 500), " ",
	} {
		var out bytes.Buffer
		if err := table(&out, columns, [][]string{{text, text, text, text}, {text, "", "", ""}, {"", "", "", text}}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 4 {
			t.Errorf("%.20q makes %d lines of 4", text, len(lines))
		}
		for _, line := range lines {
			if _, wide := fit(line, 1000); wide > screenWidth {
				t.Errorf("%.20q makes a line of %d cells", text, wide)
			}
		}
	}
}
