package auth_test

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

var (
	cheap = auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}
	ids   = uid.NewSource(nil, nil)
	home  = netip.MustParseAddr("127.0.0.1")
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// clock is a wall clock that the test sets.
type clock struct{ nanos atomic.Int64 }

func newClock(t time.Time) *clock {
	c := &clock{}
	c.nanos.Store(t.UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// bench is an authenticator with a keyring of its own.
type bench struct {
	*auth.Authenticator
	ring   *auth.Keyring
	hasher *auth.Hasher
}

func newBench(tb testing.TB, change func(*auth.AuthenticatorOptions)) *bench {
	tb.Helper()
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: cheap, Queue: 10_000, MaxWait: time.Minute})
	if err != nil {
		tb.Fatal(err)
	}
	o := auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: auth.NewKeyring(), Hasher: hasher,
		Limits: mustLimits(tb, "1000000000/1m"),
	}
	if change != nil {
		change(&o)
	}
	a, err := auth.NewAuthenticator(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { a.Close(context.Background()) })
	return &bench{a, o.Keyring, hasher}
}

// key mints a key, changed as asked, puts it on the ring, and makes a request with it.
func (b *bench) key(tb testing.TB, change func(*auth.Key)) (auth.Key, auth.Request) {
	tb.Helper()
	token, err := auth.Mint(auth.Live, nil)
	if err != nil {
		tb.Fatal(err)
	}
	hash, err := b.hasher.Hash(context.Background(), token)
	if err != nil {
		tb.Fatal(err)
	}
	id, err := ids.New()
	if err != nil {
		tb.Fatal(err)
	}
	k := auth.Key{ID: id, Tag: token.Tag(), Hash: hash, Scopes: auth.FullAccess, Version: 1}
	if change != nil {
		change(&k)
	}
	b.ring.Put(k)
	return k, auth.Request{Token: []byte(token.Reveal()), Addr: home, Scope: auth.InvoicesRead, UserAgent: []byte("test/1")}
}

// admit is Admit where success is expected.
func (b *bench) admit(tb testing.TB, r auth.Request) auth.Admission {
	tb.Helper()
	ad, err := b.Admit(context.Background(), r)
	if err != nil {
		tb.Fatalf("Admit: %v", err)
	}
	return ad
}

// try is admit for other goroutines than the test's.
func (b *bench) try(tb testing.TB, r auth.Request) {
	if _, err := b.Admit(context.Background(), r); err != nil {
		tb.Errorf("Admit: %v", err)
	}
}

// refuse is Admit where want is expected.
func (b *bench) refuse(tb testing.TB, r auth.Request, want error) auth.Admission {
	tb.Helper()
	ad, err := b.Admit(context.Background(), r)
	if !errors.Is(err, want) {
		tb.Fatalf("Admit: %v, want %v", err, want)
	}
	return ad
}

func mustLimits(tb testing.TB, text string) auth.Limits {
	tb.Helper()
	l, err := auth.ParseLimits(text)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// books is what a store keeps of use: the other side of auth.Ledger. It outlives
// the processes that write to it, each through a pen of its own.
type books struct {
	mu      sync.Mutex
	meters  map[uid.ID][]auth.MeterState
	buckets map[uid.ID]map[time.Time]auth.Bucket
	last    map[uid.ID]auth.LastUse
}

func newBooks() *books {
	return &books{meters: map[uid.ID][]auth.MeterState{}, buckets: map[uid.ID]map[time.Time]auth.Bucket{}, last: map[uid.ID]auth.LastUse{}}
}

// use is all that is kept of a key.
func (b *books) use(id uid.ID) auth.Use {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := auth.Use{KeyID: id, Meters: slices.Clone(b.meters[id]), Last: b.last[id]}
	for _, bucket := range b.buckets[id] {
		u.Buckets = append(u.Buckets, bucket)
	}
	slices.SortFunc(u.Buckets, func(x, y auth.Bucket) int { return cmp.Compare(x.Hour.Unix(), y.Hour.Unix()) })
	return u
}

// pen is one process's access to the books.
type pen struct {
	*books
	upgrade func(key uid.ID, version uint64, h auth.Hash) error

	mu    sync.Mutex
	err   error // what every call answers
	calls int
	most  int           // keys in one call
	hold  chan struct{} // not nil: calls wait until it is closed
	held  int           // calls that came since
}

func (p *pen) fail(err error) {
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
}

func (p *pen) written() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

func (p *pen) largest() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

// holdCalls makes calls wait until release, or the end of the test.
func (p *pen) holdCalls(tb testing.TB) (release func()) {
	hold := make(chan struct{})
	p.mu.Lock()
	p.hold, p.held = hold, 0
	p.mu.Unlock()
	release = sync.OnceFunc(func() {
		p.mu.Lock()
		p.hold = nil
		p.mu.Unlock()
		close(hold)
	})
	tb.Cleanup(release)
	return release
}

// waiting reports whether a call is held.
func (p *pen) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held > 0
}

func (p *pen) RecordUse(ctx context.Context, uses []auth.Use) error {
	p.mu.Lock()
	hold := p.hold
	p.held++
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	p.most = max(p.most, len(uses))
	if p.err != nil {
		return p.err
	}
	p.books.mu.Lock()
	defer p.books.mu.Unlock()
	for _, u := range uses {
		if u.Meters != nil {
			p.meters[u.KeyID] = u.Meters
		}
		if !u.Last.At.IsZero() {
			p.last[u.KeyID] = u.Last
		}
		for _, b := range u.Buckets {
			if p.buckets[u.KeyID] == nil {
				p.buckets[u.KeyID] = map[time.Time]auth.Bucket{}
			}
			p.buckets[u.KeyID][b.Hour] = b
		}
	}
	return nil
}

func (p *pen) UpgradeHash(_ context.Context, key uid.ID, v uint64, h auth.Hash) error {
	return p.upgrade(key, v, h)
}

// process is an authenticator that can be stopped and killed.
type process struct {
	*bench
	pen   *pen
	clock *clock
}

// start is a new process on the same books with these keys.
func start(tb testing.TB, c *clock, b *books, keys []auth.Key, change func(*auth.AuthenticatorOptions)) *process {
	tb.Helper()
	p := &process{pen: &pen{books: b}, clock: c}
	p.bench = newBench(tb, func(o *auth.AuthenticatorOptions) {
		o.Ledger, o.Now, o.FlushEvery = p.pen, c.Now, time.Hour
		if change != nil {
			change(o)
		}
	})
	for _, k := range keys {
		p.ring.Put(k)
		p.ring.Restore(b.use(k.ID), c.Now())
	}
	return p
}

// stop ends the process as it should end.
func (p *process) stop(tb testing.TB) {
	tb.Helper()
	if err := p.Close(context.Background()); err != nil {
		tb.Fatalf("Close: %v", err)
	}
}

var errKilled = errors.New("the process is dead")

// kill ends the process with nothing more written.
func (p *process) kill() {
	p.pen.fail(errKilled)
	p.Close(context.Background())
}

// eventually polls until it holds.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("never came: %s", what)
		}
	}
}
