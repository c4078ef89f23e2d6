package server_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/server"
	"exante/storage"
)

// recent are the latest requests of a key as whoever keeps it is told them.
func (w *world) recent(key string) []auth.RecentRequest {
	w.tb.Helper()
	id, err := uid.Parse(key)
	w.must(err)
	return w.auth.Recent(id)
}

// What a key did is told by route, status and request id, and by nothing else that
// a caller sent.
func TestRecentRequestsTellWhatAKeyDid(t *testing.T) {
	w := start(t, func(o *server.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "reader", Scopes: scopes(t, "parties:read")})
	w.do("GET", "/api/parties", key, "", "X-Request-Id", "mine-1", "X-Forwarded-For", "203.0.113.9")
	w.clock.Advance(time.Minute)
	refused := w.do("POST", "/api/parties", key, `{"name":"x"}`)
	w.do("HEAD", "/api/parties/"+key, key, "", "X-Request-Id", key)
	w.do("GET", "/api/"+key, key, "")
	w.do("GET", "/api/parties?no=such", key, "")
	w.do("GET", "/api/parties", w.acme.key, "")
	revoked, err := uid.Parse(id)
	w.must(err)
	_, err = w.store.RevokeKey(t.Context(), w.acme.by, revoked, 0)
	w.must(err)
	w.do("GET", "/api/parties", key, "")
	w.do("GET", "/livez", key, "")

	want := []string{
		"GET /api/parties 401", "GET /api/parties 422", "none 404", "HEAD /api/parties/:uid 404",
		"POST /api/parties 403", "GET /api/parties 200",
	}
	got := w.recent(id)
	if len(got) != len(want) {
		t.Fatalf("%d requests, want %d: %+v", len(got), len(want), got)
	}
	for i, r := range got {
		if text := fmt.Sprint(r.Route, " ", r.Status); text != want[i] || r.RequestID == "" || r.RequestID == key || !r.Addr.IsValid() {
			t.Errorf("request %d is %+v, want %s", i, r, want[i])
		}
	}
	if r := got[5]; r.RequestID != "mine-1" || r.Addr != netip.MustParseAddr("203.0.113.9") || !r.At.Equal(begin) {
		t.Errorf("the first is %+v", r)
	}
	if r := got[4]; r.RequestID != refused.header.Get("X-Request-Id") || !r.At.Equal(begin.Add(time.Minute)) || r.Took != 0 {
		t.Errorf("the refused one is %+v, answered with %s", r, refused.header.Get("X-Request-Id"))
	}
}
