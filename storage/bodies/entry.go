package bodies

import "sync/atomic"

// entry is a body in the ring of its shard, oldest first.
type entry struct {
	Body
	key        Key
	began      uint64 // value of the clock before the store was read
	size       int64
	used       atomic.Bool // since it last came round for eviction
	prev, next *entry
}

func (s *shard) add(e *entry) {
	s.entries[e.key] = e
	s.bytes += e.size
	s.append(e)
}

func (s *shard) remove(e *entry) {
	delete(s.entries, e.key)
	s.bytes -= e.size
	e.unlink()
}

// evict makes room: the oldest leaves, but one that was used gets another round.
func (s *shard) evict() {
	for s.bytes > s.limit {
		oldest := s.ring.next
		if oldest.used.Swap(false) {
			oldest.unlink()
			s.append(oldest)
			continue
		}
		s.remove(oldest)
	}
}

func (s *shard) append(e *entry) {
	e.prev, e.next = s.ring.prev, &s.ring
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() { e.prev.next, e.next.prev = e.next, e.prev }
