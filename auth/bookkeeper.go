package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// bookkeeper carries what requests leave behind to the Ledger, many keys in one
// write: leases at once, because callers wait for them; use every few seconds;
// the exact meters at the end. One goroutine does all the writing, so that an
// older report of a key never replaces a newer one; one more does the re-hashing.
type bookkeeper struct {
	auth   *Authenticator
	ledger Ledger
	log    *slog.Logger
	every  time.Duration

	mu      sync.Mutex // taken inside a key's lock, never around one
	asked   []*liveKey // want a lease
	touched []*liveKey // have use to be written

	wake     chan struct{}
	flushes  chan chan error // asked for by flushNow
	upgrades chan rehash
	quit     chan struct{}      // closed: no further leases
	abandon  context.CancelFunc // ends what background writes wait for
	life     context.Context    // of background writes
	ended    sync.WaitGroup
	once     sync.Once
	closeErr error

	failing bool // the last write failed; the writer's own
}

// maxRecords is roughly how many records one call to the Ledger may come to, so
// that a lease never waits behind the use of thousands of keys.
const maxRecords = 200

// leaseWait is the longest that a request waits for the Ledger to write a
// lease. A store that takes longer is ill.
const leaseWait = 5 * time.Second

func openBook(a *Authenticator, o AuthenticatorOptions) *bookkeeper {
	b := &bookkeeper{
		auth: a, ledger: o.Ledger, log: o.Log, every: o.FlushEvery,
		wake: make(chan struct{}, 1), flushes: make(chan chan error), upgrades: make(chan rehash, 64), quit: make(chan struct{}),
	}
	b.life, b.abandon = context.WithCancel(context.Background())
	b.ended.Go(b.write)
	b.ended.Go(b.rehash)
	return b
}

// close ends both goroutines, then writes all use and the exact meters.
func (b *bookkeeper) close(ctx context.Context) error {
	b.once.Do(func() {
		close(b.quit)
		release := context.AfterFunc(ctx, b.abandon)
		b.ended.Wait()
		release()
		b.abandon()
		b.closeErr = b.settle(ctx)
	})
	return b.closeErr
}

// ask queues a key for a lease. The key's lock is held.
func (b *bookkeeper) ask(live *liveKey) {
	if live.meter.asked {
		return
	}
	live.meter.asked = true
	b.mu.Lock()
	b.asked = append(b.asked, live)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// enlist asks for a lease and returns what is closed when it comes. The key's
// lock is held.
func (b *bookkeeper) enlist(live *liveKey) <-chan struct{} {
	m := &live.meter
	if m.ready == nil {
		m.ready = make(chan struct{})
	}
	m.waiting++
	b.ask(live)
	return m.ready
}

// touch queues a key whose use has to be written.
func (b *bookkeeper) touch(live *liveKey) {
	b.mu.Lock()
	b.touched = append(b.touched, live)
	b.mu.Unlock()
}

// wait returns when a lease has come. *BusyError if the Ledger is too slow or
// closing, or ctx's error.
func (b *bookkeeper) wait(ctx context.Context, ready <-chan struct{}) error {
	timer := time.NewTimer(leaseWait)
	defer timer.Stop()
	select {
	case <-ready:
		return nil
	case <-timer.C:
	case <-b.quit:
	case <-ctx.Done():
		return ctx.Err()
	}
	return &BusyError{RetryAfter: time.Second}
}

func (b *bookkeeper) write() {
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		select {
		case <-b.wake:
			b.grant()
		case <-tick.C:
			_ = b.flush() // noted, and tried again
		case done := <-b.flushes:
			done <- b.flush()
		case <-b.quit:
			return
		}
	}
}

// take empties one of the two queues.
func (b *bookkeeper) take(queue *[]*liveKey) []*liveKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := *queue
	*queue = nil
	return keys
}

// grant writes ahead a lease for every key that asked for one.
func (b *bookkeeper) grant() {
	for keys := b.take(&b.asked); len(keys) > 0; {
		n, err := b.record(b.life, keys, ahead)
		b.note(err)
		keys = keys[n:]
	}
}

// flush writes the use of every key that was touched since the last time.
// Leases come first: someone may wait for them.
func (b *bookkeeper) flush() (errs error) {
	for keys := b.take(&b.touched); len(keys) > 0; {
		b.grant()
		n, err := b.record(b.life, keys, asIs)
		b.note(err)
		errs = errors.Join(errs, err)
		keys = keys[n:]
	}
	return errs
}

// flushNow is flush by the goroutine that writes. After close there is nothing left
// to write.
func (b *bookkeeper) flushNow(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case b.flushes <- done:
	case <-b.quit:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle writes what is exact and complete now, so that a clean stop costs no
// one a request.
func (b *bookkeeper) settle(ctx context.Context) error {
	var keys []*liveKey
	for _, live := range b.auth.keyring.all() {
		live.mu.Lock()
		if live.meter.dirty || live.queued.Load() {
			keys = append(keys, live)
		}
		live.mu.Unlock()
	}
	var errs []error
	for len(keys) > 0 {
		n, err := b.record(ctx, keys, final)
		errs = append(errs, err)
		keys = keys[n:]
	}
	return errors.Join(errs...)
}

// record writes one report for the first n of keys. Requests go on either way,
// with a lease that the store could not write too, limited by memory alone:
// verification outlives a full disk.
func (b *bookkeeper) record(ctx context.Context, keys []*liveKey, what report) (n int, err error) {
	now := b.auth.now()
	t := instantOf(now, b.auth.nanos(now))
	var uses []Use
	for records := 0; n < len(keys) && records < maxRecords; n++ {
		u := keys[n].gather(t, what)
		records += 2 + len(u.Buckets)
		uses = append(uses, u)
	}
	err = b.ledger.RecordUse(ctx, uses)
	for i, live := range keys[:n] {
		live.mu.Lock()
		switch {
		case what == ahead:
			live.meter.granted(t)
		case err == nil:
			live.usage.flushed(now, uses[i].Buckets)
		}
		live.mu.Unlock()
		if err != nil && what == asIs {
			b.auth.noticed(live) // tries again
		}
	}
	return n, err
}

// gather is the report of one key.
func (l *liveKey) gather(t instant, what report) Use {
	if what != ahead {
		l.queued.Store(false) // before the copy: what comes after it queues again
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.record.Load()
	u := Use{KeyID: k.ID, OrgID: k.OrgID, Final: what == final}
	if l.meter.dirty || what == ahead {
		u.Meters = l.meter.states(t, what)
	}
	if what != ahead {
		u.Buckets, u.Last = append(u.Buckets, l.usage.hours...), l.usage.last
	}
	return u
}

// note logs when writing begins to fail and when it works again, not each time.
func (b *bookkeeper) note(err error) {
	switch {
	case b.life.Err() != nil: // Close gave up, and says so itself
		return
	case err != nil && !b.failing:
		b.log.Error("use of API keys can't be recorded: counts and limits are in memory alone until it can", "error", err)
	case err == nil && b.failing:
		b.log.Info("use of API keys is recorded again")
	}
	b.failing = err != nil
}
