// Package backups makes backups of a served store from time to time, proves each,
// and removes old ones. What a backup is and how it is proved is handed in.
//
// A file is called exante-<time>-<sequence>.backup[.age] once it was proved, and
// until then the same with .unproven behind it. So the names alone say what there
// is, after a restart too. The newest one that was proved is never removed.
package backups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Taken is what a backup is of.
type Taken struct {
	At       time.Time // what was changed later is not in it
	Sequence uint64
	Size     int64 // bytes of the file
}

// Source takes backups and proves them.
type Source interface {
	// Take writes a backup to w.
	Take(ctx context.Context, w io.Writer) (Taken, error)
	// Prove restores the file that holds the last one taken, and keeps nothing.
	Prove(ctx context.Context, path string) error
}

// Options say where backups go and how often.
type Options struct {
	Dir       string // which exists: a disk that is not mounted must not be taken for an empty one
	Store     string // 12 hex digits in the names of its backups: those of others are left alone
	Every     time.Duration
	Keep      int // proved ones
	Encrypted bool
	Source    Source
	Log       *slog.Logger
}

// LastBackup is how backups go.
type LastBackup struct {
	At       time.Time // of the newest backup; zero: there is none
	Size     int64     // bytes
	Sequence uint64    // of the store, when it was taken
	Proven   bool      // it was restored
	Error    string    // why the last try failed; "": it did not

	ProvenAt time.Time // of the newest backup that was restored; zero: there is none
	Failures uint64    // tries that failed since the start
}

// Schedule is a goroutine that makes backups. A failure is logged, tried again with
// growing delay, and is nobody else's business. The zero Schedule makes none.
type Schedule struct {
	o     Options
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu   sync.Mutex
	last LastBackup
}

// Start starts a schedule. The first backup is made when the newest that was proved
// is older than o.Every, at once if there is none.
func Start(o Options) *Schedule {
	ctx, stop := context.WithCancel(context.Background())
	s := &Schedule{o: o, stop: stop}
	s.ended.Go(func() { s.run(ctx) })
	return s
}

// Close abandons the backup that is being made, and waits until that is so.
func (s *Schedule) Close(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	ended := make(chan struct{})
	go func() { s.ended.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end the scheduled backup: %w", ctx.Err())
	}
}

// Every is how often backups are made; 0: none are.
func (s *Schedule) Every() time.Duration { return s.o.Every }

// Last is how it goes.
func (s *Schedule) Last() LastBackup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// The delays after failures: from a 16th of the interval, at most a minute, doubled
// each time up to the interval.
func firstDelay(every time.Duration) time.Duration {
	return max(time.Second/10, min(every/16, time.Minute))
}

func (s *Schedule) run(ctx context.Context) {
	wait, delay := s.resume(), firstDelay(s.o.Every)
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		err := s.once(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait, delay = delay, min(2*delay, s.o.Every)
			s.o.Log.Error("no backup was made", "dir", s.o.Dir, "error", err, "next_try_in", wait)
		default:
			wait, delay = s.o.Every, firstDelay(s.o.Every)
		}
		s.mu.Lock()
		s.last.Error = ""
		if err != nil {
			s.last.Error = err.Error()
			s.last.Failures++
		}
		s.mu.Unlock()
	}
}

// resume looks at what there is and says how long the first backup can wait.
func (s *Schedule) resume() time.Duration {
	found, err := list(s.o.Dir, s.o.Store)
	newest := newestProven(found)
	if err != nil || newest == nil {
		return 0
	}
	s.mu.Lock()
	s.last = LastBackup{At: newest.at, Size: newest.size, Sequence: newest.sequence, Proven: true, ProvenAt: newest.at}
	s.mu.Unlock()
	// A clock that was set back must not put backups off.
	return min(s.o.Every, max(0, time.Until(newest.at.Add(s.o.Every))))
}

// once makes one backup, proves it, and removes what is too old then.
func (s *Schedule) once(ctx context.Context) error {
	if err := removeUnfinished(s.o.Dir); err != nil {
		return err
	}
	began := time.Now()
	file, taken, err := s.write(ctx)
	if err != nil {
		return err
	}
	s.note(taken, false)
	if err := s.o.Source.Prove(ctx, file.path()); err != nil {
		return errors.Join(fmt.Errorf("prove %s: %w", file.path(), err), prune(file, s.o.Store, s.o.Keep))
	}
	if err := file.proved(); err != nil {
		return err
	}
	s.note(taken, true)
	s.o.Log.Info("made and proved a backup", "file", file.path(), "bytes", taken.Size, "sequence", taken.Sequence,
		"seconds", time.Since(began).Seconds())
	return prune(file, s.o.Store, s.o.Keep)
}

func (s *Schedule) note(t Taken, proven bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.last
	l.At, l.Size, l.Sequence, l.Proven = t.At, t.Size, t.Sequence, proven
	if proven {
		l.ProvenAt = t.At
	}
}
