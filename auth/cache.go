package auth

import (
	"crypto/subtle"
	"sync"
	"sync/atomic"
)

// verified remembers which tokens have matched the hash of which key. It holds
// that costly fact and no decision: state, expiry, scopes and limits are read
// from the live record on every request, so revocation has nothing to
// invalidate. Matches of expired and revoked keys are remembered too: such a key
// costs one argon2id, not one a request.
type verified struct {
	shards [cacheShards]cacheShard
	most   int // entries a shard
}

const cacheShards = 64

type cacheShard struct {
	mu      sync.RWMutex
	entries map[Tag]cacheEntry

	hits, misses atomic.Uint64
}

type cacheEntry struct {
	digest digest
	live   *liveKey
	hash   Hash // the one that was matched: another hash is another fact
}

func newVerified(size int) *verified {
	v := &verified{most: max(1, size/cacheShards)}
	for i := range v.shards {
		v.shards[i].entries = map[Tag]cacheEntry{}
	}
	return v
}

func (v *verified) shard(d *digest) *cacheShard { return &v.shards[d[31]%cacheShards] }

// find is the key whose hash the token with this digest has matched, or nil.
func (v *verified) find(d *digest) *liveKey {
	s := v.shard(d)
	s.mu.RLock()
	e, ok := s.entries[d.tag()]
	s.mu.RUnlock()
	if !ok || subtle.ConstantTimeCompare(e.digest[:], d[:]) != 1 || !e.live.record.Load().Hash.same(e.hash) {
		return nil
	}
	return e.live
}

// asked counts a request by whether its token was known to match.
func (v *verified) asked(d *digest, known bool) {
	if s := v.shard(d); known {
		s.hits.Add(1)
	} else {
		s.misses.Add(1)
	}
}

// remember notes that the token matched hash, unless the key's hash has been
// replaced since. A full shard drops an entry of the map's choosing: a miss
// costs time, nothing else.
func (v *verified) remember(d *digest, live *liveKey, hash Hash) {
	if !live.record.Load().Hash.same(hash) {
		return
	}
	s := v.shard(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries) >= v.most {
		for tag := range s.entries {
			delete(s.entries, tag)
			break
		}
	}
	s.entries[d.tag()] = cacheEntry{*d, live, hash}
}
