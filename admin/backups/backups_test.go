package backups_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exante/admin/backups"
)

// script is a source that does what a test says, in the time of a bubble.
type script struct {
	takes, proofs       int
	failTake, failProof error
}

func (s *script) Take(ctx context.Context, w io.Writer) (backups.Taken, error) {
	s.takes++
	if s.failTake != nil {
		return backups.Taken{}, s.failTake
	}
	n, err := fmt.Fprintf(w, "backup %d", s.takes)
	return backups.Taken{At: time.Now().UTC().Truncate(time.Second), Sequence: uint64(s.takes), Size: int64(n)}, err
}

func (s *script) Prove(ctx context.Context, path string) error {
	s.proofs++
	if _, err := os.Stat(path); err != nil || !strings.HasSuffix(path, ".unproven") {
		return fmt.Errorf("asked to prove %s: %v", path, err)
	}
	return s.failProof
}

func in(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// start starts a schedule that makes one an hour and keeps three.
func start(dir string, s *script) *backups.Schedule {
	return backups.Start(backups.Options{Dir: dir, Store: "c0ffee123456", Every: time.Hour, Keep: 3, Source: s, Log: slog.New(slog.DiscardHandler)})
}

func after(d time.Duration) {
	time.Sleep(d) // of the bubble: no time passes outside
	synctest.Wait()
}

func TestBackupsAreMadeAtTheirIntervalAndOldOnesRemoved(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		source := &script{}
		s := start(dir, source)
		after(time.Minute)
		if want := []string{"exante-c0ffee123456-20000101T000000Z-1.backup", "letter.txt"}; !slices.Equal(in(t, dir), want) {
			t.Errorf("at once there is %v, want %v", in(t, dir), want)
		}
		if last := s.Last(); !last.Proven || last.Error != "" || last.Sequence != 1 || last.Size != 8 || !last.At.Equal(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("last: %+v", last)
		}
		after(4 * time.Hour)
		want := []string{"exante-c0ffee123456-20000101T020000Z-3.backup", "exante-c0ffee123456-20000101T030000Z-4.backup", "exante-c0ffee123456-20000101T040000Z-5.backup", "letter.txt"}
		if !slices.Equal(in(t, dir), want) {
			t.Errorf("after four hours there is %v, want %v", in(t, dir), want)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}

		// The next process goes on where this one was.
		source = &script{takes: 5}
		s = start(dir, source)
		after(58 * time.Minute)
		if last := s.Last(); source.takes != 5 || !last.Proven || last.Sequence != 5 {
			t.Errorf("restarted, it did not wait for its time: %d, %+v", source.takes, last)
		}
		after(2 * time.Minute)
		if source.takes != 6 {
			t.Errorf("restarted, it missed its time")
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatFailsIsTriedAgainWithGrowingDelay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		source := &script{failTake: errors.New("disk is full")}
		s := start(dir, source)
		for _, c := range []struct {
			wait  time.Duration
			takes int
		}{{time.Second, 1}, {time.Minute, 2}, {2 * time.Minute, 3}, {4 * time.Minute, 4}, {7 * time.Minute, 4}, {time.Minute, 5}, {time.Hour, 7}, {2 * time.Hour, 9}} {
			after(c.wait)
			if source.takes != c.takes {
				t.Errorf("after another %v there were %d tries, want %d", c.wait, source.takes, c.takes)
			}
		}
		if last := s.Last(); last.Error != "disk is full" || !last.At.IsZero() {
			t.Errorf("last: %+v", last)
		}
		if left := in(t, dir); len(left) > 0 {
			t.Errorf("failures left %v", left)
		}
		source.failTake = nil
		after(time.Hour)
		if last := s.Last(); last.Error != "" || !last.Proven {
			t.Errorf("last: %+v", last)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestTheLastProvenBackupIsNeverRemoved(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		source := &script{}
		s := start(dir, source)
		after(time.Minute)
		source.failProof = errors.New("it has findings")
		after(48 * time.Hour)
		names := in(t, dir)
		if len(names) != 4 || names[0] != "exante-c0ffee123456-20000101T000000Z-1.backup" || !strings.HasSuffix(names[3], ".unproven") {
			t.Errorf("there is %v, want the proven one and three that are not", names)
		}
		if last := s.Last(); last.Proven || !strings.Contains(last.Error, "it has findings") || last.Sequence == 0 {
			t.Errorf("last: %+v", last)
		}
		source.failProof = nil
		after(3 * time.Hour)
		for _, name := range in(t, dir)[1:] {
			if strings.HasSuffix(name, ".unproven") {
				t.Errorf("%s is older than one that is proven", name)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Two stores with one directory, as when a configuration was copied: neither removes,
// replaces or goes on from what is the other's.
func TestTheBackupsOfAnotherStoreAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var both []*backups.Schedule
		for _, store := range []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"} {
			both = append(both, backups.Start(backups.Options{
				Dir: dir, Store: store, Every: time.Hour, Keep: 1, Source: &script{}, Log: slog.New(slog.DiscardHandler),
			}))
		}
		after(61 * time.Minute)
		want := []string{"exante-aaaaaaaaaaaa-20000101T010000Z-2.backup", "exante-bbbbbbbbbbbb-20000101T010000Z-2.backup"}
		if !slices.Equal(in(t, dir), want) {
			t.Errorf("there is %v, want %v", in(t, dir), want)
		}
		for _, s := range both {
			if last := s.Last(); last.Error != "" || !last.Proven {
				t.Errorf("last: %+v", last)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// Files from before a clock was set back are dated later than what is made now: that
// must not be removed as the oldest as soon as it is made.
func TestTheBackupJustMadeIsKeptAfterTheClockWasSetBack(t *testing.T) {
	dir := t.TempDir()
	old := []string{"exante-c0ffee123456-20300101T000000Z-90.backup", "exante-c0ffee123456-20300102T000000Z-91.backup", "exante-c0ffee123456-20300103T000000Z-92.backup"}
	for _, name := range old {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		source := &script{takes: 92}
		s := start(dir, source)
		after(61 * time.Minute) // not before its time: the last is not older than an interval
		if want := append([]string{"exante-c0ffee123456-20000101T010000Z-93.backup"}, old[1:]...); !slices.Equal(in(t, dir), want) {
			t.Errorf("there is %v, want %v", in(t, dir), want)
		}
		source.failProof = errors.New("it has findings")
		after(61 * time.Minute)
		if !slices.ContainsFunc(in(t, dir), func(name string) bool { return strings.HasSuffix(name, ".unproven") }) {
			t.Errorf("there is %v, want the failed one to look at", in(t, dir))
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestADirectoryThatIsNotThereIsNotMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not-mounted")
	synctest.Test(t, func(t *testing.T) {
		s := start(dir, &script{})
		after(time.Second)
		if last := s.Last(); !strings.Contains(last.Error, "no such file") {
			t.Errorf("last: %+v", last)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(dir); err == nil {
		t.Error("it was made")
	}
}

func TestUnfinishedFilesOfAKilledProcessAreRemoved(t *testing.T) {
	dir := t.TempDir()
	stale, fresh := filepath.Join(dir, ".exante-1.part"), filepath.Join(dir, ".exante-c0ffee123456-2.part")
	for path, age := range map[string]time.Duration{stale: 2 * time.Hour, fresh: 0} {
		when := time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	s := start(dir, &script{})
	for deadline := time.Now().Add(10 * time.Second); !s.Last().Proven; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no backup was made")
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if names := in(t, dir); len(names) != 2 || names[0] != ".exante-c0ffee123456-2.part" {
		t.Errorf("there is %v, want the fresh one and a backup", names)
	}
}
