package auth_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

// answer is that to a request of now, as a server tells it.
func (p *process) answer(status int) auth.Answer {
	return auth.Answer{At: p.clock.Now(), Took: time.Millisecond, Route: "GET /x", Status: status}
}

func TestRecentRequestsAreTheLatestTwenty(t *testing.T) {
	p, k, r := limited(t, "1000000/1s")
	if got := p.Recent(k.ID); len(got) != 0 {
		t.Errorf("before the first request: %v", got)
	}
	var want []auth.RecentRequest
	for i := range 50 {
		p.clock.advance(time.Minute)
		r.Addr = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		id := strings.Repeat("i", i) + "d"
		p.Finish(p.admit(t, r), p.answer(200+i), []byte(id))
		want = append([]auth.RecentRequest{{Answer: p.answer(200 + i), Addr: r.Addr, RequestID: id}}, want...)
		if got := p.Recent(k.ID); !slices.Equal(got, want[:min(i+1, 20)]) {
			t.Fatalf("after %d requests: %v, want %v", i+1, got, want)
		}
	}
	p.Finish(p.admit(t, r), p.answer(200), slices.Repeat([]byte("x"), 300))
	if got := p.Recent(k.ID)[0].RequestID; got != strings.Repeat("x", 128) {
		t.Errorf("a long id is kept as %q", got)
	}
	if got := p.Recent(k.OrgID); got != nil {
		t.Errorf("of no key: %v", got)
	}
}

// Whoever keeps a key sees who is refused with it, and from where.
func TestRecentRequestsHaveThoseThatWereRefused(t *testing.T) {
	p, k, r := limited(t, "1/1m")
	seen := func(ad auth.Admission, status int) {
		t.Helper()
		p.Finish(ad, p.answer(status), []byte("id"))
		if got := p.Recent(k.ID); len(got) == 0 || got[0].Status != status || got[0].Addr != r.Addr {
			t.Errorf("%d is not the latest request: %v", status, got)
		}
	}
	seen(p.admit(t, r), 201)
	seen(p.refuse(t, r, auth.ErrLimited), 429)
	k.Scopes = scopes(t, "parties:read")
	p.ring.Put(k)
	seen(p.refuse(t, r, auth.ErrScope), 403)
	k.Networks = networks(t, "10.0.0.0/8")
	p.ring.Put(k)
	r.Addr = netip.MustParseAddr("203.0.113.7")
	seen(p.refuse(t, r, auth.ErrNetwork), 403)
	k.ExpiresAt = noon
	p.ring.Put(k)
	seen(p.refuse(t, r, auth.ErrExpired), 401)
	k.RevokedAt = noon
	p.ring.Put(k)
	seen(p.refuse(t, r, auth.ErrRevoked), 401)
	if got := len(p.Recent(k.ID)); got != 6 {
		t.Errorf("%d requests, want 6", got)
	}
	p.ring.SetDisabled(k.UserID, true)
	k.RevokedAt, k.ExpiresAt = time.Time{}, time.Time{}
	p.ring.Put(k)
	p.Finish(p.refuse(t, r, auth.ErrSuspended), p.answer(401), nil)
	if got := len(p.Recent(k.ID)); got != 6 {
		t.Errorf("a request with a suspended key is told: %d", got)
	}
}

// With more keys than there is room for, each request is noted all the same.
func TestRecentRequestsOfManyKeysAtOnce(t *testing.T) {
	p, _, r := limited(t, "1000000/1s")
	shared := p.admit(t, r)
	done := make(chan error)
	for range 8 {
		go func() {
			for i := range 2000 {
				id, err := ids.New()
				if err != nil {
					done <- err
					return
				}
				k := auth.Key{ID: id}
				p.ring.Put(k)
				ad := p.ring.Admission(k.ID)
				p.Finish(ad, p.answer(i), []byte("mine"))
				p.Finish(shared, p.answer(i), []byte("ours"))
				if got := p.Recent(k.ID); len(got) > 1 || len(got) == 1 && (got[0].Status != i || got[0].RequestID != "mine") {
					done <- fmt.Errorf("a new key has %v", got)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, got := range p.Recent(shared.Key.ID) {
		if got.RequestID != "ours" {
			t.Errorf("another key's request: %v", got)
		}
	}
}

// What a request leaves behind when it is answered costs no allocation.
func TestFinishDoesNotAllocate(t *testing.T) {
	p, _, r := limited(t, "1000000/1s")
	ad, id := p.admit(t, r), []byte("6f9619ff-8b86-d011-b42d-00cf4fc964ff")
	for _, status := range []int{200, 403, 500} {
		answer := p.answer(status)
		if n := testing.AllocsPerRun(1000, func() { p.Finish(ad, answer, id) }); n != 0 {
			t.Errorf("%d: %v allocations", status, n)
		}
	}
}
