// Package bodies remembers encoded response bodies, bounded by bytes. A body is
// handed out only while it is true: until its record changes, until a record it
// shows in part changes, and until the instant at which the clock changes it.
//
// No stale body can get in. Whoever makes one calls Begin, then reads the store,
// then calls Put; the writer calls Drop and Outdate after the commit has become
// visible to readers and before it acknowledges. A Put that began before the Drop
// is refused.
package bodies

import (
	"sync"
	"sync/atomic"
	"time"

	"exante/auth/uid"
)

// Key names a body.
type Key struct{ Org, ID uid.ID }

// Body is an encoded response.
type Body struct {
	Bytes       []byte // shared: read-only
	Version     uint64 // of the record it was made from
	From, Until time.Time
	Shows       uid.ID // a second record whose change makes it untrue (Outdate); zero: none
}

const (
	shardCount = 64
	slotCount  = 4096
	// overhead is what an entry costs beside its bytes, roughly.
	overhead = 256
)

// Cache is a bounded set of bodies. Its methods are safe for concurrent use.
type Cache struct {
	shards [shardCount]shard
	// clock counts the Drops and Outdates; outdated has its value at the last
	// Outdate of the ids that share a slot.
	clock    atomic.Uint64
	outdated [slotCount]atomic.Uint64
}

type shard struct {
	mu      sync.RWMutex
	entries map[Key]*entry
	ring    entry  // sentinel: ring.next is the oldest
	bytes   int64  // of all entries, with overhead
	limit   int64  // of bytes
	dropped uint64 // value of the clock at the last Drop in this shard

	hits, misses atomic.Uint64
}

// New returns a cache of at most limit bytes. With a limit of 0 or less it
// remembers nothing.
func New(limit int64) *Cache {
	c := &Cache{}
	for i := range c.shards {
		s := &c.shards[i]
		s.entries, s.limit = map[Key]*entry{}, limit/shardCount
		s.ring.prev, s.ring.next = &s.ring, &s.ring
	}
	return c
}

// Get returns the body if it is known and true at now. It does not allocate.
func (c *Cache) Get(k Key, now time.Time) (Body, bool) {
	s := c.shard(k)
	s.mu.RLock()
	e := s.entries[k]
	s.mu.RUnlock()
	if e == nil || now.Before(e.From) || !now.Before(e.Until) || c.isOutdated(e.Shows, e.began) {
		s.misses.Add(1)
		return Body{}, false
	}
	s.hits.Add(1)
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.Body, true
}

// Stats are what a cache holds, and how often it was asked since it was made.
type Stats struct {
	Hits, Misses uint64
	Bodies       int
	Bytes        int64 // of all bodies, with what an entry costs
}

// Stats sums up the cache.
func (c *Cache) Stats() (sum Stats) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		sum.Bodies += len(s.entries)
		sum.Bytes += s.bytes
		s.mu.RUnlock()
		sum.Hits += s.hits.Load()
		sum.Misses += s.misses.Load()
	}
	return sum
}

// Fill is a body in the making.
type Fill struct {
	cache *Cache
	key   Key
	began uint64
}

// Begin announces a body. The store is read after it.
func (c *Cache) Begin(k Key) Fill { return Fill{c, k, c.clock.Load()} }

// Put remembers the body, unless it may have become untrue since Begin.
func (f Fill) Put(b Body) {
	size := int64(len(b.Bytes)) + overhead
	s := f.cache.shard(f.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if size > s.limit || s.dropped > f.began {
		return
	}
	if old := s.entries[f.key]; old != nil {
		s.remove(old)
	}
	s.add(&entry{Body: b, key: f.key, began: f.began, size: size})
	s.evict()
}

// Drop forgets a body.
func (c *Cache) Drop(k Key) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = c.clock.Add(1)
	if e := s.entries[k]; e != nil {
		s.remove(e)
	}
}

// Outdate forgets all bodies that show id. It takes the same time however many
// there are; they leave memory later.
func (c *Cache) Outdate(id uid.ID) { c.outdated[slot(id)].Store(c.clock.Add(1)) }

// isOutdated reports whether id changed after the fill that began then. Another
// id in the same slot counts too, which costs a miss.
func (c *Cache) isOutdated(id uid.ID, began uint64) bool {
	return !id.IsZero() && c.outdated[slot(id)].Load() > began
}

// The last bytes of a uid are random.
func (c *Cache) shard(k Key) *shard { return &c.shards[k.ID[15]%shardCount] }

func slot(id uid.ID) int { return (int(id[14])<<8 | int(id[15])) % slotCount }
