package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exante/admin/config"
	"exante/storage"
	"exante/storage/input"
)

// typist answers each question on a terminal once it has been asked.
type typist struct {
	keyboard *os.File
	answers  []string
	asked    bytes.Buffer
}

func (p *typist) Write(text []byte) (int, error) {
	p.asked.Write(text)
	if strings.HasSuffix(string(text), ": ") && len(p.answers) > 0 {
		answer := p.answers[0]
		p.answers = p.answers[1:]
		if _, err := p.keyboard.WriteString(answer); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}

// shown is what the terminal has shown of what was typed.
func shown(t *testing.T, keyboard *os.File) string {
	t.Helper()
	fd := []unix.PollFd{{Fd: int32(keyboard.Fd()), Events: unix.POLLIN}}
	if n, err := unix.Poll(fd, 0); err != nil || n == 0 {
		return ""
	}
	b := make([]byte, 1000)
	n, err := keyboard.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func echoes(t *testing.T, screen *os.File) bool {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

func TestPasswordIsTypedTwiceUnseen(t *testing.T) {
	for _, c := range []struct {
		answers []string
		want    string
		refusal string
	}{
		{[]string{"correct horse\n", "correct horse\n"}, "correct horse", ""},
		{[]string{"correct horse\n", "correct house\n"}, "", "password: was not typed the same both times"},
		{[]string{"\n", "\n"}, "", ""},
		{[]string{"\x04"}, "", "password: is missing: nothing was typed"},
	} {
		keyboard, screen := terminal(t)
		p := &typist{keyboard: keyboard, answers: c.answers}
		s := &shell{stdin: screen, stderr: p}
		got, err := s.askPassword(t.Context(), false)
		if got.Reveal() != c.want || (c.refusal == "") != (err == nil) {
			t.Errorf("typed %q: %q, %v", c.answers, got.Reveal(), err)
		}
		if c.refusal != "" && (!errors.Is(err, input.ErrInvalid) || !strings.Contains(err.Error(), c.refusal)) {
			t.Errorf("typed %q: %v, want %s", c.answers, err, c.refusal)
		}
		if seen := shown(t, keyboard); strings.Contains(seen, "correct") || strings.Contains(p.asked.String(), "correct") {
			t.Errorf("the terminal shows %q, %q", seen, p.asked.String())
		}
		if !echoes(t, screen) {
			t.Error("the terminal was left without an echo")
		}
	}
}

// Ctrl-C at the question leaves a terminal that can be used.
func TestInterruptedQuestionRestoresTheTerminal(t *testing.T) {
	_, screen := terminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	s := &shell{stdin: screen, stderr: writerFunc(func(text []byte) (int, error) {
		if strings.HasSuffix(string(text), ": ") {
			if echoes(t, screen) {
				t.Error("the question was asked before the echo was off")
			}
			close(asked)
		}
		return len(text), nil
	})}
	go func() { <-asked; cancel() }()
	if _, err := s.askPassword(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !echoes(t, screen) {
		t.Error("the terminal was left without an echo")
	}
}

// Without an audit copy a person is asked before keys come back; a script is not.
func TestARestoreWithoutAnAuditCopyIsConfirmed(t *testing.T) {
	of := storage.Backup{TakenAt: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)}
	keyboard, screen := terminal(t)
	asked, answer := "", ""
	s := &shell{stdin: screen, input: screen, stderr: writerFunc(func(text []byte) (int, error) {
		asked += string(text)
		_, err := keyboard.WriteString(answer)
		return len(text), err
	})}
	s.config = &config.Effective{}
	s.config.Storage.Dir = filepath.Join(t.TempDir(), "data")
	for text, want := range map[string]error{"y\n": nil, "n\n": errDeclined, "\n": errDeclined} {
		asked, answer = "", text
		if err := s.confirmRestore(restoreOptions{}, of); !errors.Is(err, want) || !strings.Contains(asked, "revoked after 2026-11-23T09:30:00Z will work again") {
			t.Errorf("answered %q to %q: %v, want %v", text, asked, err, want)
		}
	}
	asked, answer = "", ""
	for _, o := range []restoreOptions{{yes: true}, {dryRun: true}, {auditLog: "copy"}} {
		if err := s.confirmRestore(o, of); err != nil || asked != "" {
			t.Errorf("%+v: asked %q, %v", o, asked, err)
		}
	}
	s.stdin = strings.NewReader("")
	if err := s.confirmRestore(restoreOptions{}, of); err != nil || asked != "" {
		t.Errorf("a script: asked %q, %v", asked, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// runOn runs exante as a process on dir, given stdin, with screen as its
// terminal if it has one.
func runOn(t *testing.T, dir string, screen *os.File, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append(args, "--data-dir", dir)...)
	cmd.Env = append(os.Environ(), "DESK_TEST_AS_PROGRAM=1")
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if screen != nil {
		cmd.ExtraFiles = []*os.File{screen}
		cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, 3
	}
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("exante %s: %v\n%s", strings.Join(args, " "), err, talk.String())
	}
	return out.String(), talk.String()
}

// Standard input has brought the text, so the question is asked on the terminal.
func TestIdentifyAsksOnTheTerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	key, _ := runOn(t, dir, nil, "", "keys", "create", "--name", "leaked")
	state := func() string {
		text, _ := runOn(t, dir, nil, "", "keys", "list", "--json")
		var keys []APIKey
		if err := json.Unmarshal([]byte(text), &keys); err != nil || len(keys) != 1 {
			t.Fatalf("%v in %s", err, text)
		}
		return keys[0].State
	}
	for _, c := range []struct{ answer, state, told string }{
		{"n\n", "active", "not revoked"}, {"\n", "active", "not revoked"}, {"y\n", "revoked", ""},
	} {
		keyboard, screen := terminal(t)
		if _, err := keyboard.WriteString(c.answer); err != nil {
			t.Fatal(err)
		}
		stdout, stderr := runOn(t, dir, screen, "Authorization: Bearer "+key, "keys", "identify")
		seen := shown(t, keyboard)
		if !strings.Contains(seen, `"leaked"? It stops working at once. [y/N]`) || !strings.Contains(stderr, c.told) || state() != c.state {
			t.Errorf("answer %q: %s after the question %q, told %q", c.answer, state(), seen, stderr)
		}
		if secret := strings.TrimSpace(key); strings.Contains(stdout+stderr+seen, secret) {
			t.Error("the secret was printed")
		}
	}
	if _, stderr := runOn(t, dir, nil, key, "keys", "identify"); strings.Contains(stderr, "end it with") {
		t.Errorf("a revoked key is offered: %s", stderr)
	}
}
