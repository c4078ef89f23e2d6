package e2e

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Nobody reads standard error: a full pipe, as of a terminal that was stopped. Every
// request is answered all the same. Once somebody reads, whole lines are there, and
// one that says how many were lost.
func TestRequestsGoOnWhenNobodyReadsTheLog(t *testing.T) {
	dir := dataDir(t)
	key := shellKey(t, dir, "--name", "n", "--rate-limit", "1000000/1m")
	stderr, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-requests", "all", "--metrics-listen", "127.0.0.1:0",
		"--dashboard-enabled", "false") // it has nothing to tell but log lines
	cmd.Env, cmd.Stderr = cleanEnv(), theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })

	log := bufio.NewReader(stderr)
	s := &server{t: t}
	metrics := ""
	for s.url == "" {
		line, err := log.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(`metrics on (http://\S+)`).FindStringSubmatch(line); m != nil {
			metrics = m[1]
		}
		if m := listening.FindStringSubmatch(line); m != nil {
			s.url = m[1]
		}
	}
	dropped := func() string {
		resp, err := http.Get(metrics)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return regexp.MustCompile(`(?m)^exante_log_lines_dropped_total (\S+)$`).FindStringSubmatch(string(text))[1]
	}
	if dropped() != "0" {
		t.Fatalf("%s lines dropped before the first request", dropped())
	}
	for deadline := time.Now().Add(time.Minute); dropped() == "0"; { // first the pipe fills up, then our memory
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 250 {
					if a, err := s.try("GET", "/api/api-keys/current", key.Key, ""); err != nil || a.status != 200 {
						t.Errorf("answer = %d, %v", a.status, err)
						return
					}
				}
			})
		}
		if all.Wait(); t.Failed() || time.Now().After(deadline) {
			t.Fatal("no line was dropped")
		}
	}
	var taken lockedBuffer
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = io.Copy(&taken, log) }()
	const note = "log lines were dropped: standard error did not take them in time"
	for deadline := time.Now().Add(time.Minute); !strings.Contains(taken.String(), note); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the log does not say that lines were dropped")
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-exited; err != nil {
		t.Errorf("stopped with %v", err)
	}
	<-ended
	text := taken.String()
	if !strings.Contains(text, "msg=stopping") {
		t.Errorf("the log ends with %q", text[max(0, len(text)-300):])
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "time=") || !strings.HasSuffix(line, "\n") {
			t.Errorf("a line was cut: %q", line)
		}
	}
}

// Nobody reads standard error, and the server stops within its time all the same.
func TestServerStopsWhenNobodyReadsTheLog(t *testing.T) {
	dir := dataDir(t)
	stderr, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd := exec.Command(binary(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-requests", "all")
	cmd.Env, cmd.Stderr = cleanEnv(), theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	s := &server{t: t}
	log := bufio.NewReader(stderr)
	for s.url == "" {
		line, err := log.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if m := listening.FindStringSubmatch(line); m != nil {
			s.url = m[1]
		}
	}
	if _, err := theirs.Write(make([]byte, 60<<10)); err != nil { // so that a few requests fill it
		t.Fatal(err)
	}
	for range 200 {
		s.call("GET", "/livez", "", "")
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %v to stop", d)
	}
}

// The reader of the log may die, as tee does with its terminal: requests go on, and
// the server stops when it is told to.
func TestTheServerOutlivesTheReaderOfItsLog(t *testing.T) {
	dir := dataDir(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-requests", "all")
	cmd.Env, cmd.Stderr = cleanEnv(), w
	if err := errors.Join(cmd.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
	s := &server{t: t, cmd: cmd, dir: dir, output: &lockedBuffer{}, exited: exited}
	for lines := bufio.NewScanner(r); s.url == "" && lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text() + "\n"); m != nil {
			s.url = m[1]
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.call("GET", "/readyz", "", "").want(t, 200)
	}
	mustShell(t, "keys", "create", "--name", "n", "--data-dir", dir)
	s.stop()
}
