package auth

import (
	"net/netip"
	"sync"
	"time"
)

// failures is the budget of refused requests (401, and 403 for scope and
// network) that one address has. It turns refusals into 429; it never stands
// in the way of a good key, even one behind the same address. IPv6 callers are
// counted by /64, which is what one subscriber holds. Memory is bounded: a full
// shard forgets an address that has used least of its budget among a few.
type failures struct {
	limits Limits
	shards [failureShards]failureShard
}

const (
	failureShards   = 64
	failuresAShard  = 1024
	evictionSamples = 8
)

type failureShard struct {
	mu     sync.Mutex
	meters map[netip.Addr]*meter
}

func newFailures(limits Limits) *failures {
	f := &failures{limits: limits}
	for i := range f.shards {
		f.shards[i].meters = map[netip.Addr]*meter{}
	}
	return f
}

// charge counts one refusal. It returns 0, or the wait once the budget is spent.
func (f *failures) charge(addr netip.Addr, now int64) time.Duration {
	if len(f.limits) == 0 {
		return 0
	}
	addr = subscriber(addr)
	s := f.shard(addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.meters[addr]
	if m == nil {
		if len(s.meters) < failuresAShard {
			m = &meter{}
		} else {
			m = s.evict(now)
		}
		m.fit(f.limits)
		s.meters[addr] = m
	}
	d, _ := m.take(now, false)
	return d.RetryAfter
}

func subscriber(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		p, _ := addr.Prefix(64)
		return p.Addr()
	}
	return addr
}

func (f *failures) shard(addr netip.Addr) *failureShard {
	b := addr.As16()
	h := uint32(2166136261) // FNV-1a
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return &f.shards[h%failureShards]
}

// evict forgets the address that has used least, of a few that the map happens to
// name, and hands over its meter, emptied.
func (s *failureShard) evict(now int64) *meter {
	var least netip.Addr
	fewest, seen := int64(-1), 0
	for addr, m := range s.meters {
		r := &m.rings[len(m.rings)-1]
		r.advance(now)
		if fewest < 0 || r.used < fewest {
			least, fewest = addr, r.used
		}
		if seen++; seen == evictionSamples {
			break
		}
	}
	m := s.meters[least]
	delete(s.meters, least)
	for i := range m.rings {
		m.rings[i] = newRing(m.rings[i].window)
	}
	return m
}
