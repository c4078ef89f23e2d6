package certificate

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	every  = 2 * time.Second     // how often the files are looked at
	notice = 14 * 24 * time.Hour // before the end of a certificate, from when on it is warned about
	day    = 24 * time.Hour      // between two warnings
)

// Watch is the certificate in use. A broken, half-written or missing replacement
// leaves it as it is.
type Watch struct {
	files   Files
	log     *slog.Logger
	current atomic.Pointer[tls.Certificate]
	stop    context.CancelFunc
	ended   chan struct{}

	// Of the watching goroutine alone.
	loaded   [2]stamp  // the files as they were when current was read
	failed   error     // of the last attempt
	told     string    // the failure that the log has
	warnedAt time.Time // about the end of current
}

// stamp tells one state of a file from another.
type stamp struct {
	inode, size int64
	modified    syscall.Timespec
}

// Open loads the files and watches them until Close. Errors: *Error.
func Open(f Files, log *slog.Logger) (*Watch, error) {
	w := &Watch{files: f, log: log, ended: make(chan struct{}), loaded: f.stamps()}
	pair, err := f.load()
	if err != nil {
		return nil, err
	}
	w.current.Store(pair)
	w.warn(time.Now())
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go w.run(ctx)
	return w, nil
}

// Close ends the watching. The certificate stays usable.
func (w *Watch) Close() {
	w.stop()
	<-w.ended
}

// Get is a tls.Config's GetCertificate.
func (w *Watch) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.current.Load(), nil }

// NotAfter is when the certificate in use expires.
func (w *Watch) NotAfter() time.Time { return w.current.Load().Leaf.NotAfter }

func (w *Watch) run(ctx context.Context) {
	defer close(w.ended)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.look()
			w.warn(now)
		}
	}
}

// look loads files that have changed. One that fails is tried again and again, and
// logged when it has failed twice: the first time it may have been half-written.
func (w *Watch) look() {
	seen := w.files.stamps() // before they are read: a change meanwhile is seen the next time
	if seen == w.loaded && w.failed == nil {
		return
	}
	pair, err := w.files.load()
	if err != nil {
		if w.failed != nil && w.failed.Error() == err.Error() && w.told != err.Error() {
			w.told = err.Error()
			w.log.Error("the new TLS certificate can't be used; the old one stays", "error", err)
		}
		w.failed = err
		return
	}
	w.loaded, w.failed, w.told, w.warnedAt = seen, nil, "", time.Time{}
	w.current.Store(pair)
	w.log.Info("a new TLS certificate is in use", "expires", pair.Leaf.NotAfter)
}

// warn says once a day that the certificate ends soon, or has ended.
func (w *Watch) warn(now time.Time) {
	end := w.NotAfter()
	if end.Sub(now) > notice || !w.warnedAt.IsZero() && now.Sub(w.warnedAt) < day {
		return
	}
	w.warnedAt = now
	if now.After(end) {
		w.log.Warn("the TLS certificate has expired: clients refuse it", "file", w.files.Cert, "expired", end)
		return
	}
	w.log.Warn("the TLS certificate expires soon", "file", w.files.Cert, "expires", end)
}

// stamps are the two files as they are; a missing one has the zero stamp.
func (f Files) stamps() [2]stamp { return [2]stamp{stampOf(f.Cert), stampOf(f.Key)} }

func stampOf(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}
	}
	return stamp{int64(s.Ino), s.Size, s.Mtim}
}
