package bodies_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage/bodies"
)

var (
	start = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	never = start.AddDate(100, 0, 0)
)

func numbered(n uint64) (id uid.ID) {
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func key(n uint64) bodies.Key { return bodies.Key{Org: numbered(1), ID: numbered(n)} }

func put(c *bodies.Cache, k bodies.Key, b bodies.Body) {
	if b.Until.IsZero() {
		b.From, b.Until = start, never
	}
	c.Begin(k).Put(b)
}

func TestBodyIsHandedOutWhileItIsTrue(t *testing.T) {
	c := bodies.New(1 << 20)
	k := key(7)
	put(c, k, bodies.Body{Bytes: []byte("seven"), Version: 3, From: start, Until: start.Add(time.Hour)})
	for after, want := range map[time.Duration]bool{
		-1: false, 0: true, time.Hour - 1: true, time.Hour: false, 2 * time.Hour: false,
	} {
		b, ok := c.Get(k, start.Add(after))
		if ok != want || ok && (string(b.Bytes) != "seven" || b.Version != 3) {
			t.Errorf("after %s: %q of version %d, %v, want %v", after, b.Bytes, b.Version, ok, want)
		}
	}
	if _, ok := c.Get(bodies.Key{Org: numbered(2), ID: k.ID}, start); ok {
		t.Error("another organization got the body")
	}
	c.Drop(k)
	if _, ok := c.Get(k, start); ok {
		t.Error("a dropped body was handed out")
	}
}

func TestBodyThatBeganBeforeADropIsRefused(t *testing.T) {
	c := bodies.New(1 << 20)
	k := key(7)
	stale := c.Begin(k)
	c.Drop(k)
	fresh := c.Begin(k)
	stale.Put(bodies.Body{Bytes: []byte("stale"), From: start, Until: never})
	if b, ok := c.Get(k, start); ok {
		t.Errorf("got %q, want nothing", b.Bytes)
	}
	fresh.Put(bodies.Body{Bytes: []byte("fresh"), From: start, Until: never})
	if b, _ := c.Get(k, start); string(b.Bytes) != "fresh" {
		t.Errorf("got %q, want the fresh body", b.Bytes)
	}
}

func TestOutdatingARecordForgetsAllThatShowIt(t *testing.T) {
	c := bodies.New(1 << 20)
	party, other := numbered(500), numbered(501)
	put(c, key(1), bodies.Body{Bytes: []byte("1"), Shows: party})
	put(c, key(2), bodies.Body{Bytes: []byte("2"), Shows: party})
	put(c, key(3), bodies.Body{Bytes: []byte("3"), Shows: other})
	put(c, key(4), bodies.Body{Bytes: []byte("4")})
	stale := c.Begin(key(5))
	c.Outdate(party)
	stale.Put(bodies.Body{Bytes: []byte("5"), Shows: party, From: start, Until: never})
	for n, want := range map[uint64]bool{1: false, 2: false, 3: true, 4: true, 5: false} {
		if _, ok := c.Get(key(n), start); ok != want {
			t.Errorf("body %d known: %v, want %v", n, ok, want)
		}
	}
	put(c, key(1), bodies.Body{Bytes: []byte("1"), Shows: party})
	if _, ok := c.Get(key(1), start); !ok {
		t.Error("a body made after the change is not known")
	}
}

func TestCacheStaysWithinItsBytesAndKeepsWhatIsUsed(t *testing.T) {
	const limit = 64 * 64 << 10
	c := bodies.New(limit)
	k := key(64 * 1000) // shard 0
	put(c, k, bodies.Body{Bytes: make([]byte, 1000)})
	known := func() (n int) {
		for i := range uint64(20_000) {
			if _, ok := c.Get(key(i), start); ok {
				n++
			}
		}
		return n
	}
	for i := range uint64(20_000) {
		put(c, key(i), bodies.Body{Bytes: make([]byte, 1000)})
		if _, ok := c.Get(k, start); !ok {
			t.Fatalf("the body in use left when body %d came", i)
		}
	}
	if n := known(); n == 0 || n*1000 > limit {
		t.Errorf("%d bodies of 1000 bytes are known, want some, and at most %d bytes", n, limit)
	}
	put(c, key(1), bodies.Body{Bytes: make([]byte, limit/64)})
	if _, ok := c.Get(key(1), start); ok {
		t.Error("a body larger than its share was kept")
	}
}

func TestCacheWithoutBytesRemembersNothing(t *testing.T) {
	for _, limit := range []int64{0, -1} {
		c := bodies.New(limit)
		put(c, key(1), bodies.Body{Bytes: []byte("1")})
		if _, ok := c.Get(key(1), start); ok {
			t.Errorf("New(%d) remembers", limit)
		}
	}
}

// The record's version is raised, as a commit does, before the drop; the drop
// comes before the acknowledgement. No reader may then see less than what was
// acknowledged when it asked.
func TestNoBodyIsOlderThanTheLastAcknowledgedVersion(t *testing.T) {
	const ids, rounds = 8, 4000
	c := bodies.New(64 * 1200) // four of these a shard, so that eviction takes part
	var visible, acknowledged [ids]atomic.Uint64
	var party, partyAcknowledged atomic.Uint64
	var readers sync.WaitGroup
	done := make(chan struct{})
	read := func(n uint64) {
		want, wantParty := acknowledged[n].Load(), partyAcknowledged.Load()
		b, ok := c.Get(key(64*n), start)
		if !ok {
			fill := c.Begin(key(64 * n))
			b = bodies.Body{Version: visible[n].Load(), From: start, Until: never, Shows: numbered(99)}
			b.Bytes = binary.BigEndian.AppendUint64(nil, party.Load())
			runtime.Gosched() // lets a drop come between
			fill.Put(b)
		}
		if b.Version < want || binary.BigEndian.Uint64(b.Bytes) < wantParty {
			t.Errorf("saw version %d after %d was acknowledged", b.Version, want)
		}
	}
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					read(rand.Uint64N(ids))
				}
			}
		})
	}
	for range rounds {
		n := rand.Uint64N(ids)
		v := visible[n].Add(1)
		runtime.Gosched() // lets a body be made of what is not acknowledged yet
		c.Drop(key(64 * n))
		acknowledged[n].Store(v)
		if v%7 == 0 {
			p := party.Add(1)
			c.Outdate(numbered(99))
			partyAcknowledged.Store(p)
		}
	}
	close(done)
	readers.Wait()
}

func TestHitDoesNotAllocate(t *testing.T) {
	c := bodies.New(1 << 20)
	put(c, key(1), bodies.Body{Bytes: []byte("1"), Shows: numbered(2)})
	if n := testing.AllocsPerRun(100, func() { c.Get(key(1), start) }); n != 0 {
		t.Errorf("a hit makes %v allocations, want none", n)
	}
}

func BenchmarkHit(b *testing.B) {
	c := bodies.New(64 << 20)
	const known = 10_000
	for n := range uint64(known) {
		put(c, key(n), bodies.Body{Bytes: fmt.Append(nil, "body", n)})
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for n := uint64(0); p.Next(); n++ {
			if _, ok := c.Get(key(n%known), start); !ok {
				b.Fatal("a known body was not found")
			}
		}
	})
}
