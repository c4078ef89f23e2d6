package disk_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"exante/storage/kv/disk"
	"exante/storage/kv/disk/disktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mib = 1 << 20

// lines is a log that tests read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// start watches an empty directory on a file system of so many bytes.
func start(t *testing.T, size, minFree int64, owed func() disk.Owed) (*disk.Watch, string, *lines) {
	t.Helper()
	dir := disktest.Mount(t, size)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	if owed == nil {
		owed = func() disk.Owed { return disk.Owed{} }
	}
	w := disk.Start(disk.Options{Dir: dir, MinFree: minFree, Log: slog.New(slog.NewTextHandler(log, nil)), Owed: owed})
	t.Cleanup(w.Stop)
	return w, dir, log
}

// eventually waits until ok, for much longer than it should take.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func TestWritesStopAtTheSoftLimitAndTheReserveAtTheHardOne(t *testing.T) {
	w, dir, log := start(t, 96*mib, 32*mib, nil)
	s := w.State()
	if s.Soft != 32*mib || s.Hard != 8*mib || s.Total != 96*mib || s.Low || s.Full || s.Missing() != 0 {
		t.Fatalf("state of an empty disk: %+v", s)
	}
	eventually(t, "the ballast is made", func() bool { return w.State().Ballast > 0 })
	for _, c := range []struct {
		leave         int64
		write, revoke bool
	}{{33 * mib, true, true}, {31 * mib, false, true}, {9 * mib, false, true}, {7 * mib, false, false}, {0, false, false}} {
		empty := disktest.Fill(t, dir, c.leave)
		w.Look()
		write, revoke := w.Refuses(false), w.Refuses(true)
		if (write == nil) != c.write || (revoke == nil) != c.revoke {
			t.Errorf("with %d MiB free: write %v, revoke %v", c.leave/mib, write, revoke)
		}
		if write != nil && (!errors.Is(write, disk.ErrLow) || !strings.Contains(write.Error(), disk.Size(36*mib-c.leave)+" on the file system of "+dir)) {
			t.Errorf("with %d MiB free the refusal says %q", c.leave/mib, write)
		}
		empty()
		eventually(t, "space that is back is used", func() bool { return w.Refuses(false) == nil })
	}
	if n, m := log.count("disk space is low"), log.count("disk space is back"); n != 4 || m != 4 {
		t.Errorf("entered %d times and left %d times, want 4 and 4 lines", n, m)
	}
}

func TestLowDoesNotFlapAtTheLimit(t *testing.T) {
	w, dir, log := start(t, 96*mib, 32*mib, nil)
	eventually(t, "the ballast is made", func() bool { return w.State().Ballast > 0 })
	empty := disktest.Fill(t, dir, 31*mib)
	w.Look()
	empty()
	empty = disktest.Fill(t, dir, 34*mib) // above the limit, and not by an eighth
	eventually(t, "the space is seen", func() bool { return w.State().Free > 33*mib })
	if err := w.Refuses(false); !errors.Is(err, disk.ErrLow) {
		t.Errorf("2 MiB above the limit a write is %v", err)
	}
	empty()
	eventually(t, "writes are back", func() bool { return w.Refuses(false) == nil })
	if n := log.count("disk space is low"); n != 1 {
		t.Errorf("entered %d times", n)
	}
}

func TestTheGapHoldsWhatTheEngineOwes(t *testing.T) {
	var owed atomic.Int64
	w, dir, _ := start(t, 96*mib, 16*mib, func() disk.Owed { return disk.Owed{Now: owed.Load() / 2, Later: owed.Load() / 2} })
	disktest.Fill(t, dir, 40*mib)
	w.Look()
	if err := w.Refuses(false); err != nil {
		t.Errorf("nothing is owed, 40 of 16 MiB are free: %v", err)
	}
	owed.Store(38 * mib)
	eventually(t, "writes are refused, for 4 + 38 MiB are needed", func() bool { return w.Refuses(false) != nil })
	owed.Store(0)
	eventually(t, "what was owed is done", func() bool { return w.Refuses(false) == nil })
	w.Wrote(19 * mib)
	if w.Look(); w.Refuses(false) != nil {
		t.Error("what was written since is taken for more than the engine says")
	}
	owed.Store(38 * mib)
	w.Wrote(19 * mib)
	if w.Look(); w.Refuses(false) == nil {
		t.Error("what was written since the last question does not count")
	}
}

