package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTableCutsCellsToTheirColumn(t *testing.T) {
	var out bytes.Buffer
	err := table(&out, []column{{"A", 4}, {"B", 6}, {"C", uncut}}, [][]string{
		{"abcd", "abcdefg", "as long as it takes"},
		{"äöü", "日本語版", ""},
	})
	want := "A     B       C\n" +
		"abcd  abcde…  as long as it takes\n" +
		"äöü   日本…\n"
	if err != nil || out.String() != want {
		t.Errorf("table = %v\n%s want\n%s", err, out.String(), want)
	}
}

// A name can't move the cursor, hide the next line or forge a row.
func TestTerminalSeesNoControlCharacters(t *testing.T) {
	var out bytes.Buffer
	hostile := "a\x1b[2J\rb\nc\u202ed\x00"
	if err := table(&out, []column{{"N", 30}}, [][]string{{hostile}}); err != nil {
		t.Fatal(err)
	}
	if err := fields(&out, [][2]string{{"name", hostile}}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\r\x00\u202e") || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("printed %q", out.String())
	}
}

func TestSecretPrintsRedacted(t *testing.T) {
	key := NewKey{Key: secret{"ex_live_hidden"}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "key", key.Key)
	for _, text := range []string{
		fmt.Sprint(key.Key), fmt.Sprintf("%v %+v %#v %s %q %x", key, key, key, key.Key, key.Key, key.Key), log.String(),
	} {
		if strings.Contains(text, "hidden") || !strings.Contains(text, "[redacted]") {
			t.Errorf("printed %q", text)
		}
	}
	text, err := json.Marshal(key)
	if err != nil || !strings.HasSuffix(string(text), `,"key":"ex_live_hidden"}`) {
		t.Errorf("JSON = %s, %v", text, err)
	}
}

// terminal is a pseudo-terminal: what a person types goes into keyboard.
func terminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	return keyboard, screen
}

func TestConfirmAsksOnATerminalOnly(t *testing.T) {
	for answer, want := range map[string]error{"y\n": nil, "YES\n": nil, "n\n": errDeclined, "\n": errDeclined, "yep\n": errDeclined} {
		keyboard, screen := terminal(t)
		if _, err := keyboard.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		var asked bytes.Buffer
		s := &shell{stdin: screen, input: screen, stderr: &asked}
		if err := s.confirm(false, "really?"); err != want || asked.String() != "really? [y/N] " {
			t.Errorf("confirm with %q = %v after %q, want %v", answer, err, asked.String(), want)
		}
	}
	s := &shell{stdin: strings.NewReader("y\n"), stderr: &bytes.Buffer{}}
	if err := s.confirm(false, "really?"); err != errNeedsYes {
		t.Errorf("confirm without a terminal = %v, want errNeedsYes", err)
	}
	if err := s.confirm(true, "really?"); err != nil {
		t.Errorf("confirm with --yes = %v", err)
	}
}

func TestProgressIsDrawnOnATerminalOnly(t *testing.T) {
	keyboard, screen := terminal(t)
	progress, finish := (&shell{stderr: screen}).progressBar("verify")
	progress(1, 2)
	finish()
	seen := make([]byte, 200)
	n, err := keyboard.Read(seen)
	if err != nil || !strings.Contains(string(seen[:n]), "verify  [####################....................]  1/2") {
		t.Errorf("drew %q, %v", seen[:n], err)
	}
	if progress, _ := (&shell{stderr: &bytes.Buffer{}}).progressBar("verify"); progress != nil {
		t.Error("a bar is drawn into a file")
	}
}
