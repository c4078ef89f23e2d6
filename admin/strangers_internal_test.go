package admin

import (
	"testing"
	"time"
)

// A flood of refusals fills neither the audit log nor the memory.
func TestRefusalsAreCountedOnceAMinute(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	s := &strangers{now: func() time.Time { return now }, seen: map[int]*stranger{}}
	want := func(uid, calls int) {
		t.Helper()
		if got := s.count(uid); got != calls {
			t.Errorf("after %s uid %d: %d to write, want %d", now.Format(time.TimeOnly), uid, got, calls)
		}
	}
	want(1000, 1)
	for range 5 {
		want(1000, 0)
	}
	want(1001, 1) // another one has a minute of his own
	now = now.Add(strangerEvery - 1)
	want(1000, 0)
	now = now.Add(1)
	want(1000, 7)
	want(1000, 0)
	for uid := range 2 * maxStrangers {
		s.count(uid + 5000)
	}
	if len(s.seen) != maxStrangers {
		t.Errorf("%d are remembered, want %d", len(s.seen), maxStrangers)
	}
	want(9999, 0)
	now = now.Add(strangerEvery)
	want(9999, 1)
	if s.seen[1000].calls != 1 { // counted and not written yet: that stays
		t.Errorf("%+v", s.seen[1000])
	}
}
