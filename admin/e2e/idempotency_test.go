package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// request is a POST that a client sent with a key of its own; answer is nil if the
// server was killed before it said anything.
type request struct {
	path, body, key string
	answer          *answer
}

// TestRetryAfterKillHasOneEffect kills the server under load, again and again.
// Clients that then send everything once more, whether they were answered or not,
// get the same bytes, and nothing is there twice.
func TestRetryAfterKillHasOneEffect(t *testing.T) {
	const cycles, writers = 6, 8
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin", "--rate-limit", "1000000000/1s")
	var sent []*request
	for cycle := range cycles {
		s := serve(t, dir)
		invoice := payable(t, s, admin.Key)
		var mu sync.Mutex
		var load sync.WaitGroup
		for w := range writers {
			load.Go(func() {
				for n := 0; ; n++ {
					r := plan(cycle, w, n, invoice)
					mu.Lock()
					sent = append(sent, r)
					mu.Unlock()
					a, err := s.try("POST", r.path, admin.Key, r.body, "Idempotency-Key", r.key)
					if err != nil {
						return
					}
					r.answer = &a
				}
			})
		}
		time.Sleep(time.Duration(150+rand.IntN(200)) * time.Millisecond) // no condition: the kill is to come at any moment
		s.kill()
		load.Wait()
	}
	s := serve(t, dir)
	answered, silent := retry(t, s, admin.Key, sent)
	asked := map[string]int{}
	for _, r := range sent {
		asked[r.path]++
	}
	for path, want := range asked {
		list := data[struct {
			Meta struct {
				Total int `json:"total_items"`
			} `json:"_meta"`
		}](t, s.call("GET", strings.Replace(path, "parties", "parties?search=retried", 1), admin.Key, "").want(t, 200))
		if list.Meta.Total != want {
			t.Errorf("%s has %d, and %d were asked for", path, list.Meta.Total, want)
		}
	}
	s.stop()
	mustShell(t, "verify", "--data-dir", dir)
	t.Logf("%d requests: %d answered before the kill, %d not; %d parties", len(sent), answered, silent, asked["/api/parties"])
	if answered < cycles*writers || silent == 0 {
		t.Errorf("%d answered and %d not: too little load to prove anything", answered, silent)
	}
}

// payable makes an invoice that takes any number of payments.
func payable(t *testing.T, s *server, key string) (path string) {
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", key, `{"name":"Payer"}`).want(t, 201)).UID
	inv := data[struct{ UID string }](t, s.call("POST", "/api/invoices", key, `{"target_party_uid":"`+party+
		`","status":"SENT","line_items":[{"context_type":"PRODUCT","sku":"x","unit_price":1000000}]}`).want(t, 201))
	return "/api/invoices/" + inv.UID
}

// plan is the n-th request of a writer: mostly a party, now and then a payment.
func plan(cycle, writer, n int, invoice string) *request {
	r := &request{path: "/api/parties", body: fmt.Sprintf(`{"name":"retried %d-%d-%d"}`, cycle, writer, n),
		key: fmt.Sprintf("%d-%d-%d", cycle, writer, n)}
	if n%8 == 7 {
		r.path, r.body = invoice+"/payments", `{"amount_cents":1}`
	}
	return r
}

// retry sends every request again, twice.
func retry(t *testing.T, s *server, key string, sent []*request) (answered, silent int) {
	t.Helper()
	for _, r := range sent {
		again := s.call("POST", r.path, key, r.body, "Idempotency-Key", r.key).want(t, 201)
		if r.answer != nil {
			answered++
			if r.answer.status != 201 || !bytes.Equal(again.body, r.answer.body) || again.header.Get("ETag") != r.answer.header.Get("ETag") ||
				again.header.Get("Idempotent-Replayed") != "true" {
				t.Fatalf("%s with key %s was answered %d %s, and after the kill %s", r.path, r.key, r.answer.status, r.answer.body, again.body)
			}
			continue
		}
		silent++
		third := s.call("POST", r.path, key, r.body, "Idempotency-Key", r.key).want(t, 201)
		if !bytes.Equal(third.body, again.body) || third.header.Get("Idempotent-Replayed") != "true" {
			t.Fatalf("%s with key %s: %s, then %s", r.path, r.key, again.body, third.body)
		}
	}
	return answered, silent
}
