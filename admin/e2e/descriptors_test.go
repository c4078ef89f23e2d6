package e2e

import (
	"bufio"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// More connections than the process may have files: some are told that there is no
// room, and the store keeps its files.
func TestConnectionsLeaveTheStoreItsFiles(t *testing.T) {
	const limit = "128"
	dir := dataDir(t)
	k := shellKey(t, dir, "--name", "admin")
	s := start(t, exec.Command("sh", "-c", `ulimit -n `+limit+` && exec "$@"`, "sh",
		binary(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir))
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range 300 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		if len(open) == 40 { // while there is room: this client keeps its connection
			s.call("POST", "/api/parties", k.Key, `{"name":"Before"}`).want(t, 201)
		}
	}
	told := 0
	for _, c := range open[200:] {
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil && resp.StatusCode == 503 {
			told++
		}
	}
	if told != 100 {
		t.Errorf("%d of the last 100 connections were told that there is no room", told)
	}
	for range 50 {
		s.call("POST", "/api/parties", k.Key, `{"name":"Meanwhile"}`).want(t, 201)
	}
	mustShell(t, "verify", "--data-dir", dir)
	for _, c := range open {
		c.Close()
	}
	open = nil
	client.CloseIdleConnections()
	s.waitFor("room", func() bool {
		a, err := s.try("POST", "/api/parties", k.Key, `{"name":"After"}`)
		return err == nil && a.status == 201
	})
	s.stop()
	mustShell(t, "verify", "--data-dir", dir)
}
