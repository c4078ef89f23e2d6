package auth

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
)

// failures is the budget of refused requests (401, and 403 for scope and
// network) that one address has. It turns refusals into 429; it never stands
// in the way of a good key, even one behind the same address. IPv6 callers are
// counted by /64, which is what one subscriber holds. Memory is bounded: a full
// shard forgets the address that has used least of its budget among a few.
type failures struct {
	limits Limits
	shards [failureShards]failureShard
}

const (
	failureShards  = 64
	failuresAShard = 1024
)

type failureShard struct {
	mu       sync.Mutex
	suspects map[netip.Addr]*suspect
}

// suspect is one address.
type suspect struct {
	rings []ring
	spent int64 // until this instant there is no budget
}

func newFailures(limits Limits) *failures {
	f := &failures{limits: limits}
	for i := range f.shards {
		f.shards[i].suspects = map[netip.Addr]*suspect{}
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
	who := s.suspects[addr]
	if who == nil {
		who = s.meet(f.limits, now)
		s.suspects[addr] = who
	}
	return who.charge(now)
}

func (s *suspect) charge(now int64) time.Duration {
	if now < s.spent { // nothing is charged until then, so nothing can have changed
		return time.Duration(s.spent - now)
	}
	var wait time.Duration
	for i := range s.rings {
		s.rings[i].advance(now)
		wait = max(wait, s.rings[i].freeIn(now))
	}
	if wait > 0 {
		s.spent = now + int64(wait)
		return wait
	}
	for i := range s.rings {
		s.rings[i].add(s.rings[i].head, 1)
	}
	return 0
}

func subscriber(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		p, _ := addr.Prefix(64)
		return p.Addr()
	}
	return addr
}

// shard spreads addresses by multiplication: neighbours lie apart.
func (f *failures) shard(addr netip.Addr) *failureShard {
	b := addr.As16()
	h := binary.BigEndian.Uint64(b[:8])*0x9E3779B97F4A7C15 ^ binary.BigEndian.Uint64(b[8:])*0xC2B2AE3D27D4EB4F
	return &f.shards[h>>58]
}

// meet makes room for one more address.
func (s *failureShard) meet(limits Limits, now int64) *suspect {
	var who *suspect
	if len(s.suspects) < failuresAShard {
		who = &suspect{}
	} else {
		who = s.evict(now)
	}
	who.spent, who.rings = 0, who.rings[:0]
	for _, w := range limits {
		who.rings = append(who.rings, newRing(w))
	}
	return who
}

// evict forgets the address that has used least, of a few.
func (s *failureShard) evict(now int64) *suspect {
	least := leastOf(s.suspects, func(who *suspect) int64 {
		r := &who.rings[len(who.rings)-1]
		r.advance(now)
		return r.used
	})
	who := s.suspects[least]
	delete(s.suspects, least)
	return who
}
