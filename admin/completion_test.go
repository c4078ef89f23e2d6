package admin_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// completionScript writes the script of a shell to a file.
func completionScript(t *testing.T, shell string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "exante."+shell)
	if err := os.WriteFile(file, []byte(must(t, "completion", shell)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// unavailable skips a test for what this machine has not. In CI all must be there, so
// that no promise goes untested.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// needRoot is for tests that become another user.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		unavailable(t, "only root can become another user")
	}
}

// lookFor is the path of a program; the test is skipped without it.
func lookFor(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		unavailable(t, "%s is not here: %v", program, err)
	}
	return path
}

// completions are, for what was typed, words that a shell has to offer; a leading !
// is a word that it must not offer.
var completions = []struct{ typed, offers string }{
	{"exante ", "serve keys completion version !create !--name"},
	{"exante ke", "keys !serve"},
	{"exante keys ", "create revoke mint !list-all"},
	{"exante keys create --sc", "--scopes"},
	{"exante keys create --scopes ", "invoices:read api_keys:write"},
	{"exante keys create --scopes inv", "invoices:read invoices:write !parties:read"},
	{"exante keys create --scopes invoices:read,par", "invoices:read,parties:read invoices:read,parties:write !parties:read"},
	{"exante keys create --scopes=inv", "--scopes=invoices:read !invoices:read"},
	{"exante keys create --name --json --js", "--json"},
	{"exante --data-dir keys keys lis", "list"},
	{"exante keys list --finding ", "never_used too_broad any"},
	{"exante users create --role ", "owner admin viewer"},
	{"exante invoices export --format ", "ndjson csv"},
	{"exante invoices export --status SENT,OVER", "SENT,OVERDUE"},
	{"exante serve --log-level ", "debug info warn error"},
	{"exante serve --auth-environment ", "live test"},
	{"exante service print --part ", "unit config all"},
	{"exante completion ", "bash zsh fish"},
	{"exante invoices import inv", "invoices.csv !import"},
	{"exante verify --data-dir da", "data/ !data.csv"},
}

func checkOffers(t *testing.T, typed, wants string, offered []string) {
	t.Helper()
	for _, want := range strings.Fields(wants) {
		word, unwanted := strings.CutPrefix(want, "!")
		if slices.Contains(offered, word) == unwanted {
			t.Errorf("%q<TAB> offers %q, want %s", typed, offered, wants)
			return
		}
	}
}

// workDir is a directory with files to complete.
func workDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"invoices.csv", "data.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBashCompletes(t *testing.T) {
	bash, script := lookFor(t, "bash"), completionScript(t, "bash")
	for _, c := range completions {
		// Without = and : among its breaks bash replies with whole words.
		run := exec.Command(bash, "-c", `COMP_WORDBREAKS=' '; source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _exante; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script, c.typed)
		run.Dir = workDir(t)
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text := strings.ReplaceAll(string(out), "data\n", "data/\n") // readline adds the slash
		checkOffers(t, c.typed, c.offers, strings.Split(text, "\n"))
	}
}

func TestFishCompletes(t *testing.T) {
	fish, script := lookFor(t, "fish"), completionScript(t, "fish")
	for _, c := range completions {
		run := exec.Command(fish, "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, c.typed)
		run.Dir = workDir(t)
		run.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var words []string
		for line := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			words = append(words, word)
		}
		checkOffers(t, c.typed, c.offers, words)
	}
}

// keyboard is a shell on a terminal.
type keyboard struct {
	t      *testing.T
	master *os.File
	screen *lockedBuffer
}

// sit starts a shell on a pseudo-terminal.
func sit(t *testing.T, cmd *exec.Cmd) *keyboard {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		unavailable(t, "no pseudo-terminals here: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 200}); err != nil {
		t.Fatal(err)
	}
	k := &keyboard{t, master, &lockedBuffer{}}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Dir, cmd.Env = workDir(t), append(os.Environ(), "TERM=dumb", "HOME="+t.TempDir(), "PS1=ready> ", "HISTFILE=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		text := make([]byte, 4096)
		for {
			n, err := master.Read(text)
			_, _ = k.screen.Write(text[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); master.Close(); <-read })
	return k
}

// types sends text and waits until want is on the screen, after what was there.
func (k *keyboard) types(text, want string) {
	k.t.Helper()
	before := len(k.screen.String())
	if _, err := k.master.WriteString(text); err != nil {
		k.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(k.screen.String()[before:], want); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			k.t.Fatalf("typed %q, saw %q, want %q", text, k.screen.String()[before:], want)
		}
	}
}

// What a person sees who presses Tab: bash and zsh break words in ways of their own.
func TestTabCompletesOnATerminal(t *testing.T) {
	for shell, args := range map[string][]string{"bash": {"--norc", "--noprofile", "-i"}, "zsh": {"-f", "-i"}} {
		t.Run(shell, func(t *testing.T) {
			path, script := lookFor(t, shell), completionScript(t, shell)
			k := sit(t, exec.Command(path, args...))
			setUp := "source " + script
			if shell == "zsh" {
				setUp = "autoload -Uz compinit && compinit -u -D; zstyle ':completion:*' menu no; " + setUp
			}
			k.types(setUp+"; echo go''od\r", "good")
			for typed, want := range map[string]string{
				"exante keys rev\t":                                     "exante keys revoke",
				"exante keys create --scopes invoices:r\t":              "--scopes invoices:read",
				"exante keys create --scopes invoices:read,parties:w\t": "--scopes invoices:read,parties:write",
				"exante keys create --scopes=api_keys:w\t":              "--scopes=api_keys:write",
				"exante users create --email a --role=vie\t":            "--role=viewer",
				"exante invoices import inv\t":                          "import invoices.csv",
				"exante serve --log-le\t":                               "serve --log-level",
			} {
				k.types(typed, want)
				k.types("\x15echo nex''t\r", "next") // ^U: the line is not for running
			}
		})
	}
}
