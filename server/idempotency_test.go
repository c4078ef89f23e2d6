package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/server"
	"exante/storage"
)

// own is a request to a POST route for which everything is there, in acme.
func (w *world) own(pattern string) (path, body string) {
	w.tb.Helper()
	path, body = strings.TrimPrefix(pattern, "POST "), bodies[pattern]
	switch {
	case path == "/api/invoices":
		body = fmt.Sprintf(`{"target_party_uid":%q,"tax_cents":5}`, w.party(w.acme.key, "Client")["uid"])
	case path == "/api/parties", path == "/api/api-keys":
		body = `{"name":"new"}`
	case strings.HasSuffix(path, "/payments"):
		path = w.sent(w.acme.key, 100) + "/payments"
	case strings.HasPrefix(path, "/api/invoices/:uid/"):
		path = strings.Replace(path, ":uid", w.invoice(w.acme.key, "")["uid"].(string), 1)
	case strings.HasPrefix(path, "/api/api-keys/:uid/"):
		id, _ := w.mint(w.acme, storage.KeyDraft{Name: "old", Scopes: auth.FullAccess})
		path = strings.Replace(path, ":uid", id, 1)
	}
	if body == "" || strings.Contains(path, ":") {
		w.tb.Fatalf("%s: give the tests a path and a body for it", pattern)
	}
	return path, body
}

func (w *world) changes() int {
	w.tb.Helper()
	all, err := w.store.Audit(w.tb.Context(), storage.AuditQuery{Limit: 1 << 20})
	w.must(err)
	return len(all)
}

// replayed checks that r repeats first, which it need not do for a secret.
func (w *world) replayed(name string, first, r reply) {
	w.tb.Helper()
	want := first.body
	var made struct{ Data struct{ Key string } }
	if json.Unmarshal([]byte(want), &made) == nil && made.Data.Key != "" {
		want = strings.Replace(want, `"key":"`+made.Data.Key+`"`, `"key":null`, 1)
	}
	if r.status != first.status || r.body != want || r.header.Get("ETag") != first.header.Get("ETag") || r.header.Get("Content-Type") != "application/json" {
		w.tb.Errorf("%s: replayed as %d %s %s\nwant %d %s %s", name, r.status, r.header.Get("ETag"), r.body, first.status, first.header.Get("ETag"), want)
	}
	if r.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" || r.header.Get("RateLimit") == "" {
		w.tb.Errorf("%s: headers are %v, after %v", name, r.header, first.header)
	}
}

// otherThan is a body that says the same in JSON, and brings another file in a form.
func otherThan(body string) string {
	if mediaOf(body) == formMedia {
		return strings.Replace(body, "mine now", "another", 1)
	}
	return body + " "
}

// Files are what is sent, not the boundary around them, which is another every time.
func TestRetriedUploadMayHaveAnotherBoundary(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	form := formOf(upload{"files", "a", noise(100_000)}, upload{"files", "b", "b"})
	first := w.send(path, form, "Idempotency-Key", "k")
	w.attached(first)
	again := strings.ReplaceAll(form, "--b", "--another")
	w.replayed("boundary", first, w.do("POST", path, w.acme.key, again, "Idempotency-Key", "k", "Content-Type", "multipart/form-data; boundary=another"))
	w.replayed("stale", first, w.send(path, form, "Idempotency-Key", "k", "If-Match", `"1"`))
	for name, other := range map[string]string{
		"name":       formOf(upload{"files", "A", noise(100_000)}, upload{"files", "b", "b"}),
		"content":    formOf(upload{"files", "a", noise(100_000)}, upload{"files", "b", "c"}),
		"order":      formOf(upload{"files", "b", "b"}, upload{"files", "a", noise(100_000)}),
		"fewer":      formOf(upload{"files", "a", noise(100_000)}),
		"more":       formOf(upload{"files", "a", noise(100_000)}, upload{"files", "b", "b"}, upload{"files", "c", ""}),
		"broken off": form[:len(form)-20],
		"field":      formOf(upload{"files", "a", noise(100_000)}, upload{"files", "b", "b"}, upload{"other", "c", ""}),
	} {
		if r := w.send(path, other, "Idempotency-Key", "k"); r.status != 422 || !strings.Contains(r.body, "idempotency_key_reused") {
			t.Errorf("another %s: %d %s", name, r.status, r.body)
		}
	}
	if n := w.count(invoice); n != 2 {
		t.Errorf("%d attachments, want 2", n)
	}
	w.refused(w.send(path, form, "Idempotency-Key", "new", "If-Match", `"1"`), 412, "precondition_failed")
	w.attached(w.send(path, form, "Idempotency-Key", "new"))
}

