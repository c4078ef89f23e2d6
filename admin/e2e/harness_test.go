package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the path of the program under test, built once for the package.
func binary(t testing.TB) string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildOnce = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "exante")
	args := append([]string{"build", "-trimpath", "-o", path}, raceFlags...)
	out, err := exec.Command("go", append(args, root)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %v\n%s", err, out)
	}
	return path, nil
})

// scratch holds what outlives one test.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "exante-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// dataDir is a fresh directory with a path short enough for a Unix socket in it.
func dataDir(t testing.TB) string {
	t.Helper()
	parent, err := os.MkdirTemp(scratch, "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	return filepath.Join(parent, "data")
}

// result is what one run of the shell command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// shell runs the binary to its end, at most a minute.
func shell(t testing.TB, args ...string) result {
	t.Helper()
	path := binary(t) // built before the minute begins
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = cleanEnv()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("exante %s: %v", strings.Join(args, " "), err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// mustShell is shell for a command that has to succeed.
func mustShell(t testing.TB, args ...string) string {
	t.Helper()
	r := shell(t, args...)
	if r.code != 0 {
		t.Fatalf("exante %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// cleanEnv is the environment without settings that the developer may have.
func cleanEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "EXANTE_") {
			env = append(env, v)
		}
	}
	return env
}

// server is one running `exante serve`.
type server struct {
	t      testing.TB
	url    string
	dir    string
	cmd    *exec.Cmd
	output *lockedBuffer
	exited chan struct{}
}

// lockedBuffer collects both streams of a process while tests read them.
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

var listening = regexp.MustCompile(`listening on (https?://[0-9.:]+)`)

// serve starts the binary on a free port and waits until it is ready.
func serve(t testing.TB, dir string, args ...string) *server {
	t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--log-level", "debug"}, args...)
	s := start(t, exec.Command(binary(t), args...))
	s.dir = dir
	return s
}

func start(t testing.TB, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, cmd: cmd, output: &lockedBuffer{}, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if cmd.Env == nil {
		cmd.Env = cleanEnv()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { cmd.Wait(); close(s.exited) }()
	t.Cleanup(s.kill)
	s.waitFor("the listening line", func() bool {
		if m := listening.FindStringSubmatch(s.output.String()); m != nil {
			s.url = m[1]
		}
		return s.url != ""
	})
	s.waitFor("readiness", func() bool {
		resp, err := client.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

// waitFor polls until ok, the process ends, or 90 seconds have passed.
func (s *server) waitFor(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
		select {
		case <-s.exited:
			s.t.Fatalf("serve ended before %s:\n%s", what, s.output)
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %s after 90 s:\n%s", what, s.output)
		}
	}
}

// stop ends the server as an operator does and checks that it went well.
func (s *server) stop() {
	s.t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		s.t.Fatalf("serve did not stop:\n%s", s.output)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Fatalf("serve ended with %d:\n%s", code, s.output)
	}
}

// kill is kill -9. It is harmless on a server that has ended.
func (s *server) kill() {
	s.cmd.Process.Kill()
	<-s.exited
}

// client keeps connections open between calls, as integrations do.
var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 128},
}

// answer is one response with its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends one request; key "" sends no Authorization, body "" no body.
func (s *server) call(method, path, key, body string, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, key, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (s *server) try(method, path, key, body string, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		checkContract(s.t, method, path, resp, text)
	}
	return answer{resp.StatusCode, resp.Header, text}, err
}

// want fails unless the status is as promised.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status = %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// wantError checks status, code and the form of the error object.
func (a answer) wantError(t testing.TB, status int, code string) {
	t.Helper()
	var e struct {
		Error     string    `json:"error"`
		Code      string    `json:"code"`
		Details   *[]string `json:"details"`
		RequestID string    `json:"request_id"`
	}
	if err := json.Unmarshal(a.body, &e); err != nil {
		t.Fatalf("status %d, not an error object: %v: %q", a.status, err, a.body)
	}
	if a.status != status || e.Code != code {
		t.Errorf("answer = %d %s, want %d %s: %s", a.status, e.Code, status, code, a.body)
	}
	if e.Error == "" || e.Details == nil || e.RequestID == "" || e.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("incomplete error object: %s (X-Request-Id %q)", a.body, a.header.Get("X-Request-Id"))
	}
}

// data decodes the data member of a success envelope.
func data[T any](t testing.TB, a answer) T {
	t.Helper()
	var envelope struct {
		Status     string `json:"status"`
		StatusCode int    `json:"status_code"`
		Data       T      `json:"data"`
	}
	if err := json.Unmarshal(a.body, &envelope); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	if envelope.Status != "success" || envelope.StatusCode != a.status {
		t.Fatalf("envelope says %q %d on a %d: %s", envelope.Status, envelope.StatusCode, a.status, a.body)
	}
	return envelope.Data
}

// apiKey is an ApiKey on the wire, with the secret where it is shown.
type apiKey struct {
	UID            string   `json:"uid"`
	Name           string   `json:"name"`
	Key            string   `json:"key"`
	KeySnippet     string   `json:"key_snippet"`
	OrganizationID string   `json:"organization_uid"`
	Scopes         []string `json:"scopes"`
	State          string   `json:"state"`
	ExpiresAt      *string  `json:"expires_at"`
	RevokedAt      *string  `json:"revoked_at"`
	LastUsedAt     *string  `json:"last_used_at"`
	RotatedToUID   *string  `json:"rotated_to_uid"`
}

// shellKey makes a key from the shell, on the road that is open.
func shellKey(t testing.TB, dir string, args ...string) apiKey {
	t.Helper()
	out := mustShell(t, append([]string{"keys", "create", "--json", "--data-dir", dir}, args...)...)
	var k apiKey
	if err := json.Unmarshal([]byte(out), &k); err != nil || k.Key == "" {
		t.Fatalf("keys create: %v: %s", err, out)
	}
	return k
}

// createKey makes a key over HTTP.
func (s *server) createKey(with, body string) apiKey {
	s.t.Helper()
	return data[apiKey](s.t, s.call("POST", "/api/api-keys", with, body).want(s.t, 201))
}
