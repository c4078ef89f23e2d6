package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"exante/server"
)

// rawPost is a request for a new party, up to its body.
func (w *world) rawPost(headers ...string) string {
	return "POST /api/parties HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer " + w.acme.key + "\r\n" +
		strings.Join(headers, "\r\n") + "\r\n\r\n"
}

// chunked is a body in chunks of at most size bytes.
func chunked(body string, size int) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// statuses are those of all answers, in order.
func statuses(answer string) (all []string) {
	for _, m := range statusLine.FindAllStringSubmatch(answer, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestBodiesMayHaveOneMebibyteInAnyFraming(t *testing.T) {
	w := start(t, nil)
	for size, want := range map[int]string{1 << 20: "201", 1<<20 + 1: "413"} {
		party := `{"name":"Globex"}`
		body := party + strings.Repeat(" ", size-len(party))
		for name, raw := range map[string]string{
			"length": w.rawPost("Connection: close", fmt.Sprint("Content-Length: ", size)) + body,
			"chunks": w.rawPost("Connection: close", "Transfer-Encoding: chunked") + chunked(body, 40_000),
		} {
			answer, closed := talk(t, w.addr, []byte(raw))
			if got := statuses(answer); !closed || len(got) != 1 || got[0] != want {
				t.Errorf("%d bytes by %s: %q, closed %v, want %s", size, name, got, closed, want)
			}
		}
	}
}

func TestBodiesEndWhereTheNextRequestBegins(t *testing.T) {
	w := start(t, nil)
	party := `{"name":"` + strings.Repeat("x", 100) + `"}` + strings.Repeat(" ", 20_000)
	fixed := w.rawPost(fmt.Sprint("Content-Length: ", len(party))) + party
	pieces := w.rawPost("Transfer-Encoding: chunked") + chunked(party, 999)
	nowhere := strings.Replace(fixed, "/api/parties", "/nowhere", 1)
	last := "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	answer, closed := talk(t, w.addr, []byte(fixed+pieces+nowhere+pieces+fixed+last))
	if got := strings.Join(statuses(answer), " "); !closed || got != "201 201 404 201 201 200" {
		t.Errorf("answers %q, closed %v", got, closed)
	}
}

func TestBodyThatBreaksOffIsNoRequest(t *testing.T) {
	w := start(t, func(o *server.Options) { o.ReadTimeout = 300 * time.Millisecond })
	whole := `{"name":"Globex"}` // what has come is valid, but not all that was announced
	for name, raw := range map[string]string{
		"length": w.rawPost("Content-Length: 18") + whole,
		"chunks": w.rawPost("Transfer-Encoding: chunked") + "11\r\n" + whole + "\r\n",
	} {
		answer, closed := talk(t, w.addr, []byte(raw))
		if got := statuses(answer); !closed || len(got) != 1 || got[0] != "408" {
			t.Errorf("%s: %q, closed %v", name, got, closed)
		}
	}
	if list := w.data(w.get("/api/parties", w.acme.key), 200); len(list["items"].([]any)) != 0 {
		t.Errorf("parties were made: %v", list)
	}
}

// Who asks before he sends is judged before he sends.
func TestExpectationIsAnsweredBeforeTheBody(t *testing.T) {
	w := start(t, nil)
	expect := "Expect: 100-continue"
	party := `{"name":"Globex"}`
	length := fmt.Sprint("Content-Length: ", len(party))
	for _, c := range []struct{ name, raw, want string }{
		{"granted", w.rawPost(expect, length, "Connection: close") + party, "100 201"},
		{"granted, chunks", w.rawPost(expect, "Transfer-Encoding: chunked", "Connection: close") + chunked(party, 5), "100 201"},
		{"no key", strings.Replace(w.rawPost(expect, length), "Authorization", "X-Other", 1), "401"},
		{"no such key", strings.Replace(w.rawPost(expect, length), w.acme.key, w.acme.key[:20], 1), "401"},
		{"other media", strings.Replace(w.rawPost(expect, length), "application/json", "text/plain", 1), "415"},
		{"too long", w.rawPost(expect, "Content-Length: 1048577"), "413"},
		{"no such path", strings.Replace(w.rawPost(expect, length), "/api/parties", "/api/nothing", 1), "404"},
		{"no such method", strings.Replace(w.rawPost(expect, length), "POST", "PATCH", 1), "405"},
		{"parameter", strings.Replace(w.rawPost(expect, length), "/api/parties", "/api/parties?a=b", 1), "422"},
		{"encoded", w.rawPost(expect, length, "Content-Encoding: gzip"), "415"},
	} {
		answer, closed := talk(t, w.addr, []byte(c.raw))
		if got := strings.Join(statuses(answer), " "); !closed || got != c.want {
			t.Errorf("%s: answers %q, closed %v, want %q", c.name, got, closed, c.want)
		}
		if strings.Count(answer, "X-Request-Id: ") != 1 {
			t.Errorf("%s: %q", c.name, answer)
		}
	}
}

// A request is charged once, whether it asked before or not.
func TestExpectationIsChargedOnce(t *testing.T) {
	w := start(t, nil)
	w.mustLeave(t, w.rawPost("Content-Length: 17", "Connection: close")+`{"name":"Globex"}`, 999999)
	w.mustLeave(t, w.rawPost("Expect: 100-continue", "Content-Length: 17", "Connection: close")+`{"name":"Globex"}`, 999998)
}

func (w *world) mustLeave(t *testing.T, raw string, want int) {
	t.Helper()
	answer, _ := talk(t, w.addr, []byte(raw))
	if !strings.Contains(answer, fmt.Sprintf(";r=%d;", want)) {
		t.Errorf("want %d requests left: %.600q", want, answer)
	}
}
