package kv

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"exante/storage/measure"
)

// Stats are the figures of an engine since it was opened, for those who watch it.
type Stats struct {
	Commits      measure.Durations // of batches that had something to write
	Transactions uint64            // that shared the commits
	Snapshots    int               // states that can still be read, the latest among them

	// On the disk, in blocks that are really taken: the files of an engine may be
	// sparse, and their length then says nothing.
	TableBytes int64 // records, sorted
	LogBytes   int64 // what a restart reads again
	OtherBytes int64 // everything else in the directory
}

// tally is what the writer counts as it goes.
type tally struct {
	commits      measure.Histogram
	transactions atomic.Uint64
}

func (c *tally) committed(txns int, began time.Time) {
	c.commits.Observe(time.Since(began))
	c.transactions.Add(uint64(txns))
}

func (e *engine) Stats() (Stats, error) {
	s := Stats{
		Commits: e.tally.commits.Read(), Transactions: e.tally.transactions.Load(),
		Snapshots: int(e.snapshots.open.Load()),
	}
	err := s.addDisk(e.db.Opts().Dir)
	return s, err
}

// addDisk sums the files of the directory. A file that goes away meanwhile was
// not worth counting.
func (s *Stats) addDisk(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return ignoreAbsent(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreAbsent(err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || d.IsDir() {
			return nil
		}
		switch bytes := stat.Blocks * 512; filepath.Ext(path) {
		case ".sst":
			s.TableBytes += bytes
		case ".mem", ".vlog":
			s.LogBytes += bytes
		default:
			s.OtherBytes += bytes
		}
		return nil
	})
}

func ignoreAbsent(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
