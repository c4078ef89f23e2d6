package kv

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"exante/storage/kv/disk"
)

// openingSlack is what opening takes beside the logs that it turns into tables:
// new logs, their first pages, lines in the manifest.
const openingSlack = 4 << 20

// makeRoom makes sure that there is the room that it takes to set logs aside and to
// let Badger open, or says that there is not.
func makeRoom(o Options) error {
	logs, err := logsIn(o.Dir)
	if err != nil {
		return err
	}
	t, err := treeIn(o.Dir)
	if err != nil {
		return err
	}
	need := openingSlack + 2*total(logs) // which are set aside as well
	if t.fresh+len(logs) >= freshTables {
		need += t.merging(total(logs))
	}
	return disk.Room(diskOptions(o), need)
}

// treeIn is what the MANIFEST in dir says.
func treeIn(dir string) (t tree, err error) {
	tables, err := manifestTables(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return t, err
	}
	for id, level := range tables {
		info, err := os.Stat(table.NewFilename(id, dir))
		if err != nil {
			return t, err
		}
		t.add(int(level), info.Size())
		if level == 0 {
			t.fresh++
		}
	}
	return t, nil
}

func diskOptions(o Options) disk.Options {
	return disk.Options{Dir: o.Dir, MinFree: o.MinFree, Log: o.Log}
}

// closeFiles closes Badger, which turns the newest log into a table. Where there is
// no room for it the files are left as a kill would leave them: all that was
// acknowledged is in them, and the next Open turns the log into a table.
func (e *engine) closeFiles() error {
	e.db.SetDiscardTs(e.Seq()) // no snapshot is left, so a merge under way need keep nothing for one
	logs, err := logsIn(e.options.Dir)
	if err != nil {
		return err
	}
	if err := disk.Room(diskOptions(e.options), openingSlack+total(logs)); err != nil {
		e.options.Log.Warn("closing without tidying up: nothing is lost, and the next start does it", "error", err)
		return nil
	}
	return e.db.Close()
}

// logsIn is what each log of memtables occupies in dir, in bytes, oldest first.
func logsIn(dir string) ([]int64, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return nil, err
	}
	var sizes []int64
	for _, name := range names { // which Glob sorts, and Badger numbers
		info, err := os.Stat(name)
		if err != nil {
			continue // it has become a table meanwhile
		}
		sizes = append(sizes, info.Sys().(*syscall.Stat_t).Blocks*512)
	}
	return sizes, nil
}

func total(sizes []int64) (sum int64) {
	for _, n := range sizes {
		sum += n
	}
	return sum
}

// owed is what Badger may still write on its own: older logs become tables, and
// tables are merged into new ones before the old ones go. The newest log
// becomes a table later. With 1 KB records in random order it wrote up to 255 MiB
// after the last commit, in 30 s, to a store of 2 GiB
// (TestTheEngineOwesNoMoreThanItSays).
func (e *engine) owed() disk.Owed {
	logs, err := logsIn(e.options.Dir)
	if err != nil || len(logs) == 0 {
		return disk.Owed{}
	}
	newest, older := logs[len(logs)-1], total(logs[:len(logs)-1])
	t := e.tree()
	switch tables := t.fresh + len(logs); {
	case t.overdue || tables > freshTables:
		return disk.Owed{Now: older + t.merging(older), Later: 2 * newest}
	case tables == freshTables:
		return disk.Owed{Now: older, Later: newest + t.merging(older+newest)}
	}
	return disk.Owed{Now: older, Later: newest}
}

func (e *engine) tree() (t tree) {
	for _, level := range e.db.Levels() {
		t.add(level.Level, level.Size)
		if level.Level == 0 {
			t.fresh = level.NumTables
		}
		t.overdue = t.overdue || level.Level > 0 && level.Score >= 1
	}
	return t
}

// tree is how much lies in which level.
type tree struct {
	fresh   int      // tables of the first level
	bytes   [7]int64 // by level; Badger's tree grows from the last
	overdue bool     // a level below the first has more than it should; known of an open engine
}

// What badgerOptions leaves as it is.
const (
	levelGrowth = 10       // a level aims at so many times what the one above it does
	baseLevel   = 10 << 20 // and the one that fresh tables go to at no more than this
	baseTable   = 2 << 20  // of that level; below, each level's are twice as large
	twoMerges   = 2 * (1 + 11)
)

func (t *tree) add(level int, bytes int64) { t.bytes[level] += bytes }

// above is what does not lie in the last level.
func (t *tree) above() int64 { return total(t.bytes[:len(t.bytes)-1]) }

// merging is what is written at most before as much is freed, once tables are
// merged: those of the first level and of logs with the level that they go to;
// and, twice at the same time, a table of the last level but one with what it
// overlaps, ten and a little more of its size.
func (t *tree) merging(logs int64) int64 {
	last := len(t.bytes) - 1
	base, file := last, int64(baseTable)
	for size := t.bytes[last]; size > baseLevel && base > 1; size /= levelGrowth {
		if base--; base < last-1 {
			file *= 2
		}
	}
	return logs + t.bytes[0] + t.bytes[base] + min(total(t.bytes[1:]), twoMerges*file)
}
