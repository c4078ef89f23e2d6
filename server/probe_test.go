package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"exante/server"
)

// marker stands in every probe where an answer might echo it.
const marker = "marker-5e1f"

// statusLine finds every answer in what came back on a connection.
var statusLine = regexp.MustCompile(`HTTP/1\.1 (\d{3}) `)

// talk writes raw bytes and reads until the server closes or is silent.
func talk(t *testing.T, addr string, raw []byte) (answer string, closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	go conn.Write(raw) // the server may hang up on purpose while this still writes
	var got bytes.Buffer
	_, err = io.Copy(&got, conn)
	return got.String(), err == nil || !errors.Is(err, os.ErrDeadlineExceeded)
}

// probe is something hostile and the one answer that it may get.
type probe struct {
	name   string
	raw    string
	status string
	code   string // "" for a success
	keeps  bool   // well-formed enough for the connection to go on
}

func TestHostileMessagesGetOneClearRefusal(t *testing.T) {
	w := start(t, func(o *server.Options) { o.ReadTimeout = 400 * time.Millisecond })
	key := "Authorization: Bearer " + w.acme.key + "\r\n"
	smuggled := "GET /api/invoices HTTP/1.1\r\nHost: a\r\n" + key + "\r\n"
	post := "POST /api/parties HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + key
	get := "GET /api/invoices HTTP/1.1\r\nHost: a\r\n" + key
	probes := []probe{
		{"Content-Length and Transfer-Encoding", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"Transfer-Encoding and Content-Length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"identity and Content-Length", post + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}" + smuggled, "400", "malformed_request", false},
		{"two Content-Lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + smuggled, "400", "malformed_request", false},
		{"signed Content-Length", post + "Content-Length: +2\r\n\r\n{}" + smuggled, "400", "malformed_request", false},
		{"list of Content-Lengths", post + "Content-Length: 2, 2\r\n\r\n{}" + smuggled, "400", "malformed_request", false},
		{"negative Content-Length", post + "Content-Length: -1\r\n\r\n{}" + smuggled, "400", "malformed_request", false},
		{"Content-Length of 2^64+2", post + "Content-Length: 18446744073709551618\r\n\r\n{}" + smuggled, "400", "malformed_request", false},
		{"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"hexadecimal chunk size", post + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"line feed in a chunk extension", post + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"chunked on HTTP/1.0", strings.Replace(post, "HTTP/1.1", "HTTP/1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, "400", "malformed_request", false},
		{"space before the colon", get + "X-A : " + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"space in a header name", get + "X A: " + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"NUL in a header", get + "X-A: " + marker + "\x00\r\n\r\n", "400", "malformed_request", false},
		{"bare carriage return", get + "X-A: a\r" + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"no colon", get + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"continued line", get + "X-A: a\r\n " + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"bare line feed among headers", get + "X-A: a\nX-B: " + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"bare line feeds everywhere", strings.ReplaceAll(get, "\r\n", "\n") + "\n", "408", "request_timeout", false},
		{"no Host", "GET /api/invoices HTTP/1.1\r\n" + key + "\r\n", "400", "malformed_request", false},
		{"two Hosts", get + "Host: b\r\n\r\n", "400", "malformed_request", false},
		{"HTTP/9.9", "GET /api/invoices HTTP/9.9\r\nHost: a\r\n" + key + "\r\n", "505", "http_version_not_supported", false},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "malformed_request", false},
		{"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + marker + "\r\n\r\n", "400", "malformed_request", false},
		{"no version", "GET /api/invoices\r\n\r\n", "400", "malformed_request", false},
		{"lower-case method", "get /api/invoices HTTP/1.1\r\nHost: a\r\n" + key + "\r\n", "400", "unknown_method", false},
		{"unknown method", "BREW /api/invoices HTTP/1.1\r\nHost: a\r\n" + key + "\r\n", "400", "unknown_method", false},
		{"TRACE", "TRACE /api/invoices HTTP/1.1\r\nHost: a\r\nX-A: " + marker + "\r\n\r\n", "405", "method_not_allowed", true},
		{"8 KiB header", get + "X-A: " + strings.Repeat("a", 8<<10) + "\r\n\r\n", "431", "header_too_large", false},
		{"8 KiB path", "GET /api/" + strings.Repeat("a", 8<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", "431", "header_too_large", false},
		{"body over the limit", post + "Content-Length: 1048577\r\n\r\n{", "413", "too_large", false},
		{"chunks over the limit", post + "Transfer-Encoding: chunked\r\n\r\n100001\r\n" + strings.Repeat(" ", 1<<20) + "\r\n", "413", "too_large", false},
		{"slow header", get + "X-A: a", "408", "request_timeout", false},
		{"slow body", post + "Content-Length: 100\r\n\r\n{", "408", "request_timeout", false},
		{"silent connection", "", "408", "request_timeout", false},
		{"gzip", post + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "415", "unsupported_encoding", false},
		{"gzip in gzip", post + "Content-Encoding: gzip, gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "415", "unsupported_encoding", false},
		{"gzip after identity", post + "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "415", "unsupported_encoding", false},
		{"text/plain", strings.Replace(post, "application/json", "text/plain", 1) + "Content-Length: 2\r\n\r\n{}", "415", "unsupported_media_type", true},
		{"a form", strings.Replace(post, "application/json", "application/x-www-form-urlencoded", 1) + "Content-Length: 6\r\n\r\nname=a", "415", "unsupported_media_type", true},
		{"two types in one", strings.Replace(post, "application/json", "text/plain; application/json", 1) + "Content-Length: 2\r\n\r\n{}", "415", "unsupported_media_type", true},
		{"other charset", strings.Replace(post, "application/json", "application/json; charset=utf-16", 1) + "Content-Length: 2\r\n\r\n{}", "415", "unsupported_media_type", true},
		{"upper-case path", strings.Replace(get, "/api/", "/API/", 1) + "\r\n", "404", "not_found", true},
		{"trailing slash", strings.Replace(get, "/invoices", "/invoices/", 1) + "\r\n", "404", "not_found", true},
		{"double slash", strings.Replace(get, "/api/", "//api/", 1) + "\r\n", "404", "not_found", true},
		{"dots in the path", strings.Replace(get, "/api/", "/x/../api/", 1) + "\r\n", "404", "not_found", true},
		{"encoded letter", strings.Replace(get, "/api/", "/%61pi/", 1) + "\r\n", "404", "not_found", true},
		{"encoded slash in a uid", strings.Replace(get, "/invoices", "/invoices/a%2F"+marker, 1) + "\r\n", "404", "not_found", true},
		{"encoded line end in a uid", strings.Replace(get, "/invoices", "/invoices/%0d%0aSet-Cookie:a", 1) + "\r\n", "404", "not_found", true},
		{"request id with a line end", get + "X-Request-Id: a b" + marker + "\r\nIf-None-Match: x\r\n\r\n", "200", "", true},
	}
	for _, p := range probes {
		t.Run(p.name, func(t *testing.T) { checkProbe(t, w, p) })
	}
}

func checkProbe(t *testing.T, w *world, p probe) {
	t.Parallel()
	raw := p.raw
	if p.keeps {
		raw = strings.Replace(raw, "Host: a\r\n", "Host: a\r\nConnection: close\r\n", 1)
	}
	answer, closed := talk(t, w.addr, []byte(raw))
	if !closed {
		t.Error("the connection stays open")
	}
	lines := statusLine.FindAllStringSubmatch(answer, -1)
	if len(lines) != 1 || lines[0][1] != p.status {
		t.Fatalf("%d answers, want one %s: %.400q", len(lines), p.status, answer)
	}
	if strings.Contains(answer, marker) || strings.Contains(answer, w.acme.key) {
		t.Errorf("the answer echoes the request: %.600q", answer)
	}
	if p.code == "" {
		return
	}
	_, body, _ := strings.Cut(answer, "\r\n\r\n")
	var e struct {
		Error, Code string
		Details     []string
		RequestID   string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Code != p.code || e.Error == "" || e.Details == nil || len(e.RequestID) != 36 {
		t.Errorf("body = %.300q (%v), want code %s", body, err, p.code)
	}
	if !strings.Contains(answer, "X-Request-Id: "+e.RequestID) || !strings.Contains(answer, "Cache-Control: no-store") {
		t.Errorf("fixed headers are missing: %.400q", answer)
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	w := start(t, nil)
	raw := "GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-Id: one\r\n\r\n" +
		"GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-Id: two\r\nConnection: close\r\n\r\n"
	answer, closed := talk(t, w.addr, []byte(raw))
	one, two := strings.Index(answer, "X-Request-Id: one"), strings.Index(answer, "X-Request-Id: two")
	if !closed || one < 0 || two < one || len(statusLine.FindAllString(answer, -1)) != 2 {
		t.Errorf("closed %v: %q", closed, answer)
	}
}

// A body of 1 MiB that would inflate to 1 GiB costs no more than its own bytes.
func TestCompressedBodyIsNeverInflated(t *testing.T) {
	w := start(t, nil)
	body := strings.Repeat("\x00", 1<<20)
	head := fmt.Sprintf("POST /api/parties HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(body))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	answer, _ := talk(t, w.addr, []byte(head+body))
	runtime.ReadMemStats(&after)
	if !strings.HasPrefix(answer, "HTTP/1.1 415 ") {
		t.Errorf("answer = %.200q", answer)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 16<<20 {
		t.Errorf("it cost %d bytes", spent)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestSlowClientsDoNotHoldUpOthers(t *testing.T) {
	w := start(t, func(o *server.Options) { o.ReadTimeout = 5 * time.Second })
	for range 50 {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /api/parties HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.get("/api/invoices", w.acme.key); r.status != 200 {
		t.Errorf("beside slow clients: %d %s", r.status, r.body)
	}
}
