package auth

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// HasherOptions set the gate's width. Zero values mean the defaults.
type HasherOptions struct {
	Params  Params        // zero: DefaultParams
	Slots   int           // argon2id computations at once; 0: max(1, cores-1)
	Queue   int           // callers waiting for a slot; 0: 32. An eighth as many passwords may wait
	MaxWait time.Duration // longest wait for a slot; 0: 1 s
}

// Hasher is the one place where argon2id runs. Each computation takes its
// whole memory cost and tens of milliseconds of a core, and the library bounds
// neither (alexedwards/argon2id #35), so a gate does: a fixed number of slots, a
// short queue, and *BusyError for whoever does not fit.
type Hasher struct {
	params  Params
	dummy   Hash // of nobody's password, with params
	slots   chan struct{}
	maxWait time.Duration
	runs    atomic.Uint64

	keys, passwords line
}

// line is who waits for a slot of one kind. Slots are given in the order of arrival,
// so a short line of passwords is what keeps a flood of sign-ins from making keys wait.
type line struct {
	waiting atomic.Int64
	most    int64
}

// NewHasher checks the parameters and opens the gate.
func NewHasher(o HasherOptions) (*Hasher, error) {
	if o.Params == (Params{}) {
		o.Params = DefaultParams()
	}
	if err := o.Params.Validate(); err != nil {
		return nil, err
	}
	if o.Slots <= 0 {
		o.Slots = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if o.Queue <= 0 {
		o.Queue = 32
	}
	if o.MaxWait <= 0 {
		o.MaxWait = time.Second
	}
	dummy, err := dummyHash(o.Params)
	if err != nil {
		return nil, err
	}
	h := &Hasher{params: o.Params, dummy: dummy, slots: make(chan struct{}, o.Slots), maxWait: o.MaxWait}
	h.keys.most, h.passwords.most = int64(o.Queue), max(1, int64(o.Queue)/8)
	return h, nil
}

// Hash hashes a token with today's parameters. *BusyError when the gate is
// full, or ctx's error.
func (h *Hasher) Hash(ctx context.Context, t Token) (Hash, error) {
	var hash Hash
	err := h.run(ctx, &h.keys, func() (err error) { hash, err = newHash(t.Reveal(), h.params); return err })
	return hash, err
}

// Matches reports whether hash was made from t. *BusyError when the gate is
// full, or ctx's error.
func (h *Hasher) Matches(ctx context.Context, t Token, hash Hash) (bool, error) {
	var ok bool
	err := h.run(ctx, &h.keys, func() (err error) { ok, err = hash.matches(t.Reveal()); return err })
	return ok, err
}

// Runs is how many argon2id computations were started since the program did.
func (h *Hasher) Runs() uint64 { return h.runs.Load() }

// Outdated reports whether hash was made with weaker parameters than today's.
func (h *Hasher) Outdated(hash Hash) bool { return hash.params.weaker(h.params) }

// run holds a slot until work has ended, whatever becomes of the caller.
func (h *Hasher) run(ctx context.Context, in *line, work func() error) error {
	if err := h.enter(ctx, in); err != nil {
		return err
	}
	defer func() { <-h.slots }()
	h.runs.Add(1)
	return work()
}

func (h *Hasher) enter(ctx context.Context, in *line) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	if in.waiting.Add(1) > in.most {
		in.waiting.Add(-1)
		return &BusyError{RetryAfter: h.maxWait}
	}
	defer in.waiting.Add(-1)
	timer := time.NewTimer(h.maxWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return &BusyError{RetryAfter: h.maxWait}
	case <-ctx.Done():
		return ctx.Err()
	}
}
