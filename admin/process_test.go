package admin_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is exante as a process of its own.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// copyProgram puts the test binary where every user can run it.
func copyProgram(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// nobody is a user who owns nothing here.
const nobody = 65534

// child is a program that runs beside the test.
type child struct {
	cmd    *exec.Cmd
	output lockedBuffer
	exited chan struct{}
}

// lockedBuffer collects what a process prints while the test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts cmd and waits until it has printed sign.
func start(t *testing.T, cmd *exec.Cmd, sign string) *child {
	t.Helper()
	c := &child{cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.output, &c.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(c.exited) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-c.exited })
	c.await(t, sign)
	return c
}

// await waits until the program has printed sign.
func (c *child) await(t *testing.T, sign string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(c.output.String(), sign); time.Sleep(2 * time.Millisecond) {
		select {
		case <-c.exited:
			t.Fatalf("ended without printing %q:\n%s", sign, c.output.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("did not print %q:\n%s", sign, c.output.String())
		}
	}
}

// signal sends s and returns the exit code.
func (c *child) signal(t *testing.T, s syscall.Signal) int {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.exited:
	case <-time.After(time.Minute):
		t.Fatalf("did not end:\n%s", c.output.String())
	}
	return c.cmd.ProcessState.ExitCode()
}

// A command that waits for its standard input ends at the first signal.
func TestWhoWaitsForInputCanBeInterrupted(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	for _, line := range []string{
		"invoices import - --id x --format csv", "keys identify", "users password ada@example.com --stdin",
	} {
		cmd := program(append(strings.Fields(line), "--data-dir", dir)...)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		var said lockedBuffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitBlockedRead(t, cmd.Process.Pid)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		if !stuck.Stop() || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), "interrupted") {
			t.Errorf("%s: %v: %s", line, cmd.ProcessState, said.String())
		}
	}
}

// awaitBlockedRead waits until a thread of the process waits in read(2) of descriptor 0.
func awaitBlockedRead(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		calls, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			text, _ := os.ReadFile(call)
			if strings.HasPrefix(string(text), fmt.Sprintf("%d 0x0 ", syscall.SYS_READ)) {
				return
			}
		}
	}
	t.Fatal("it does not read its standard input")
}
