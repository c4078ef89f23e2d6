package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"exante/server"
)

// fetch gets an absolute URL without a key.
func (w *world) fetch(method, url string) reply {
	w.tb.Helper()
	req, err := http.NewRequestWithContext(w.tb.Context(), method, url, nil)
	w.must(err)
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// What anybody may have uploaded is saved by a browser, never shown or run.
func TestHostileFilesAreHarmlessToServe(t *testing.T) {
	w := start(t, nil)
	path, _ := w.attachPath()
	for _, c := range []struct{ name, content, media, disposition string }{
		{"x.html", "<html><script>alert(1)</script>", "text/html; charset=utf-8", `attachment; filename="x.html"; filename*=UTF-8''x.html`},
		{"x.pdf", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>", "text/plain; charset=utf-8", `attachment; filename="x.pdf"; filename*=UTF-8''x.pdf`},
		{"../../a b.txt", "x", "text/plain; charset=utf-8", `attachment; filename="a b.txt"; filename*=UTF-8''a%20b.txt`},
		{`a\"; filename=\"evil.exe`, "x", "text/plain; charset=utf-8", `attachment; filename="a__ filename__evil.exe"; filename*=UTF-8''a%22%3B%20filename%3D%22evil.exe`},
		{"Größe 日本.txt", "x", "text/plain; charset=utf-8", `attachment; filename="Gr__e __.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%E6%97%A5%E6%9C%AC.txt`},
		{"100%.txt", "x", "text/plain; charset=utf-8", `attachment; filename="100_.txt"; filename*=UTF-8''100%25.txt`},
	} {
		a := w.attached(w.send(path, formOf(upload{"files", c.name, c.content})))[0]
		r := w.fetch("GET", a["presigned_url"].(string))
		for header, want := range map[string]string{
			"Content-Type": c.media, "Content-Disposition": c.disposition,
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; sandbox", "Accept-Ranges": "none",
		} {
			if got := r.header.Get(header); got != want {
				t.Errorf("%s: %s is %s, want %s", c.name, header, got, want)
			}
		}
		if r.body != c.content || len(r.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: %q, %v", c.name, r.body, r.header)
		}
	}
	for _, name := range []string{"a\r\nSet-Cookie: x=y", "a\x00b", "exe.\u202efdp"} {
		r := w.send(path, formOf(upload{"files", name, "x"}))
		if r.status != 422 && r.status != 400 {
			t.Errorf("%q: %d %s", name, r.status, r.body)
		}
	}
}

func TestLinksAreRefusedAlike(t *testing.T) {
	w := start(t, nil)
	path, _ := w.attachPath()
	added := w.attached(w.send(path, formOf(upload{"files", "a", "secret content"}, upload{"files", "b", "b"})))
	url := added[0]["presigned_url"].(string)
	base, token, _ := strings.Cut(url, "/files/")
	if base != "http://"+w.addr {
		t.Errorf("URL %s, want one under http://%s", url, w.addr)
	}
	other := strings.Split(added[1]["presigned_url"].(string), "/files/")[1]
	ask := func(token string) string {
		r := w.do("GET", "/files/"+token, "", "", "X-Request-Id", "same")
		w.refused(r, 404, "not_found")
		return r.body
	}
	want := ask("nope")
	for name, bad := range map[string]string{
		"tampered": flip(token, 3), "tampered end": flip(token, len(token)-20), "mixed": token[:60] + other[60:], "short": token[:100], "long": token + "A",
	} {
		if got := ask(bad); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	w.data(w.do("DELETE", path, w.acme.key, fmt.Sprintf(`{"attachment_uid":%q}`, added[1]["uid"])), 200)
	if got := ask(other); got != want {
		t.Errorf("deleted: %s, want %s", got, want)
	}
	w.clock.Advance(15*time.Minute - time.Second)
	if r := w.fetch("GET", url); r.status != 200 || r.body != "secret content" {
		t.Errorf("a second before its end: %d %q", r.status, r.body)
	}
	w.clock.Advance(time.Second)
	if got := ask(token); got != want {
		t.Errorf("over: %s, want %s", got, want)
	}
	for _, secret := range []string{token, token[:40], "secret content"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(w.log.String(), "GET /files/:link") {
		t.Error("the log has no line of a download, so the search proves nothing")
	}
}

func flip(token string, at int) string {
	c := byte('A')
	if token[at] == c {
		c = 'B'
	}
	return token[:at] + string(c) + token[at+1:]
}

func TestLinksBeginAsTheOperatorSays(t *testing.T) {
	w := start(t, func(o *server.Options) { o.PublicURL = "https://billing.example.com/exante" })
	path, _ := w.attachPath()
	url := w.attached(w.send(path, formOf(upload{"files", "a", "a"})))[0]["presigned_url"].(string)
	if !strings.HasPrefix(url, "https://billing.example.com/exante/files/") {
		t.Errorf("URL = %s", url)
	}
	hostile := start(t, nil)
	path, _ = hostile.attachPath()
	r := hostile.send(path, formOf(upload{"files", "a", "a"}), "Host", "other.example:81")
	if url := hostile.attached(r)[0]["presigned_url"].(string); !strings.HasPrefix(url, "http://other.example:81/files/") {
		t.Errorf("URL = %s", url)
	}
}
