package admin_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exante/admin"
)

// A server of another version may not know a call, or its fields.
func TestUnknownCallsAreNotGuessedAt(t *testing.T) {
	dir := dataDir(t)
	run(t, dir)
	client := http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", filepath.Join(dir, "admin.sock"))
		},
		DisableKeepAlives: true,
	}}
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/keys/shred", "{}"}, {"GET", "/keys/list", ""}, {"POST", "/", "{}"},
		{"POST", "/keys/list", `{"galaxy":"x"}`}, {"POST", "/keys/list", "not json"},
		{"POST", "/keys/list", `{"org":"` + strings.Repeat("x", 2<<20) + `"}`},
	} {
		req, err := http.NewRequest(c.method, "http://exante"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(answer), `"code":"version_skew"`) {
			t.Errorf("%s %s answered %s", c.method, c.path, answer)
		}
	}
}

// fakeServer answers the first call on a socket with text, then closes.
func fakeServer(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(openDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if text == "" {
				continue // mute until the test ends
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, text)
			}
			_ = conn.(*net.UnixConn).CloseWrite()
		}
	}()
	return path
}

func TestServerThatDoesNotAnswerIsUnreachable(t *testing.T) {
	header := "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	for name, c := range map[string]struct{ text, want string }{
		"mute":       {"", "the server does not answer on "},
		"cut off":    {header + `{"progress":{"done":1,"total":2}}` + "\n", "the server does not answer on "},
		"other type": {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + `{"result":7}` + "\n", "does not understand this command"},
	} {
		_, err := admin.NewRemote(fakeServer(t, c.text), 100*time.Millisecond).Orgs(t.Context())
		var told bytes.Buffer
		code := admin.Report(&told, err)
		if want := map[bool]int{true: 1, false: 6}[name == "other type"]; code != want || !strings.Contains(told.String(), c.want) {
			t.Errorf("%s: exit %d, %s", name, code, told.String())
		}
	}
}

// A server is trusted with answers, not with the terminal.
func TestTerminalIsSafeFromAServer(t *testing.T) {
	answer := `{"failure":{"code":"invalid","message":"a\u001b[2Jb\rc"}}` + "\n"
	header := "HTTP/1.1 200 OK\r\nContent-Length: " + itoa(len(answer)) + "\r\n\r\n"
	_, err := admin.NewRemote(fakeServer(t, header+answer), time.Minute).Orgs(t.Context())
	var told bytes.Buffer
	if code := admin.Report(&told, err); code != 4 || strings.ContainsAny(told.String(), "\x1b\r") || !strings.Contains(told.String(), "b") {
		t.Errorf("exit %d, printed %q", code, told.String())
	}
}
