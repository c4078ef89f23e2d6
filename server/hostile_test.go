package server_test

import (
	"strings"

	"pgregory.net/rapid"

	"exante/server/openapi/contract"
)

// drawWrongParameter gives a request a parameter that is almost right.
func drawWrongParameter(t *rapid.T, o *contract.Operation, a *attempt) {
	if o.Open {
		return // probes may carry what they like
	}
	names := []string{"verbose"}
	for _, p := range o.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	name := rapid.SampledFrom(names).Draw(t, "wrong parameter")
	wrong := rapid.SampledFrom([]string{"", "=", "=%zz", "=%ff", "=%00", "=%0d%0aX-A:b", "=a,,b", "=-", "=--x", "=%2b%2b", "=1.0", "=1e3", "=99999999999999999999",
		"=" + strings.Repeat("x", 5000), "=" + strings.Repeat("a,", 1000), "=null", "=[]", "='", "=%F0%9F%99%82", "=2026-13-01", "=1&" + name + "=1"}).Draw(t, "wrong value")
	a.query = strings.TrimPrefix(a.query+"&"+name+wrong, "&")
	a.allowed = a.allowed && name != "verbose"
}

// drawHostility makes a request one that no client of good will sends.
func drawHostility(t *rapid.T, o *contract.Operation, a *attempt) {
	kinds := []string{"path", "header", "query"}
	if o.Body != nil {
		kinds = append(kinds, "body", "body", "media type")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "hostility") {
	case "path":
		oddPath(t, o, a)
	case "header":
		h := rapid.SampledFrom(oddHeaders).Draw(t, "odd header")
		a.header[h[0]] = append([]string{}, h[1:]...)
	case "query":
		a.query = rapid.SampledFrom([]string{"&&&", "=", "=x", "%", "a=%", strings.Repeat("a=1&", 200), strings.Repeat("%00", 100), "page=1;per_page=2",
			"status[]=SENT", "__proto__=1", "cursor", "cursor=AAAA", "page=1&cursor=", "api_key=ex_live_x", "\u00ff=\u00ff"}).Draw(t, "odd query")
	case "body":
		a.body = spoil(t, a.body)
		a.header.Set("Content-Type", "application/json")
	case "media type":
		a.header.Set("Content-Type", rapid.SampledFrom([]string{"", "text/plain", "application/json; charset=utf-16", "application/jsonp",
			"application/json, text/plain", "multipart/form-data; boundary=x", "APPLICATION/JSON;charset=UTF-8", "application/json;"}).Draw(t, "odd media type"))
	}
}

// drawForm draws a form of files, one that is damaged where the mood is almost.
func drawForm(t *rapid.T, mood string, a *attempt) {
	var b strings.Builder
	for range rapid.IntRange(1, 3).Draw(t, "files") {
		name := rapid.SampledFrom([]string{"a.txt", "b.pdf", "ä日.bin"}).Draw(t, "file name")
		content := rapid.SampledFrom([]string{"", "text", "%PDF-1.7", strings.Repeat("\x00", 1000)}).Draw(t, "content")
		b.WriteString("--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"" + name + "\"\r\n\r\n" + content + "\r\n")
	}
	a.body = b.String() + "--x--\r\n"
	a.header.Set("Content-Type", "multipart/form-data; boundary=x")
	if mood == "almost" {
		from := rapid.SampledFrom([]string{"--x--\r\n", "name=", "\"files\"", "; filename", "form-data", "\r\n", "--x\r\n", "a.txt"}).Draw(t, "damaged")
		to := rapid.SampledFrom([]string{"", "\"", "../../etc/passwd", "\x00", "\xff", "x", "\r\n\r\n", strings.Repeat("n", 20_000)}).Draw(t, "damage")
		a.body, a.valid = strings.Replace(a.body, from, to, 1), false
	}
}

// oddPath puts something odd where a uid belongs.
func oddPath(t *rapid.T, o *contract.Operation, a *attempt) {
	odd := rapid.SampledFrom([]string{"x", "%00", "..%2f..", "%2e%2e", strings.Repeat("9", 300), strings.Repeat("a", 7000), "%F0%9F%99%82", "0190b7a000007000800000000000dead",
		"%7b0190b7a0-0000-7000-8000-00000000dead%7d", "00000000-0000-0000-0000-000000000000", "current", "'%20or%201=1", "%0d%0aSet-Cookie:a"}).Draw(t, "odd uid")
	parts := strings.Split(o.Path, "/")
	for i := range parts {
		if strings.HasPrefix(parts[i], "{") {
			parts[i] = odd
		}
	}
	a.path = strings.Join(parts, "/")
}

// oddHeaders are a name and its values.
var oddHeaders = [][]string{
	{"Authorization", "Bearer"}, {"Authorization", "Bearer x", "Bearer y"}, {"Authorization", "Basic eDp5"}, {"Authorization", "Bearer ex_live_" + strings.Repeat("0", 38)},
	{"Authorization", "Bearer \u00ff"}, {"If-Match", "W/\"1\""}, {"If-Match", "\"99999999999999999999\""}, {"If-Match", ""}, {"If-Match", "\"1\"", "\"2\""},
	{"If-Match", strings.Repeat("\"1\",", 1000)}, {"X-Request-Id", ""}, {"X-Request-Id", "a b"}, {"X-Request-Id", strings.Repeat("a", 129)}, {"X-Request-Id", "ex_live_x"},
	{"X-Request-Id", "a", "b"}, {"Content-Encoding", "gzip"}, {"Content-Encoding", "identity"}, {"Host", "evil.example"}, {"Host", "a b"}, {"Accept", "text/html"},
	{"Accept-Encoding", "gzip;q=x, *"}, {"If-None-Match", "*"}, {"Range", "bytes=0-0"}, {"Expect", "100-continue"}, {"X-Forwarded-For", "1.2.3.4, \u00ff"},
	{"X-Http-Method-Override", "DELETE"}, {"Cookie", strings.Repeat("a=b;", 1000)}, {"User-Agent", ""}, {"X-Pad", strings.Repeat("a", 9000)}, {"Upgrade", "h2c"},
	{"Idempotency-Key", ""}, {"Idempotency-Key", "\"a\""}, {"Idempotency-Key", strings.Repeat("k", 256)}, {"Idempotency-Key", "a", "b"}, {"Idempotency-Key", "\u00ff"},
}
