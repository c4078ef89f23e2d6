package kv

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// health remembers the first error that the engine must not go on from.
type health struct {
	once   sync.Once
	failed chan struct{}
	cause  error // set before failed is closed
}

func (h *health) fail(cause error) {
	h.once.Do(func() {
		h.cause = cause
		close(h.failed)
	})
}

func (h *health) err() error {
	select {
	case <-h.failed:
		return h.cause
	default:
		return nil
	}
}

// unknownOutcome is what a writer is told after the failure.
func (h *health) unknownOutcome() error { return fmt.Errorf("%w: %w", ErrUnknownOutcome, h.err()) }

// badgerLog hands Badger's lines to slog. Badger goes on after errors that lose
// data, such as a failed fsync of a log, and only writes a line about them: so
// an Error line is a failure of the engine.
type badgerLog struct {
	log    *slog.Logger
	health *health
}

func (l badgerLog) Errorf(format string, args ...any) {
	line := message(format, args)
	l.log.Error("badger: " + line)
	l.health.fail(fmt.Errorf("badger: %s", line))
}

func (l badgerLog) Warningf(format string, args ...any) {
	l.log.Warn("badger: " + message(format, args))
}

// Infof is debug to us: it tells of every compaction.
func (l badgerLog) Infof(format string, args ...any) {
	l.log.Debug("badger: " + message(format, args))
}

// Debugf is dropped: several lines for each commit.
func (l badgerLog) Debugf(string, ...any) {}

func message(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
