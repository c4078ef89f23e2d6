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
// the exact meters at the end. One goroutine does the writing, one the
// re-hashing.
type bookkeeper struct {
	auth   *Authenticator
	ledger Ledger
	log    *slog.Logger
	every  time.Duration

	mu      sync.Mutex
	asked   []*liveKey // want a lease
	touched []*liveKey // have use to be written

	wake     chan struct{}
	upgrades chan rehash
	quit     chan struct{}
	ended    sync.WaitGroup
}

type rehash struct {
	live  *liveKey
	token Token
}

func openBook(a *Authenticator, o AuthenticatorOptions) *bookkeeper {
	b := &bookkeeper{
		auth: a, ledger: o.Ledger, log: o.Log, every: o.FlushEvery,
		wake: make(chan struct{}, 1), upgrades: make(chan rehash, 64), quit: make(chan struct{}),
	}
	b.ended.Go(b.write)
	b.ended.Go(b.rehash)
	return b
}

// close ends both goroutines, then writes all use and the exact meters.
func (b *bookkeeper) close(ctx context.Context) error {
	close(b.quit)
	b.ended.Wait()
	err := b.flush(ctx)
	return errors.Join(err, b.settle(ctx))
}

// ask queues a key for a lease.
func (b *bookkeeper) ask(live *liveKey) {
	b.mu.Lock()
	b.asked = append(b.asked, live)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// touch queues a key whose use has to be written.
func (b *bookkeeper) touch(live *liveKey) {
	b.mu.Lock()
	b.touched = append(b.touched, live)
	b.mu.Unlock()
}

// upgrade queues a re-hash. When many are queued it is left for the key's next use
// in another process.
func (b *bookkeeper) upgrade(live *liveKey, t Token) {
	select {
	case b.upgrades <- rehash{live, t}:
	default:
	}
}

func (b *bookkeeper) write() {
	tick := time.NewTicker(b.every)
	defer tick.Stop()
	for {
		select {
		case <-b.wake:
			b.grant()
		case <-tick.C:
			if err := b.flush(context.Background()); err != nil {
				b.log.Error("use of API keys could not be recorded; it is kept in memory", "error", err)
			}
		case <-b.quit:
			b.grant() // whoever still waits must not hang
			return
		}
	}
}

// grant writes ahead a lease for every key that asked and lets the waiting
// requests go on. When the store can't write, they go on all the same, limited
// by memory alone: verification outlives a full disk.
func (b *bookkeeper) grant() {
	b.mu.Lock()
	keys := b.asked
	b.asked = nil
	b.mu.Unlock()
	if len(keys) == 0 {
		return
	}
	uses := make([]Use, len(keys))
	for i, live := range keys {
		k := live.record.Load()
		live.mu.Lock()
		uses[i] = Use{KeyID: k.ID, OrgID: k.OrgID, Meters: live.meter.state(b.auth.nanos(b.auth.now()), true)}
		live.mu.Unlock()
	}
	if err := b.ledger.RecordUse(context.Background(), uses); err != nil {
		b.log.Error("leases of rate limits could not be recorded; limits hold in memory until the next start", "error", err)
	}
	for i, live := range keys {
		live.mu.Lock()
		m := &live.meter
		m.granted(uses[i].Meters)
		m.asked = false
		if m.ready != nil {
			close(m.ready)
			m.ready = nil
		}
		live.mu.Unlock()
	}
}

// flush writes the use of every key that was touched since the last time.
func (b *bookkeeper) flush(ctx context.Context) error {
	b.mu.Lock()
	keys := b.touched
	b.touched = nil
	b.mu.Unlock()
	if len(keys) == 0 {
		return nil
	}
	uses := make([]Use, len(keys))
	for i, live := range keys {
		live.queued.Store(false) // before the copy: what comes after it queues again
		k := live.record.Load()
		live.mu.Lock()
		uses[i] = Use{KeyID: k.ID, OrgID: k.OrgID, Buckets: append([]Bucket(nil), live.usage.hours...), Last: live.usage.last}
		live.mu.Unlock()
	}
	if err := b.ledger.RecordUse(ctx, uses); err != nil {
		for _, live := range keys {
			b.auth.noticed(live)
		}
		return err
	}
	for i, live := range keys {
		live.mu.Lock()
		live.usage.flushed(uses[i].Buckets[len(uses[i].Buckets)-1].Hour)
		live.mu.Unlock()
	}
	return nil
}

// settle writes the exact meters of every key that was charged, so that a clean
// stop costs no one a request.
func (b *bookkeeper) settle(ctx context.Context) error {
	var uses []Use
	for _, live := range b.auth.keyring.all() {
		live.mu.Lock()
		if live.meter.charged {
			k := live.record.Load()
			uses = append(uses, Use{KeyID: k.ID, OrgID: k.OrgID, Meters: live.meter.state(b.auth.nanos(b.auth.now()), false)})
		}
		live.mu.Unlock()
	}
	if len(uses) == 0 {
		return nil
	}
	return b.ledger.RecordUse(ctx, uses)
}

func (b *bookkeeper) rehash() {
	for {
		select {
		case <-b.quit:
			return
		case job := <-b.upgrades:
			k := job.live.record.Load()
			hash, err := b.auth.hasher.Hash(context.Background(), job.token)
			if err == nil {
				err = b.ledger.UpgradeHash(context.Background(), k.ID, k.Version, hash)
			}
			if err != nil {
				b.log.Warn("hash of an API key was not upgraded; its next use tries again", "key", k.ID.String(), "error", err)
				continue
			}
			b.auth.verified.remember(job.token.digest(), job.live, hash)
		}
	}
}
