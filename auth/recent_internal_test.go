package auth

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"exante/auth/uid"
)

// numbered is the n-th of many keys, as a request meets it.
func numbered(r *Keyring, n int) Admission {
	var id uid.ID
	binary.BigEndian.PutUint64(id[:], uint64(n))
	live := r.live(id)
	if live == nil {
		r.Put(Key{ID: id})
		live = r.live(id)
	}
	return Admission{live: live, Key: live.record.Load(), addr: netip.MustParseAddr("2001:db8::1")}
}

// However many keys are used, what is remembered of their requests stays within
// 8 MiB, and is of the keys that were used last.
func TestRecentRequestsAreBounded(t *testing.T) {
	if size := unsafe.Sizeof(recent{}); size > 4<<10 {
		t.Errorf("a key's requests take %d bytes", size)
	}
	const keys = 10_000
	ring := NewKeyring()
	for n := range keys {
		numbered(ring, n)
	}
	a := &Authenticator{keyring: ring}
	longest := bytes.Repeat([]byte("x"), recentID)
	before := heap()
	for n := range keys {
		for range recentRequests {
			a.Finish(numbered(ring, n), Answer{At: time.Unix(int64(n), 0), Route: "GET /x", Status: 200}, longest)
		}
	}
	if grown := heap() - before; grown > 8<<20+128<<10 {
		t.Errorf("the requests of %d keys take %d bytes", keys, grown)
	}
	kept := 0
	for n := range keys {
		got := len(a.Recent(numbered(ring, n).Key.ID))
		if late := n >= keys-(maxRecents-givenBack); got != 0 && got != recentRequests || late && got == 0 {
			t.Fatalf("key %d of %d has %d requests", n, keys, got)
		}
		if got > 0 {
			kept++
		}
	}
	if kept > maxRecents {
		t.Errorf("%d keys have theirs", kept)
	}
	runtime.KeepAlive(ring)
}

// A key that is used all the time keeps its requests, whoever comes and goes.
func TestKeyInUseKeepsItsRecentRequests(t *testing.T) {
	ring := NewKeyring()
	a := &Authenticator{keyring: ring}
	busy := numbered(ring, 1<<40)
	for n := range 3 * maxRecents {
		at := time.Unix(int64(n), 0)
		a.Finish(busy, Answer{At: at, Status: 200}, nil)
		a.Finish(numbered(ring, n), Answer{At: at, Status: 200}, nil)
		if got := a.Recent(busy.Key.ID); len(got) != min(n+1, recentRequests) {
			t.Fatalf("after %d others it has %d", n, len(got))
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
