// Package storagetest opens real stores for tests: in a temporary directory,
// with a clock that stands still, and with a verification of the whole store at
// the end, so that every test is one for damage too.
package storagetest

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

// Begin is the first instant of every Clock.
var Begin = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a Clock that stands at Begin.
func NewClock() *Clock { return &Clock{now: Begin} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock; a negative d sets it back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set moves the clock to an instant.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Hasher returns a gate with room for a test's keys, at costs that protect nothing.
func Hasher(tb testing.TB) *auth.Hasher {
	tb.Helper()
	h, err := auth.NewHasher(auth.HasherOptions{
		Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1},
		Slots:  4, Queue: 1 << 10, MaxWait: time.Minute,
	})
	if err != nil {
		tb.Fatalf("make a hasher: %v", err)
	}
	return h
}

// Options are those that Open uses: a new directory, cheap hashes, the live
// environment, and clock, or a new one if that is nil.
func Options(tb testing.TB, clock *Clock) storage.Options {
	tb.Helper()
	if clock == nil {
		clock = NewClock()
	}
	return storage.Options{
		Dir: filepath.Join(tb.TempDir(), "data"), Create: true,
		Hasher: Hasher(tb), Environment: auth.Live, Now: clock.Now,
	}
}

// Open makes a store for one test. change, which may be nil, sees the options
// first. At the end of the test the store is verified and closed.
func Open(tb testing.TB, change func(*storage.Options)) (*storage.Store, *Clock) {
	tb.Helper()
	clock := NewClock()
	o := Options(tb, clock)
	if change != nil {
		change(&o)
	}
	return Reopen(tb, o), clock
}

// Reopen opens a store with these options for the rest of the test, and closes
// it like Open does, unless that has been done.
func Reopen(tb testing.TB, o storage.Options) *storage.Store {
	tb.Helper()
	s, err := storage.Open(o)
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() { Close(tb, s) })
	return s
}

// Close verifies the store and closes it. A store that is closed is left alone.
func Close(tb testing.TB, s *storage.Store) {
	tb.Helper()
	report, err := s.Verify(context.Background(), nil)
	if errors.Is(err, storage.ErrClosed) {
		return
	}
	if err != nil {
		tb.Errorf("verify: %v", err)
	}
	for _, f := range report.Findings {
		tb.Errorf("verify: %s: %s", f.Key, f.Problem)
	}
	if err := s.Close(); err != nil {
		tb.Errorf("close store: %v", err)
	}
}

// Shell is an operator on this machine, who is in no organization yet.
var Shell = auth.Principal{Shell: true, LocalUID: 1000}

// Org makes an organization and returns it with an operator acting in it.
func Org(tb testing.TB, s *storage.Store, name string) (storage.Organization, auth.Principal) {
	tb.Helper()
	org, _, err := s.CreateOrg(tb.Context(), Shell, storage.OrgDraft{Name: name})
	if err != nil {
		tb.Fatalf("create organization %q: %v", name, err)
	}
	return org, Shell.In(org.ID)
}
