package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// BallastFile is the name of the ballast in the data directory. It holds nothing,
// and may be removed at any time.
const BallastFile = "exante.ballast"

// leastBallast is what opening may take: a log that becomes a table, 16 MiB and
// one commit, and the new files.
const leastBallast = 24 << 20

// ballastOf is the size of the ballast: the hard limit, or what opening may take. It
// is never more than MinFree, so that writes do not begin on what it gives.
func ballastOf(s State) int64 { return max(s.Hard, min(leastBallast, s.MinFree)) }

// ballast is a file that is there to be given up.
type ballast struct{ path string }

func newBallast(dir string) ballast { return ballast{filepath.Join(dir, BallastFile)} }

// size is how many bytes it occupies; 0: there is none.
func (b ballast) size() int64 {
	info, err := os.Lstat(b.path)
	if err != nil {
		return 0
	}
	return blocks(info)
}

// make gives it so many bytes, or leaves nothing behind.
func (b ballast) make(size int64) error {
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(allocate(f, size), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("make the ballast: %w", err), b.giveUp())
	}
	return nil
}

// giveUp removes it.
func (b ballast) giveUp() error {
	if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
