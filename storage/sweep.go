package storage

import (
	"context"
	"errors"
	"sync"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// sweepEvery is how often the sweeper looks without having been woken.
const sweepEvery = time.Hour

// sweeper deletes loose content, at start, when something came loose, and now and
// then, and sessions and setup links that are over. It leaves alone what is being added.
type sweeper struct {
	ctx    context.Context // of its life
	cancel context.CancelFunc
	done   chan struct{} // closed: run has returned
	woken  chan struct{} // buffered by one

	mu     sync.Mutex
	spared map[uid.ID]struct{} // attachments that are being added
}

func newSweeper() *sweeper {
	w := &sweeper{done: make(chan struct{}), woken: make(chan struct{}, 1), spared: map[uid.ID]struct{}{}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// run sweeps until stop.
func (w *sweeper) run(s *Store) {
	defer close(w.done)
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-w.woken:
		case <-ticker.C:
		}
		// What can't be deleted for want of space waits: its deletion would be
		// written, and free nothing before tables are merged.
		if err := s.sweep(w.ctx); err != nil && w.ctx.Err() == nil && !errors.Is(err, ErrLowDisk) {
			s.options.Log.Warn("sweeping the content of deleted attachments failed", "error", err)
		}
		if err := s.sweepSessions(w.ctx); err != nil && w.ctx.Err() == nil {
			s.options.Log.Warn("sweeping sessions that are over failed", "error", err)
		}
		if err := s.sweepSetups(w.ctx); err != nil && w.ctx.Err() == nil {
			s.options.Log.Warn("sweeping setup links that are over failed", "error", err)
		}
	}
}

// stop ends run and waits for it.
func (w *sweeper) stop() {
	w.cancel()
	<-w.done
}

// wake has it look soon.
func (w *sweeper) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// spare keeps the content of an attachment that is being added, until release.
func (w *sweeper) spare(id uid.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spared[id] = struct{}{}
}

func (w *sweeper) release(id uid.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.spared, id)
}

func (w *sweeper) spares(id uid.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, spared := w.spared[id]
	return spared
}

// loose names content that no attachment has.
type loose struct{ org, invoice, id uid.ID }

// sweep deletes all content that is loose now.
func (s *Store) sweep(ctx context.Context) error {
	found, err := s.findLoose(ctx)
	for _, l := range found {
		if err == nil && !s.sweeper.spares(l.id) {
			err = s.discard(ctx, l.org, l.invoice, l.id)
		}
	}
	return err
}

func (s *Store) findLoose(ctx context.Context) (found []loose, err error) {
	err = s.db.View(ctx, func(r kv.Reader) error {
		orgs, err := allOrgs(r)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			err = errors.Join(err, r.Scan(inFamily(org.ID, famLoose), kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
				inv, err := idAt(key, orgKeyHead)
				if err != nil {
					return false, err
				}
				id, err := idAt(key, orgKeyHead+len(inv))
				found = append(found, loose{org.ID, inv, id})
				return err == nil, err
			}))
		}
		return err
	})
	return found, err
}

// discard deletes the content of an attachment that is neither there nor being
// added: it can't get more. Its chunks, at most 427, are looked for before the
// transaction, which others wait for.
func (s *Store) discard(ctx context.Context, org, inv, id uid.ID) error {
	var chunks [][]byte
	err := s.db.View(ctx, func(r kv.Reader) error {
		chunks = nil
		return r.Scan(inFamily(org, famContent, inv[:], id[:]), kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
			chunks = append(chunks, append([]byte(nil), key...))
			return true, nil
		})
	})
	if err != nil {
		return err
	}
	return s.update(ctx, auth.System(org), func(t *tx) error {
		_, err := attachmentOf(t, org, inv, id)
		switch {
		case err == nil:
			return nil // it was added since the mark was seen
		case !errors.Is(err, ErrNotFound):
			return err
		}
		for _, key := range chunks {
			if err := t.Delete(key); err != nil {
				return err
			}
		}
		return t.Delete(keyLoose(org, inv, id))
	})
}
