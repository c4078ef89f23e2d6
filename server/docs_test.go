package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"exante/server"
)

func TestDocumentIsServedToEverybody(t *testing.T) {
	w := start(t, nil)
	r := w.get("/openapi.json", "")
	want, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if r.status != 200 || r.body != string(want) || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s, %d bytes", r.status, r.header.Get("Content-Type"), len(r.body))
	}
	again := w.do("GET", "/openapi.json", "", "", "If-None-Match", r.header.Get("ETag"))
	if again.status != 304 || again.body != "" || again.header.Get("ETag") != r.header.Get("ETag") {
		t.Errorf("with its ETag %s: %d %q", r.header.Get("ETag"), again.status, again.body)
	}
	if head := w.do("HEAD", "/openapi.json", "", ""); head.status != 200 || head.body != "" {
		t.Errorf("HEAD: %d %q", head.status, head.body)
	}
}

// references finds what the page loads.
var references = regexp.MustCompile(`(?:href|src)="(/docs/[^"]+)"`)

func TestDocsPageLoadsItsOwnFilesUnderAStrictPolicy(t *testing.T) {
	w := start(t, nil)
	page := w.get("/docs", "")
	policy := page.header.Get("Content-Security-Policy")
	if page.status != 200 || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") {
		t.Fatalf("%d, policy %q", page.status, policy)
	}
	for _, inline := range []string{"<style", "style=", "onload", "onclick", "http:", "https:"} {
		if strings.Contains(page.body, inline) {
			t.Errorf("the page has %s", inline)
		}
	}
	files := references.FindAllStringSubmatch(page.body, -1)
	if len(files) != 4 {
		t.Fatalf("the page loads %q", files)
	}
	for _, file := range files {
		r := w.get(file[1], "")
		if r.status != 200 || len(r.body) < 100 || r.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d, %d bytes, Cache-Control %q", file[1], r.status, len(r.body), r.header.Get("Cache-Control"))
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", file[1], name, got, want)
			}
		}
		if r.header.Get("X-Request-Id") == "" {
			t.Errorf("%s has no request id", file[1])
		}
	}
}

func TestDocsPathsThatAreNoFilesAreAbsent(t *testing.T) {
	w := start(t, nil)
	version := strings.Split(references.FindStringSubmatch(w.get("/docs", "").body)[1], "/")[2]
	for _, path := range []string{"/docs/", "/docs/" + version, "/docs/" + version + "/openapi.json", "/docs/0/docs.js",
		"/docs/" + version + "/..%2f..%2fopenapi.json", "/docs/" + version + "/swagger-ui/swagger-ui.css"} {
		w.refused(w.get(path, ""), 404, "not_found")
	}
}

// Packed once, the bundle costs a visitor a quarter of its size.
func TestFilesArePackedForWhoTakesThat(t *testing.T) {
	w := start(t, nil)
	for _, path := range []string{"/openapi.json", "/docs"} {
		plain, packed := w.getAs(t, path, "identity"), w.getAs(t, path, "gzip")
		if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: encodings %q and %q", path, plain.header.Get("Content-Encoding"), packed.header.Get("Content-Encoding"))
		}
		z, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(unpacked, []byte(plain.body)) || len(packed.body) >= len(plain.body) {
			t.Errorf("%s: %d bytes packed, %d plain, %v", path, len(packed.body), len(plain.body), err)
		}
		if plain.header.Get("ETag") == packed.header.Get("ETag") {
			t.Errorf("%s: both forms are called %s", path, plain.header.Get("ETag"))
		}
	}
}

// getAs is a GET whose answer is left in the encoding that it came in.
func (w *world) getAs(t *testing.T, path, encoding string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.addr+path, nil)
	w.must(err)
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func TestDocsAnswerToAllowedHostsAlone(t *testing.T) {
	w := start(t, func(o *server.Options) { o.AllowedHosts = []string{"billing.example"} })
	for _, path := range []string{"/openapi.json", "/docs"} {
		w.refused(w.do("GET", path, "", "", "Host", "evil.example"), 421, "misdirected_request")
		if r := w.do("GET", path, "", "", "Host", "billing.example"); r.status != 200 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	// Probes know the address, not the name.
	if r := w.do("GET", "/livez", "", "", "Host", "evil.example"); r.status != 200 {
		t.Errorf("livez: %d", r.status)
	}
}

// Nothing in the document says more about this server than a stranger may know.
func TestDocumentHoldsNoSecretAndNoHost(t *testing.T) {
	text, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Error("the document is not JSON")
	}
	for _, word := range []string{"argon2", "password", "localhost", "\"tag\""} {
		if strings.Contains(strings.ToLower(string(text)), word) {
			t.Errorf("the document holds %q", word)
		}
	}
}
