package auth

import (
	"errors"
	"sync/atomic"
	"time"
)

// Reason is why a request was refused, as it is counted.
type Reason uint8

// The reasons. A request has one: who has spent his budget of failures is told
// nothing else.
const (
	Missing Reason = iota // no Authorization header
	Malformed
	Unknown
	EndedByExpiry
	EndedByRevocation
	OwnerDisabled
	WrongNetwork
	WrongScope
	OverLimit
	OverFailures
	NoRoom // to verify a key, or to write down its use: 503
	reasons
)

// String is the reason's name in metrics and in `exante status`.
func (r Reason) String() string {
	return [...]string{"missing", "malformed", "unknown", "expired", "revoked", "suspended", "network", "scope", "limited", "failures", "busy"}[r]
}

// refusals counts them since the program started.
type refusals [reasons]atomic.Uint64

func (r *refusals) count(why Reason) { r[why].Add(1) }

// reasonOf is why a key that was found may not go on.
func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, ErrExpired):
		return EndedByExpiry
	case errors.Is(err, ErrRevoked):
		return EndedByRevocation
	case errors.Is(err, ErrSuspended):
		return OwnerDisabled
	case errors.Is(err, ErrNetwork):
		return WrongNetwork
	case errors.Is(err, ErrScope):
		return WrongScope
	case errors.Is(err, ErrLimited):
		return OverLimit
	case errors.Is(err, ErrNoToken):
		return Missing
	}
	return Malformed
}

// Stats are the figures of an Authenticator since it was made.
type Stats struct {
	Refusals     [reasons]uint64 // by Reason
	Hits, Misses uint64          // tokens that were known to match a key, and others of the right form
	Gate         GateStats
	Keys         Census
}

// GateStats are the figures of the gate in front of argon2id.
type GateStats struct {
	Busy, Slots    int // computations that run, and that may
	Waiting, Queue int // callers that wait for a slot, and that may
	Runs           uint64
}

// Stats gathers the figures. It looks at every key.
func (a *Authenticator) Stats() Stats {
	s := Stats{Gate: a.hasher.stats(), Keys: a.keyring.Census(a.now())}
	for i := range a.refusals {
		s.Refusals[i] = a.refusals[i].Load()
	}
	for i := range a.verified.shards {
		s.Hits += a.verified.shards[i].hits.Load()
		s.Misses += a.verified.shards[i].misses.Load()
	}
	return s
}

func (h *Hasher) stats() GateStats {
	waiting, most := h.keys.waiting.Load()+h.passwords.waiting.Load(), h.keys.most+h.passwords.most
	return GateStats{Busy: len(h.slots), Slots: cap(h.slots), Waiting: int(min(waiting, most)), Queue: int(most), Runs: h.Runs()}
}

// Census counts keys by their state, and those of them that will end by
// themselves soon.
type Census struct {
	Active, Retiring, Expired, Revoked int
	EndingIn7Days, EndingIn30Days      int // of those that still open something
}

// Census counts every key of the instance as it stands at now.
func (r *Keyring) Census(now time.Time) (c Census) {
	const day = 24 * time.Hour
	for _, live := range r.all() {
		k := live.record.Load()
		switch k.State(now) {
		case Active:
			c.Active++
		case Retiring:
			c.Retiring++
		case Expired:
			c.Expired++
			continue
		case Revoked:
			c.Revoked++
			continue
		}
		end := k.lastInstant()
		if end.IsZero() {
			continue
		}
		if left := end.Sub(now); left <= 7*day {
			c.EndingIn7Days++
		}
		if left := end.Sub(now); left <= 30*day {
			c.EndingIn30Days++
		}
	}
	return c
}
