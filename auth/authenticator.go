package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/netip"
	"time"
)

// AuthenticatorOptions are what an Authenticator needs. Keyring and Hasher are
// required.
type AuthenticatorOptions struct {
	Environment Environment
	Keyring     *Keyring
	Hasher      *Hasher
	Ledger      Ledger           // nil: use and meters live in memory only
	Limits      Limits           // of keys that have none of their own
	Failures    Limits           // refusals that one address may cause; nil: any number
	CacheSize   int              // verified tokens remembered; 0: 65536
	FlushEvery  time.Duration    // how often use goes to the Ledger; 0: 5 s
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // nil: discard
}

// Authenticator decides who a request comes from and whether it may go on. It
// opens no database transaction; the cost of a warm decision is one SHA-256.
type Authenticator struct {
	environment Environment
	keyring     *Keyring
	hasher      *Hasher
	limits      Limits
	now         func() time.Time
	start       time.Time // carries the monotonic clock
	verified    *verified
	flights     flights
	failures    *failures
	refusals    refusals
	book        *bookkeeper // nil without a Ledger
}

// NewAuthenticator checks the options and starts the background bookkeeping.
func NewAuthenticator(o AuthenticatorOptions) (*Authenticator, error) {
	if !o.Environment.Valid() || o.Keyring == nil || o.Hasher == nil || len(o.Limits) == 0 {
		return nil, errors.New("authenticator: environment, keyring, hasher and limits are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CacheSize <= 0 {
		o.CacheSize = 1 << 16
	}
	if o.FlushEvery <= 0 {
		o.FlushEvery = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &Authenticator{
		environment: o.Environment, keyring: o.Keyring, hasher: o.Hasher, limits: o.Limits,
		now: o.Now, start: o.Now(),
		verified: newVerified(o.CacheSize),
		flights:  flights{out: map[digest]*flight{}},
		failures: newFailures(o.Failures),
	}
	if o.Ledger != nil {
		a.book = openBook(a, o)
	}
	return a, nil
}

// Close ends the background work and writes use and the exact meters to the
// Ledger. It gives up when ctx ends. A request that is still under way may be
// answered with *BusyError. A second Close returns what the first did.
func (a *Authenticator) Close(ctx context.Context) error {
	if a.book == nil {
		return nil
	}
	return a.book.close(ctx)
}

// Flush writes the use that is in memory alone to the Ledger now, so that a backup
// has it. Leases are there already: they are written before they are used.
func (a *Authenticator) Flush(ctx context.Context) error {
	if a.book == nil {
		return nil
	}
	return a.book.flushNow(ctx)
}

// Request is what a caller presents. The slices are only read during the call.
type Request struct {
	Token     []byte // what follows "Bearer "
	Addr      netip.Addr
	UserAgent []byte
	Scope     Scope
}

// Admission is what is known of a caller who proved to hold Key. It comes beside
// ErrExpired, ErrRevoked, ErrNetwork, ErrScope and *LimitError too.
type Admission struct {
	Key      *Key     // nil: nothing was proved
	Decision Decision // zero if the key has ended
	live     *liveKey
	addr     netip.Addr // where the request came from
}

// Admit authenticates, then checks network, scope and limits, in that order,
// and charges the limits only if all else agreed.
// Errors: ErrBadToken, ErrExpired, ErrRevoked, ErrSuspended, ErrNetwork,
// *ScopeError, *LimitError, *BusyError, or ctx's error. An address that has spent
// its budget of refusals gets *LimitError in place of the first six.
func (a *Authenticator) Admit(ctx context.Context, r Request) (Admission, error) {
	now := a.now()
	if !wellFormed(a.environment, r.Token) {
		return Admission{}, a.failed(r.Addr, now, ErrBadToken, Malformed)
	}
	d := digest(sha256.Sum256(r.Token))
	live := a.verified.find(&d)
	a.verified.asked(&d, live != nil)
	if live == nil {
		var err error
		if live, err = a.verify(ctx, d, r.Token); err != nil {
			switch {
			case errors.Is(err, ErrBadToken):
				err = a.failed(r.Addr, now, err, Unknown)
			case errors.Is(err, ErrBusy):
				a.refusals.count(NoRoom)
			}
			return Admission{}, err
		}
		now = a.now() // the hash took its time
	}
	return a.judge(ctx, live, r, now)
}

// Failed counts a request that was refused before Admit, for want of a token,
// against its address. It returns why, which is ErrNoToken or ErrBadHeader, or a
// *LimitError once the budget is spent.
func (a *Authenticator) Failed(addr netip.Addr, why error) error {
	return a.failed(addr, a.now(), why, reasonOf(why))
}

func (a *Authenticator) failed(addr netip.Addr, now time.Time, err error, why Reason) error {
	if wait := a.failures.charge(addr, a.nanos(now)); wait > 0 {
		a.refusals.count(OverFailures)
		return &LimitError{RetryAfter: wait}
	}
	a.refusals.count(why)
	return err
}

// Finish notes how a request was answered whose key was known, admitted or not.
// requestID is only read during the call, up to 128 bytes of it.
func (a *Authenticator) Finish(ad Admission, answer Answer, requestID []byte) {
	if ad.live == nil {
		return
	}
	for !ad.live.note(answer, ad.addr, requestID) {
		a.keyring.recents.lend(ad.live)
	}
	if answer.Status < 500 {
		return
	}
	ad.live.mu.Lock()
	ad.live.usage.count(a.now(), serverError)
	ad.live.mu.Unlock()
	a.noticed(ad.live)
}

// LimitsOf are the windows that apply to k: its own, else the default.
func (a *Authenticator) LimitsOf(k *Key) Limits {
	if len(k.Limits) > 0 {
		return k.Limits
	}
	return a.limits
}

// noticed sees to it that what a request left behind reaches the Ledger.
func (a *Authenticator) noticed(live *liveKey) {
	if a.book != nil && !live.queued.Load() && live.queued.CompareAndSwap(false, true) {
		a.book.touch(live)
	}
}

// nanos is now in Unix nanoseconds on a clock that steps of the wall clock do
// not move while the program runs.
func (a *Authenticator) nanos(now time.Time) int64 {
	return a.start.UnixNano() + int64(now.Sub(a.start))
}

// verify is the cold road: a token that no key's tag matches ends here, without
// a hash; the others go through the gate, once for all who present the same one.
func (a *Authenticator) verify(ctx context.Context, d digest, raw []byte) (*liveKey, error) {
	candidates := a.keyring.withTag(d.tag())
	if len(candidates) == 0 {
		return nil, ErrBadToken
	}
	token := newToken(string(raw))
	return a.flights.do(ctx, d, func() (*liveKey, error) {
		if live := a.verified.find(&d); live != nil {
			return live, nil
		}
		for _, live := range candidates {
			hash := live.record.Load().Hash
			// The answer is for all who wait, so it must not end with the first.
			ok, err := a.hasher.Matches(context.WithoutCancel(ctx), token, hash)
			if err != nil {
				return nil, err
			}
			if ok {
				a.verified.remember(&d, live, hash)
				a.upgrade(live, token)
				return live, nil
			}
		}
		return nil, ErrBadToken
	})
}

// upgrade asks for a new hash of a key whose stored one is weaker than today's.
func (a *Authenticator) upgrade(live *liveKey, t Token) {
	k := live.record.Load()
	if a.book != nil && a.hasher.Outdated(k.Hash) && live.usable(k, a.now()) == nil {
		a.book.upgrade(live, t)
	}
}
