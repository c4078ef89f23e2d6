package auth

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"exante/auth/uid"
)

// The latest requests of a key are for the eyes of whoever keeps it: in memory
// alone, since the program started. They cost 4 KiB a key, 8 MiB at most: that is
// 2,048 keys. When one more comes, the keys that were used longest ago give theirs
// back.
const (
	recentRequests = 20 // of one key
	recentID       = 128
	maxRecents     = 2048
	givenBack      = maxRecents / 8 // at a time, so that looking for the oldest is rare
)

// Answer is how a request was answered.
type Answer struct {
	At     time.Time     // when the request came
	Took   time.Duration // until it was answered
	Route  string        // "GET /api/invoices/:uid": of the route table, so it never holds what a caller sent; "none": it has no route
	Status int
}

// RecentRequest is one request of a key: an admitted one, or one that was refused
// once the key was known to be genuine.
type RecentRequest struct {
	Answer
	Addr      netip.Addr // where it came from, as it was judged
	RequestID string     // at most 128 bytes
}

// Recent are the latest requests of a key since the program started, at most 20,
// the one that was answered last first. Those of a suspended key are not among them:
// nothing tells them from requests without a key. A key has none after some 1,800
// others were used later than it. Whose key it is, is for the caller to check.
func (a *Authenticator) Recent(key uid.ID) []RecentRequest {
	live := a.keyring.live(key)
	if live == nil {
		return nil
	}
	live.mu.Lock()
	defer live.mu.Unlock()
	if live.recent == nil {
		return nil
	}
	return live.recent.newestFirst()
}

// recent is a ring of the latest requests of one key. Its owner's lock guards it.
type recent struct {
	entries [recentRequests]recentEntry
	count   uint64 // that were noted; the oldest is written over
}

// recentEntry is a RecentRequest of a fixed size: noting it allocates nothing.
type recentEntry struct {
	at     int64 // Unix nanoseconds
	took   time.Duration
	route  string
	addr   netip.Addr
	status int16
	idLen  uint8
	id     [recentID]byte
}

func (r *recent) note(a Answer, addr netip.Addr, requestID []byte) {
	e := &r.entries[r.count%recentRequests]
	e.at, e.took, e.route, e.status, e.addr = a.At.UnixNano(), a.Took, a.Route, int16(a.Status), addr
	e.idLen = uint8(copy(e.id[:], requestID))
	r.count++
}

func (r *recent) newestFirst() []RecentRequest {
	out := make([]RecentRequest, 0, min(r.count, recentRequests))
	for n := r.count; n > 0 && len(out) < cap(out); n-- {
		e := &r.entries[(n-1)%recentRequests]
		out = append(out, RecentRequest{
			Answer:    Answer{At: time.Unix(0, e.at).UTC(), Took: e.took, Route: e.route, Status: int(e.status)},
			Addr:      e.addr,
			RequestID: string(e.id[:e.idLen]),
		})
	}
	return out
}

// note writes a request down, or reports that the key has nowhere to.
func (l *liveKey) note(a Answer, addr netip.Addr, requestID []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recent == nil {
		return false
	}
	l.recent.note(a, addr, requestID)
	return true
}

// recents lends each key that is used a ring of its own. A key that has one does
// not come here.
type recents struct {
	mu   sync.Mutex // taken around a key's lock, never inside one
	lent []*liveKey
	free []*recent
}

// lend gives a key its ring, unless it has one.
func (rs *recents) lend(live *liveKey) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if _, has := live.newest(); has {
		return // another request of the same key came first
	}
	if len(rs.lent) == maxRecents {
		rs.takeBack()
	}
	ring := &recent{}
	if last := len(rs.free) - 1; last >= 0 {
		ring, rs.free = rs.free[last], rs.free[:last]
	}
	live.mu.Lock()
	live.recent = ring
	live.mu.Unlock()
	rs.lent = append(rs.lent, live)
}

// takeBack frees the rings of the keys that were used longest ago.
func (rs *recents) takeBack() {
	type loan struct {
		live *liveKey
		last int64
	}
	loans := make([]loan, len(rs.lent))
	for i, live := range rs.lent {
		last, _ := live.newest()
		loans[i] = loan{live, last}
	}
	slices.SortFunc(loans, func(x, y loan) int { return cmp.Compare(x.last, y.last) })
	rs.lent = rs.lent[:0]
	for i, l := range loans {
		if i < givenBack {
			rs.free = append(rs.free, l.live.giveBack())
		} else {
			rs.lent = append(rs.lent, l.live)
		}
	}
}

// newest is when the latest request in the key's ring came, in Unix nanoseconds, 0 if
// it is empty, and whether the key has one.
func (l *liveKey) newest() (at int64, has bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recent == nil || l.recent.count == 0 {
		return 0, l.recent != nil
	}
	return l.recent.entries[(l.recent.count-1)%recentRequests].at, true
}

// giveBack takes the key's ring away. What is in it is another's to write over.
func (l *liveKey) giveBack() *recent {
	l.mu.Lock()
	defer l.mu.Unlock()
	ring := l.recent
	ring.count, l.recent = 0, nil
	return ring
}
