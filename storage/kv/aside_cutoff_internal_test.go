package kv

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pause is a log that holds whoever writes the given line to it for the nth time.
type pause struct {
	slog.Handler
	line    string
	nth     int
	reached chan struct{} // closed: it is held
	resume  chan struct{}
}

func (p *pause) Enabled(context.Context, slog.Level) bool { return true }

func (p *pause) Handle(_ context.Context, r slog.Record) error {
	if !strings.Contains(r.Message, p.line) {
		return nil
	}
	if p.nth--; p.nth == 0 {
		close(p.reached)
		<-p.resume
	}
	return nil
}

// snapshotDir is what a kill would leave of dir. Names of one file stay that.
func snapshotDir(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "killed")
	known := map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.Join(to, strings.TrimPrefix(path, dir))
		info, err := e.Info()
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return os.Mkdir(name, 0o700)
		}
		inode := info.Sys().(*syscall.Stat_t).Ino
		if first := known[inode]; first != "" {
			return os.Link(first, name)
		}
		known[inode] = name
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Badger begins to merge while it opens, and empties the tables that it merged: by
// then nothing may be left that the next start would put back.
func TestKillWhileTheAcceptedStoreIsMerged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	e := openEngine(t, dir, nil)
	for n := range 2 {
		mustPut(t, e, fmt.Sprint("k", n), "v")
		e = flush(t, e, dir)
	}
	mustPut(t, e, "k2", "v")
	dir = copyDir(t, dir)
	tables := must(filepath.Glob(filepath.Join(dir, "*.sst")))(t)

	p := &pause{Handler: slog.DiscardHandler, line: "Set nextTxnTs", nth: 2, reached: make(chan struct{}), resume: make(chan struct{})}
	judge := func(_ uint64, r Reader) error {
		n, err := r.Count(Range{})
		if err == nil && n != 3 {
			err = fmt.Errorf("%w: %d entries", errNotThatOne, n)
		}
		return err
	}
	opened := make(chan error, 1)
	go func() {
		db, err := Open(Options{Dir: dir, Judge: judge, Log: slog.New(p)})
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	<-p.reached
	for deadline := time.Now().Add(20 * time.Second); exists(dir, filepath.Base(tables[0])); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was merged")
		}
	}
	if _, err := Open(Options{Dir: dir}); err == nil {
		t.Error("a second Open was let in")
	}
	killed := snapshotDir(t, dir)
	close(p.resume)
	must(0, <-opened)(t)
	db, err := Open(Options{Dir: killed, Judge: judge})
	if err != nil {
		t.Fatalf("Open after the kill: %v", err)
	}
	must(0, db.Close())(t)
}
