package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"exante/server"
)

func TestHealthTellsAliveFromReady(t *testing.T) {
	w := start(t, nil)
	for path, want := range map[string]string{
		"/livez": `{"status":"alive"}`, "/readyz": `{"status":"ready","degraded":[]}`, "/healthz": `{"status":"ready","degraded":[]}`,
	} {
		if r := w.get(path, ""); r.status != 200 || r.body != want {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	w := start(t, nil)
	id := w.invoice(w.acme.key, "")["uid"].(string)
	for _, path := range []string{"/api/invoices", "/api/invoices/" + id, "/api/api-keys/current", "/livez"} {
		get, head := w.get(path, w.acme.key), w.do("HEAD", path, w.acme.key, "")
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") == "" ||
			head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("HEAD %s: %d %v %q", path, head.status, head.header, head.body)
		}
	}
	if r := w.do("HEAD", "/api/invoices", "", ""); r.status != 401 || r.body != "" {
		t.Errorf("HEAD without key: %d %q", r.status, r.body)
	}
}

// While it drains, a server finishes what it has begun and takes nothing new.
func TestShutdownDrains(t *testing.T) {
	w := start(t, nil)
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	body := `{"name":"in flight"}`
	half := "POST /api/parties HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\nAuthorization: Bearer " +
		w.acme.key + "\r\n\r\n" + body[:5]
	if _, err := io.WriteString(conn, half); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the request to be taken", func() bool { return w.get("/livez", "").status == 200 })
	http.DefaultClient.CloseIdleConnections()
	down := make(chan error, 1)
	go func() { down <- w.server.Shutdown(context.Background()) }()
	waitFor(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", w.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(conn, body[5:]); err != nil {
		t.Fatal(err)
	}
	if resp := readResponse(t, answers); resp != 201 {
		t.Errorf("in flight: %d", resp)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
}

func TestDrainingServerIsNotReady(t *testing.T) {
	w := start(t, nil)
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Half a request line keeps the connection from being idle.
	if _, err := io.WriteString(conn, "GET /re"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the connection to be taken", func() bool { return w.get("/livez", "").status == 200 })
	http.DefaultClient.CloseIdleConnections()
	down := make(chan error, 1)
	go func() { down <- w.server.Shutdown(context.Background()) }()
	waitFor(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", w.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(conn, "adyz HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 503 || string(text) != `{"status":"draining","degraded":[]}` || !resp.Close {
		t.Errorf("readyz = %d %s, close %v", resp.StatusCode, text, resp.Close)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
}

func TestShutdownEndsWhenItsContextDoes(t *testing.T) {
	w := start(t, func(o *server.Options) { o.ReadTimeout = time.Second })
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the connection to be taken", func() bool { return w.get("/livez", "").status == 200 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := w.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "drain: ") {
		t.Errorf("Shutdown = %v, want the deadline", err)
	}
}

func TestServeAfterShutdownReturnsAtOnce(t *testing.T) {
	w := start(t, nil)
	if err := w.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.Serve(ln); err != nil {
		t.Errorf("Serve = %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := server.New(server.Options{}); err == nil || err.Error() != "server: a store and an authenticator are needed" {
		t.Errorf("New = %v", err)
	}
}

func readResponse(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
