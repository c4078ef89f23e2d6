package server_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"exante/server"
)

// knock opens a connection, sends a request and returns the answer's first line
// and body; the connection stays open.
func knock(t *testing.T, addr string) (conn net.Conn, status, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(answer[:n]), "\r\n\r\n")
	status, _, _ = strings.Cut(head, "\r\n")
	return conn, status, body
}

func TestConnectionsAreLimited(t *testing.T) {
	for _, c := range []struct {
		name, status string
		change       func(*server.Options)
	}{
		{"of one address", "HTTP/1.1 429 Too Many Requests", func(o *server.Options) { o.MaxConnsPerIP = 3 }},
		{"in all", "HTTP/1.1 503 Service Unavailable", func(o *server.Options) { o.MaxConns = 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, c.change)
			first, status, _ := knock(t, w.addr)
			for range 2 {
				_, status, _ = knock(t, w.addr)
			}
			if status != "HTTP/1.1 200 OK" {
				t.Errorf("the third: %s", status)
			}
			if _, status, body := knock(t, w.addr); status != c.status || !strings.Contains(body, `"code":"too_many_connections","details":[],"request_id":"`) {
				t.Errorf("the fourth: %s %s", status, body)
			}
			first.Close()
			waitFor(t, "room after one has left", func() bool {
				conn, status, _ := knock(t, w.addr)
				conn.Close()
				return status == "HTTP/1.1 200 OK"
			})
		})
	}
}

// A client that is still sending when it is refused must be able to read why: a
// plain close would reset the connection under the answer.
func TestOversizedBodyHearsWhy(t *testing.T) {
	w := start(t, nil)
	body := `{"name":"` + strings.Repeat("x", 4<<20) + `"}`
	for range 20 {
		w.refused(w.do("POST", "/api/parties", w.acme.key, body), 413, "too_large")
		http.DefaultClient.CloseIdleConnections()
	}
}
