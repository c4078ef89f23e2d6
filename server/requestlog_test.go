package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"exante/server"
	"exante/storage/storagetest"
)

// line is a line of the request log, as JSON.
type line struct {
	Level, Msg, Route, Peer string
	RequestID               string  `json:"request_id"`
	KeyUID                  *string `json:"key_uid"`
	Status                  int
	Bytes                   *int
	DurationUS              *int64 `json:"duration_us"`
	Time                    string
}

func requestLog(t *testing.T, w *world) (lines []line) {
	t.Helper()
	for text := range strings.Lines(w.log.String()) {
		var l line
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		lines = append(lines, l)
	}
	return lines
}

// startLogged is start with a request log as JSON, and no other.
func startLogged(t *testing.T, from int, change func(*server.Options)) *world {
	buffer := &storagetest.Log{}
	w := start(t, func(o *server.Options) {
		o.Log, o.RequestLog, o.RequestLogFrom = nil, slog.New(slog.NewJSONHandler(buffer, nil)), from
		if change != nil {
			change(o)
		}
	})
	w.log = buffer
	return w
}

func TestRequestLogTellsOneLineARequest(t *testing.T) {
	w := startLogged(t, 0, func(o *server.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	party := w.party(w.acme.key, "Globex")["uid"].(string)
	w.do("GET", "/api/parties/"+party, w.acme.key, "", "X-Request-Id", "mine-1", "X-Forwarded-For", "198.51.100.7, 203.0.113.9")
	w.do("HEAD", "/api/parties/"+party, w.acme.key, "")
	w.do("GET", "/api/nothing/"+party, "", "")
	w.get("/no/such/path", "")
	export := w.get("/api/invoices/export", w.acme.key)
	want := []string{"POST /api/parties 201", "GET /api/parties/:uid 200", "HEAD /api/parties/:uid 200", "none 401", "none 404", "GET /api/invoices/export 200"}
	waitFor(t, "the last line", func() bool { return len(requestLog(t, w)) == len(want) })
	lines := requestLog(t, w)
	for i, l := range lines {
		if got := fmt.Sprint(l.Route, " ", l.Status); got != want[i] || l.Level != "INFO" || l.Msg != "request" || l.Time == "" || l.DurationUS == nil || l.RequestID == "" {
			t.Errorf("line %d = %+v, want %s", i, l, want[i])
		}
	}
	if l := lines[1]; l.RequestID != "mine-1" || l.Peer != "203.0.113.9" || l.KeyUID == nil || *l.KeyUID != w.acme.id || *l.Bytes == 0 {
		t.Errorf("the read = %+v", l)
	}
	if *lines[2].Bytes != 0 || lines[3].KeyUID != nil || lines[3].Peer != "127.0.0.1" || *lines[4].Bytes == 0 {
		t.Errorf("HEAD, refused, unknown = %+v", lines[2:5])
	}
	if lines[5].Bytes != nil || export.status != 200 {
		t.Errorf("an export, whose length is not known yet = %+v", lines[5])
	}
}

func TestRequestLogMayHoldFailuresOnly(t *testing.T) {
	w := startLogged(t, 400, nil)
	w.party(w.acme.key, "Globex")
	w.get("/api/parties", "")
	w.get("/livez", "")
	w.get("/nowhere", "")
	waitFor(t, "two lines", func() bool { return len(requestLog(t, w)) == 2 })
	for i, status := range []int{401, 404} {
		if l := requestLog(t, w)[i]; l.Status != status {
			t.Errorf("line %d = %+v, want %d", i, l, status)
		}
	}
}

// A key in any place of any request never comes into a log, whole or in part, and
// neither does anything else that a caller wrote but a sane request id.
func TestNoPartOfARequestIsLogged(t *testing.T) {
	w := start(t, nil)
	key, marker := w.acme.key, "Marker4711"
	sent := 0
	for _, pattern := range server.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		for _, what := range []string{key, marker} {
			filled := path
			for _, name := range []string{":organization_uid", ":uid", ":link", ":version", ":file"} {
				filled = strings.ReplaceAll(filled, name, what)
			}
			for _, head := range []string{
				method + " " + filled + "?q=" + what + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key,
				method + " " + path + "/" + what + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + what,
				method + " " + path + " HTTP/1.1\r\nHost: " + what + "\r\nAuthorization: " + what,
				method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + what + ": " + what + "\r\nCookie: " + what + "\r\nUser-Agent: " + what,
				method + " " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\nX-Request-Id: " + what + "/" +
					"\r\nIdempotency-Key: " + what + "\r\nIf-Match: " + what + "\r\nX-Forwarded-For: " + what + "\r\nReferer: http://" + what,
				method + " " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\nContent-Type: " + what + "\r\nContent-Encoding: " + what,
				what + " " + path + " HTTP/1.1\r\nHost: x",
				method + " " + path + " " + what + "\r\nHost: x",
				method + " " + path + " HTTP/1.1\r\nHost: x\r\nBad Name : " + what,
				method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + what,
			} {
				body := `{"name":"` + what + `","` + what + `":1,"expires_in_days":"` + what + `"}`
				w.sendRaw(head + "\r\nConnection: close\r\n")
				w.sendRaw(head+fmt.Sprintf("\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n", len(body)), body)
				sent += 2
			}
		}
	}
	text := w.log.String()
	if n := strings.Count(text, "msg=request "); n < sent {
		t.Errorf("%d lines for %d requests: the search sees too little", n, sent)
	}
	for _, secret := range []string{key, key[16:32], marker} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("the log shows %q: …%s", secret, text[max(0, i-200):i+len(secret)])
		}
	}
}

// sendRaw sends a head and a body as they are, and reads the answer to its end.
func (w *world) sendRaw(head string, body ...string) {
	w.tb.Helper()
	c, err := net.Dial("tcp", w.addr)
	w.must(err)
	defer c.Close()
	_, err = io.WriteString(c, head+"\r\n"+strings.Join(body, ""))
	w.must(err)
	_, _ = io.Copy(io.Discard, bufio.NewReader(c)) // a reset is an answer too
}
