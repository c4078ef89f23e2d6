package admin

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"exante/storage"
)

// strangers are the Unix users who were refused on the socket. Each attempt is
// counted in the audit log, and a flood of them fills neither it nor the memory.
type strangers struct {
	store *storage.Store
	log   *slog.Logger
	now   func() time.Time

	mu   sync.Mutex
	seen map[int]*stranger // by uid
}

// stranger is what is not in the audit log yet of one of them.
type stranger struct {
	wrote time.Time // the last record
	calls int       // since then
}

const (
	strangerEvery = time.Minute // at most one record of a uid
	maxStrangers  = 1000        // remembered; more are in the server's log alone
)

func newStrangers(d *Desk, log *slog.Logger) *strangers {
	return &strangers{store: d.store, log: log, now: d.now, seen: map[int]*stranger{}}
}

// refused notes one attempt.
func (s *strangers) refused(ctx context.Context, uid int) {
	if calls := s.count(uid); calls > 0 {
		s.write(ctx, uid, calls)
	}
}

// count returns how many attempts are to be written now, 0 for none.
func (s *strangers) count(uid int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	known := s.seen[uid]
	if known == nil {
		if s.forget(now); len(s.seen) >= maxStrangers {
			return 0
		}
		known = &stranger{}
		s.seen[uid] = known
	}
	known.calls++
	if !known.wrote.IsZero() && now.Sub(known.wrote) < strangerEvery {
		return 0
	}
	calls := known.calls
	known.wrote, known.calls = now, 0
	return calls
}

// forget drops those of whom everything has been written, once there are many.
func (s *strangers) forget(now time.Time) {
	if len(s.seen) < maxStrangers {
		return
	}
	for uid, known := range s.seen {
		if known.calls == 0 && now.Sub(known.wrote) >= strangerEvery {
			delete(s.seen, uid)
		}
	}
}

// flush writes what has been counted since the last records.
func (s *strangers) flush(ctx context.Context) {
	s.mu.Lock()
	left := map[int]int{}
	for uid, known := range s.seen {
		if known.calls > 0 {
			left[uid] = known.calls
		}
		known.calls = 0
	}
	s.mu.Unlock()
	for uid, calls := range left {
		s.write(ctx, uid, calls)
	}
}

func (s *strangers) write(ctx context.Context, uid, calls int) {
	if err := s.store.NoteSocketRefusal(context.WithoutCancel(ctx), uid, calls); err != nil {
		s.log.Warn("a refusal on the admin socket is not in the audit log", "uid", uid, "calls", calls, "error", err)
	}
}