func TestTheBallastIsKeptAndGivenUp(t *testing.T) {
	var owed atomic.Int64
	w, dir, log := start(t, 96*mib, 32*mib, func() disk.Owed { return disk.Owed{Now: owed.Load()} })
	path := filepath.Join(dir, disk.BallastFile)
	eventually(t, "the ballast is made", func() bool { return w.State().Ballast == 24*mib })
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || disktest.Free(t, dir) > 72*mib {
		t.Errorf("mode %v, %d MiB free, %v", info.Mode(), disktest.Free(t, dir)/mib, err)
	}
	empty := disktest.Fill(t, dir, 0)
	eventually(t, "low is seen", func() bool { return w.State().Full })
	if w.State().Ballast == 0 {
		t.Error("the ballast went before anybody needed it")
	}
	owed.Store(mib)
	eventually(t, "the engine gets it", func() bool { return w.State().Ballast == 0 && disktest.Free(t, dir) == 24*mib })
	owed.Store(0)
	empty()
	eventually(t, "it is made again", func() bool { return w.State().Ballast == 24*mib })
	if n := log.count("the ballast is given up"); n != 1 {
		t.Errorf("given up %d times", n)
	}
}

func TestNoBallastWhereThereIsNoRoomForIt(t *testing.T) {
	w, dir, _ := start(t, 56*mib, 32*mib, nil) // 36 + 24 are needed
	before := w.State()
	eventually(t, "another look", func() bool { return w.State() != before || w.State().Ballast == 0 })
	if _, err := os.Stat(filepath.Join(dir, disk.BallastFile)); err == nil || w.State().Low {
		t.Errorf("a ballast was made, or the disk is low: %v, %+v", err, w.State())
	}
}

func TestRoomGivesUpTheBallastOnlyIfThatIsEnough(t *testing.T) {
	dir := disktest.Mount(t, 64*mib)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o := disk.Options{Dir: dir, MinFree: 32 * mib, Log: slog.New(slog.DiscardHandler)}
	path := filepath.Join(dir, disk.BallastFile)
	if err := os.WriteFile(path, make([]byte, 8*mib), 0o600); err != nil {
		t.Fatal(err)
	}
	disktest.Fill(t, dir, 2*mib)
	err := disk.Room(o, 12*mib)
	var full *disk.FullError
	if !errors.As(err, &full) || full.Missing != 2*mib || !errors.Is(err, disk.ErrFull) {
		t.Errorf("12 MiB with 2 free and 8 of ballast: %v", err)
	}
	want := "too little disk space to open the store: it takes 12582912 bytes: free 2097152 bytes (2 MiB) on the file system of " + dir + "; nothing is damaged, nothing is lost"
	if err == nil || err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
	if err := disk.Room(o, 2*mib); err != nil {
		t.Errorf("what is free: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the ballast went in vain: %v", err)
	}
	if err := disk.Room(o, 10*mib); err != nil || disktest.Free(t, dir) != 10*mib {
		t.Errorf("10 MiB: %v, %d free", err, disktest.Free(t, dir))
	}
}

func TestAutoIsFivePercentWithinBounds(t *testing.T) {
	for _, c := range []struct{ total, want int64 }{
		{64 * mib, 16 * mib}, {1 << 30, 1 << 30 / 20}, {5 << 30, 256 * mib}, {1 << 40, 512 * mib},
	} {
		dir := disktest.Mount(t, c.total)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w := disk.Start(disk.Options{Dir: dir, MinFree: disk.Auto, Log: slog.New(slog.DiscardHandler), Owed: func() disk.Owed { return disk.Owed{} }})
		w.Stop()
		if s := w.State(); s.MinFree != c.want || s.Hard != c.want/4 {
			t.Errorf("of %d MiB: %+v, want %d MiB", c.total/mib, s, c.want/mib)
		}
	}
}

func TestZeroMeansNoWatch(t *testing.T) {
	w := disk.Start(disk.Options{Dir: "/nowhere"})
	w.Look()
	w.Stop()
	if s := w.State(); s != (disk.State{}) || w.Refuses(false) != nil {
		t.Errorf("state %+v, write %v", s, w.Refuses(false))
	}
}