func TestEveryPOSTIsCarriedOutOnce(t *testing.T) {
	w := start(t, nil)
	visited := 0
	for _, pattern := range server.Patterns() {
		if !strings.HasPrefix(pattern, "POST ") {
			continue
		}
		visited++
		path, body := w.own(pattern)
		media := mediaOf(body)
		ask := func(body, id string, headers ...string) reply {
			return w.do("POST", path, w.acme.key, body, append(headers, "Idempotency-Key", "k", "X-Request-Id", id, "Content-Type", media)...)
		}
		first := ask(body, "one")
		if first.status != 201 || first.header.Get("X-Request-Id") != "one" {
			t.Errorf("%s: %d %s", pattern, first.status, first.body)
			continue
		}
		before := w.changes()
		w.clock.Advance(time.Hour)
		again := ask(body, "two")
		w.replayed(pattern, first, again)
		if again.header.Get("X-Request-Id") != "two" {
			t.Errorf("%s: the replay has the request id %s", pattern, again.header.Get("X-Request-Id"))
		}
		w.replayed(pattern+" with If-Match", first, ask(body, "three", "If-Match", `"1"`))
		w.refused(ask(otherThan(body), "four"), 422, "idempotency_key_reused")
		w.refused(ask("{", "five"), 422, "idempotency_key_reused")
		if after := w.changes(); after != before {
			t.Errorf("%s: replays changed %d records", pattern, after-before)
		}
	}
	if visited < 6 {
		t.Errorf("only %d routes are POST", visited)
	}
}

