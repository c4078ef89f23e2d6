package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"exante/auth"
	"exante/server"
	"exante/storage"
)

func TestUnknownPathsTellStrangersNothing(t *testing.T) {
	w := start(t, nil)
	for _, path := range []string{"/api/nowhere", "/api/", "/api", "/api/invoices/", "/api/api-keys/a/b/c", "/api/openapi.json"} {
		w.refused(w.get(path, ""), 401, "missing_authorization")
		w.refused(w.get(path, w.acme.key), 404, "not_found")
	}
	w.refused(w.get("/nowhere", ""), 404, "not_found")
	w.refused(w.get("/apix", ""), 404, "not_found")
}

func TestWrongMethodNamesTheRightOnes(t *testing.T) {
	w := start(t, nil)
	for _, c := range []struct{ method, path, allow string }{
		{"PATCH", "/api/invoices", "GET, HEAD, POST, PUT, DELETE"},
		{"DELETE", "/api/parties/x", "GET, HEAD, PUT"},
		{"OPTIONS", "/api/api-keys", "GET, HEAD, POST"},
		{"POST", "/api/api-keys/current", "GET, HEAD, DELETE"},
		{"POST", "/livez", "GET, HEAD"},
	} {
		r := w.do(c.method, c.path, w.acme.key, "")
		w.refused(r, 405, "method_not_allowed")
		if got := r.header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow = %s, want %s", c.method, c.path, got, c.allow)
		}
	}
	w.refused(w.do("PATCH", "/api/invoices", "", ""), 401, "missing_authorization")
}

func TestOnlyAllowedHostsReachTheAPI(t *testing.T) {
	w := start(t, func(o *server.Options) { o.AllowedHosts = []string{"api.example.com"} })
	w.refused(w.do("GET", "/api/invoices", w.acme.key, "", "Host", "evil.example"), 421, "misdirected_request")
	w.refused(w.do("GET", "/api/nowhere", "", "", "Host", "evil.example"), 421, "misdirected_request")
	w.data(w.do("GET", "/api/invoices", w.acme.key, "", "Host", "api.example.com:8080"), 200)
	w.data(w.get("/api/invoices", w.acme.key), 200)
	if r := w.do("GET", "/livez", "", "", "Host", "evil.example"); r.status != 200 {
		t.Errorf("livez: %d", r.status)
	}
	absolute := "GET http://evil.example/api/invoices HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nAuthorization: Bearer " + w.acme.key + "\r\n\r\n"
	if answer, _ := talk(t, w.addr, []byte(absolute)); !strings.HasPrefix(answer, "HTTP/1.1 421 ") {
		t.Errorf("absolute URI of another host: %.100q", answer)
	}
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	w := start(t, nil)
	id := w.invoice(w.acme.key, "")["uid"].(string)
	w.get("/api/invoices/"+id+"?token="+w.acme.key, w.acme.key)
	w.get("/api/"+w.acme.key, w.acme.key)
	w.do("GET", "/api/invoices", "", "", "Authorization", "Basic "+w.acme.key)
	w.do("POST", "/api/parties", w.acme.key, `{"name":"`+w.acme.key+`"`)
	_, created := w.mint(w.acme, storage.KeyDraft{Name: "fresh", Scopes: auth.FullAccess})
	w.get("/api/invoices", created)
	log := w.log.String()
	for _, key := range []string{w.acme.key, created} {
		if strings.Contains(log, key[8:40]) || strings.Contains(log, key[16:32]) {
			t.Error("a key reached the log")
		}
	}
	for _, want := range []string{`route="GET /api/invoices/:uid"`, "key_uid=" + w.acme.id, "status=401", "duration_us=", "request_id="} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if strings.Contains(log, id) {
		t.Error("a path reached the log")
	}
}

func TestRequestIDIsEchoedOrMade(t *testing.T) {
	w := start(t, nil)
	if got := w.do("GET", "/livez", "", "", "X-Request-Id", "my-id_1.2").header.Get("X-Request-Id"); got != "my-id_1.2" {
		t.Errorf("echoed %q", got)
	}
	seen := map[string]bool{}
	for _, own := range []string{"", "has space", strings.Repeat("x", 129), "<script>"} {
		got := w.do("GET", "/livez", "", "", "X-Request-Id", own).header.Get("X-Request-Id")
		if len(got) != 36 || got[14] != '7' || seen[got] {
			t.Errorf("for %q made %q", own, got)
		}
		seen[got] = true
	}
}

func TestEveryAnswerHasTheFixedHeaders(t *testing.T) {
	w := start(t, nil)
	for _, r := range []reply{w.get("/api/invoices", w.acme.key), w.get("/api/invoices", ""), w.get("/livez", ""), w.get("/nowhere", "")} {
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "application/json"} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%d: %s = %q, want %q", r.status, name, got, want)
			}
		}
		if r.header.Get("Server") != "" {
			t.Error("the server names itself")
		}
		if !json.Valid([]byte(r.body)) {
			t.Errorf("body is not JSON: %s", r.body)
		}
	}
}

// Strings that came with a request outlive it, whatever the next one on the same
// connection brings.
func TestNothingKeptOfARequestIsOverwritten(t *testing.T) {
	w := start(t, nil)
	want := map[string]bool{}
	for i := range 50 {
		name := strings.Repeat(string(rune('a'+i%26)), 1+i)
		want[name] = true
		w.party(w.acme.key, name)
		w.do("POST", "/api/api-keys", w.acme.key, `{"name":"`+strings.ToUpper(name)+`"}`, "X-Request-Id", "id-"+name, "User-Agent", "agent "+name)
	}
	for _, page := range []string{"1", "2"} {
		for _, item := range w.data(w.get("/api/parties?per_page=25&page="+page, w.acme.key), 200)["items"].([]any) {
			delete(want, item.(map[string]any)["name"].(string))
		}
	}
	if len(want) != 0 {
		t.Errorf("lost names: %v", want)
	}
}
