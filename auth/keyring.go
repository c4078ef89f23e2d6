package auth

import (
	"bytes"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"exante/auth/uid"
)

// Keyring holds every key of the instance in memory: the live records that
// each request is judged by. The store fills it at start and changes it after a
// commit and before the acknowledgement, so an answered revocation binds the
// next request.
type Keyring struct {
	mu    sync.RWMutex
	byID  map[uid.ID]*liveKey
	byTag map[Tag][]*liveKey // two keys may share a tag
	byOrg map[uid.ID][]*liveKey
	users map[uid.ID]*liveUser

	recents recents
}

// liveUser is what all keys of one user share.
type liveUser struct{ disabled atomic.Bool }

// liveKey is one key as requests meet it: an immutable record that is replaced
// whole, and the counters that belong to it for as long as the process lives.
type liveKey struct {
	record atomic.Pointer[Key]
	user   *liveUser   // whose it is
	queued atomic.Bool // its use is on the way to the Ledger

	mu     sync.Mutex
	meter  meter
	usage  usage
	recent *recent // lent by the Keyring; nil: none
}

// NewKeyring returns an empty Keyring.
func NewKeyring() *Keyring {
	return &Keyring{
		byID: map[uid.ID]*liveKey{}, byTag: map[Tag][]*liveKey{}, byOrg: map[uid.ID][]*liveKey{}, users: map[uid.ID]*liveUser{},
	}
}

// Put adds a key, or replaces the record of the key with that ID. Its counters
// stay. An ID never changes its tag, its organization or its user. Puts of one key come in
// the order of their commits.
func (r *Keyring) Put(k Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if live := r.byID[k.ID]; live != nil {
		live.record.Store(&k)
		return
	}
	live := &liveKey{user: r.user(k.UserID)}
	live.record.Store(&k)
	r.byID[k.ID] = live
	r.byTag[k.Tag] = append(r.byTag[k.Tag], live)
	org := r.byOrg[k.OrgID]
	at, _ := slices.BinarySearchFunc(org, k.ID, func(l *liveKey, id uid.ID) int {
		have := l.record.Load().ID
		return bytes.Compare(have[:], id[:])
	})
	r.byOrg[k.OrgID] = slices.Insert(org, at, live)
}

// SetDisabled suspends all keys of a user, those he will have too, or lifts that.
// No key's record changes: what has expired or was revoked meanwhile stays so.
// Calls for one user come in the order of their commits.
func (r *Keyring) SetDisabled(user uid.ID, disabled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user(user).disabled.Store(disabled)
}

// Disabled reports whether the keys of a user are suspended.
func (r *Keyring) Disabled(user uid.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	u := r.users[user]
	return u != nil && u.disabled.Load()
}

// user is what the keys of a user share. The caller holds the lock.
func (r *Keyring) user(id uid.ID) *liveUser {
	u := r.users[id]
	if u == nil {
		u = &liveUser{}
		r.users[id] = u
	}
	return u
}

// Usable is nil while a key admits requests, else ErrRevoked, which a key that does
// not exist gets too, ErrExpired or ErrSuspended.
func (r *Keyring) Usable(id uid.ID, now time.Time) error {
	live := r.live(id)
	if live == nil {
		return ErrRevoked
	}
	return live.usable(live.record.Load(), now)
}

// usable says whether k, the record of the key, admits requests. What is final
// comes before what may be lifted.
func (l *liveKey) usable(k *Key, now time.Time) error {
	if err := k.Usable(now); err != nil {
		return err
	}
	if l.user.disabled.Load() {
		return ErrSuspended
	}
	return nil
}

// Get is the current record of a key.
func (r *Keyring) Get(id uid.ID) (*Key, bool) {
	live := r.live(id)
	if live == nil {
		return nil, false
	}
	return live.record.Load(), true
}

// Of lists all keys of an organization by creation.
func (r *Keyring) Of(org uid.ID) []*Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	keys := make([]*Key, len(r.byOrg[org]))
	for i, live := range r.byOrg[org] {
		keys[i] = live.record.Load()
	}
	return keys
}

// Standing is a key with what else is known of it from memory.
type Standing struct {
	Key       *Key
	State     State
	Suspended bool // whose it is has been disabled
	Last      LastUse
}

// Standings visits all keys of an organization by creation, as they are at now, for
// pages that judge each: it costs a fraction of asking for each by its ID. What is
// visited lies in memory that the next ones take over.
func (r *Keyring) Standings(org uid.ID, now time.Time) iter.Seq[*Standing] {
	return func(yield func(*Standing) bool) {
		r.mu.RLock()
		keys := slices.Clone(r.byOrg[org])
		r.mu.RUnlock()
		var some [32]Standing
		for keys := range slices.Chunk(keys, len(some)) {
			// A lock has the processor finish what it fetches. So what takes none comes
			// first: the records, which lie far apart, are fetched side by side.
			for i, live := range keys {
				k := live.record.Load()
				some[i] = Standing{Key: k, State: k.State(now), Suspended: live.user.disabled.Load()}
			}
			for i, live := range keys {
				live.mu.Lock()
				some[i].Last = live.usage.last
				live.mu.Unlock()
				if !yield(&some[i]) {
					return
				}
			}
		}
	}
}

// Len is the number of keys.
func (r *Keyring) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.byID)
}

// Restore gives a key, before its first request, what an earlier process recorded
// of its use. Leases that were out then count as used: the process may have died
// with all of them spent.
func (r *Keyring) Restore(u Use, now time.Time) {
	live := r.live(u.KeyID)
	if live == nil {
		return
	}
	live.mu.Lock()
	defer live.mu.Unlock()
	live.meter.restore(u.Meters, now)
	live.usage.restore(u, now)
}

// LastUse is the latest accepted request of a key, to the moment.
func (r *Keyring) LastUse(id uid.ID) LastUse {
	live := r.live(id)
	if live == nil {
		return LastUse{}
	}
	live.mu.Lock()
	defer live.mu.Unlock()
	return live.usage.last
}

// Buckets are the hours of a key that memory knows better than the store: their
// counts are absolute and replace the stored ones of the same hour. Whoever
// merges the two reads these first: an hour leaves memory once it is stored.
func (r *Keyring) Buckets(id uid.ID) []Bucket {
	live := r.live(id)
	if live == nil {
		return nil
	}
	live.mu.Lock()
	defer live.mu.Unlock()
	return slices.Clone(live.usage.hours)
}

func (r *Keyring) all() []*liveKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	keys := make([]*liveKey, 0, len(r.byID))
	for _, live := range r.byID {
		keys = append(keys, live)
	}
	return keys
}

func (r *Keyring) live(id uid.ID) *liveKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byID[id]
}

// withTag lists the keys that a token with this tag may belong to. The slice is
// only ever appended to.
func (r *Keyring) withTag(t Tag) []*liveKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byTag[t]
}