func TestIdempotencyKeyIsBareOrQuotedASCII(t *testing.T) {
	w := start(t, nil)
	long := strings.Repeat("k", 255)
	for n, same := range [][2]string{
		{"k", `"k"`}, {long, `"` + long + `"`}, {`a"b\c`, `"a\"b\\c"`}, {"!~", `"!~"`}, {"ex:live,1", `"ex:live,1"`},
	} {
		body := fmt.Sprintf(`{"name":"party %d"}`, n)
		first := w.do("POST", "/api/parties", w.acme.key, body, "Idempotency-Key", same[0])
		w.data(first, 201)
		w.replayed(same[1], first, w.do("POST", "/api/parties", w.acme.key, body, "Idempotency-Key", same[1]))
	}
	before := w.changes()
	for _, bad := range []string{
		"", " ", `""`, `"`, long + "k", `"` + long + `k"`, "a b", `"a b"`, "clé", `"clé"`, "\xff", "a\tb", `"a`, `"a"b`, `"a";p=1`, `"a\b"`, `"a\`,
	} {
		r := w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", bad)
		if d := w.refused(r, 422, "invalid"); !slices.Equal(d, []string{"Idempotency-Key: must be 1 to 255 visible ASCII characters, bare or in quotes"}) {
			t.Errorf("%q: details = %q", bad, d)
		}
	}
	r := w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", "a", "Idempotency-Key", "a")
	if d := w.refused(r, 422, "invalid"); !slices.Equal(d, []string{"Idempotency-Key: is sent twice"}) {
		t.Errorf("twice: details = %q", d)
	}
	if w.changes() != before {
		t.Error("a refused request changed something")
	}
}

func TestIdempotencyKeyIsScopedToKeyMethodAndPath(t *testing.T) {
	w := start(t, nil)
	_, second := w.mint(w.acme, storage.KeyDraft{Name: "second", Scopes: auth.FullAccess})
	fresh := func(method, path, key, body string, status int) {
		t.Helper()
		r := w.do(method, path, key, body, "Idempotency-Key", "same")
		w.data(r, status)
		if r.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s %s was replayed", method, path)
		}
	}
	for _, key := range []string{w.acme.key, second, w.rival.key} {
		fresh("POST", "/api/parties", key, `{"name":"x"}`, 201)
	}
	fresh("POST", "/api/api-keys", w.acme.key, `{"name":"x"}`, 201)
	one, other := w.invoice(w.acme.key, "")["uid"].(string), w.invoice(w.acme.key, "")["uid"].(string)
	line := `{"context_type":"PRODUCT","sku":"s","unit_price":1}`
	fresh("POST", "/api/invoices/"+one+"/line_items", w.acme.key, line, 201)
	fresh("POST", "/api/invoices/"+other+"/line_items", w.acme.key, line, 201)
	for range 2 { // other methods do not look at it
		fresh("GET", "/api/invoices/"+one, w.acme.key, "", 200)
		fresh("PUT", "/api/invoices/"+one, w.acme.key, `{"tax_cents":1}`, 200)
		fresh("PUT", "/api/invoices/"+one, w.acme.key, `{"tax_cents":2}`, 200)
	}
	w.data(w.do("GET", "/api/invoices/"+one, w.acme.key, "", "Idempotency-Key", "not one at all"), 200)
	w.data(w.do("DELETE", "/api/api-keys/"+w.acme.id, w.acme.key, "", "Idempotency-Key", ""), 200)
}

// A refusal is not kept: the key is free for the request that is meant.
func TestRefusedPOSTMayBeCorrected(t *testing.T) {
	w := start(t, nil)
	path := w.sent(w.acme.key, 100) + "/payments"
	ask := func(body string, headers ...string) reply {
		return w.do("POST", path, w.acme.key, body, append(headers, "Idempotency-Key", "pay-1")...)
	}
	w.refused(ask(`{`), 400, "malformed_json")
	w.refused(ask(`{"amount_cents":0}`), 422, "invalid")
	w.refused(ask(`{"amount_cents":101}`), 422, "invalid")
	w.refused(ask(`{"amount_cents":60}`, "If-Match", `"99"`), 412, "precondition_failed")
	first := ask(`{"amount_cents":60}`)
	w.data(first, 201)
	w.replayed("the corrected one", first, ask(`{"amount_cents":60}`))
	w.refused(ask(`{"amount_cents":40}`), 422, "idempotency_key_reused")
}

func TestParallelPOSTsWithOneKeyMakeOneRecord(t *testing.T) {
	w := start(t, nil)
	replies := make([]reply, 64)
	var all sync.WaitGroup
	for n := range replies {
		all.Go(func() {
			replies[n] = w.do("POST", "/api/parties", w.acme.key, `{"name":"only one"}`, "Idempotency-Key", "k")
		})
	}
	all.Wait()
	first, fresh, busy := "", 0, 0
	for _, r := range replies {
		switch {
		case r.status == 409:
			w.refused(r, 409, "idempotency_in_progress")
			busy++
			continue
		case r.header.Get("Idempotent-Replayed") == "":
			fresh++
		}
		w.data(r, 201)
		if first == "" {
			first = r.body
		}
		if r.body != first {
			t.Errorf("got %s, another got %s", r.body, first)
		}
	}
	if list := w.data(w.get("/api/parties?search=only", w.acme.key), 200); fresh != 1 || list["_meta"].(map[string]any)["total_items"] != 1.0 {
		t.Errorf("%d were carried out (%d refused): %v", fresh, busy, list)
	}
	t.Logf("%d of 64 were told to wait", busy)
}

func TestPOSTThatStillRunsKeepsOthersOut(t *testing.T) {
	w := start(t, nil)
	owner, err := uid.Parse(w.acme.id)
	w.must(err)
	release, err := w.store.Reserve(w.acme.org.ID, server.OnceID(owner, "POST", "/api/parties", "k"))
	w.must(err)
	r := w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", `"k"`)
	w.refused(r, 409, "idempotency_in_progress")
	if r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	w.data(w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", "other"), 201)
	release()
	w.data(w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", "k"), 201)
}

// A request that fails or panics gives its key back.
func TestFailedPOSTsReleaseTheirKey(t *testing.T) {
	w := start(t, nil)
	for range 3 {
		w.refused(w.do("POST", "/api/parties", w.acme.key, `{}`, "Idempotency-Key", "k"), 422, "invalid")
	}
	w.data(w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", "k"), 201)
}

// Who asks is asked first: a replay is for those who could ask now.
func TestReplayNeedsAKeyThatStillWorks(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "short", Scopes: auth.FullAccess, ExpiresAt: begin.Add(time.Hour)})
	ask := func() reply {
		return w.do("POST", "/api/parties", key, `{"name":"x"}`, "Idempotency-Key", "k")
	}
	w.data(ask(), 201)
	w.clock.Advance(time.Hour)
	w.refused(ask(), 401, "api_key_expired")
	w.clock.Advance(-time.Hour)
	w.data(w.do("DELETE", "/api/api-keys/"+id, w.acme.key, ""), 200)
	w.refused(ask(), 401, "api_key_revoked")
}

func TestReplayIsChargedAndEndsAfterADay(t *testing.T) {
	w := startWith(t, func(s *settings) { s.auth.Limits = limits(t, "3/1m") })
	ask := func() reply {
		return w.do("POST", "/api/parties", w.acme.key, `{"name":"x"}`, "Idempotency-Key", "k")
	}
	first := ask()
	w.replayed("second", first, ask())
	w.replayed("third", first, ask())
	w.refused(ask(), 429, "rate_limited")
	w.clock.Advance(24*time.Hour - time.Second)
	w.replayed("a day later", first, ask())
	w.clock.Advance(time.Second)
	if r := ask(); w.data(r, 201)["uid"] == w.data(first, 201)["uid"] || r.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("after a day it was replayed: %s", r.body)
	}
}

// The longest invoice that a body holds, all its names as long as they may be, is
// taken with a key as well, and again a day later, when there is one to delete.
func TestLongestPOSTIsCarriedOutOnce(t *testing.T) {
	w := start(t, nil)
	party := w.party(w.acme.key, "Client")["uid"]
	var lines []string
	for n := range 1000 {
		sku := fmt.Sprintf("%03d%s", n, strings.Repeat("\U0001F9FE", 61))
		lines = append(lines, fmt.Sprintf(`{"context_type":"PRODUCT","sku":%q,"quantity":123456.654321,"unit_price":12345678}`, sku))
	}
	note := strings.Repeat("0123456789", 6500)
	for day := range 2 {
		body := fmt.Sprintf(`{"target_party_uid":%q,"invoice_fields":{"note":%q},"line_items":[%s]}`, party, note, strings.Join(lines, ","))
		first := w.do("POST", "/api/invoices", w.acme.key, body, "Idempotency-Key", "k")
		w.data(first, 201)
		again := w.do("POST", "/api/invoices", w.acme.key, body, "Idempotency-Key", "k")
		if again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" || len(first.body) < 600_000 {
			t.Errorf("day %d: %d bytes with %d, want the %d of before", day, len(again.body), again.status, len(first.body))
		}
		w.clock.Advance(25 * time.Hour)
	}
}
