package disk

import (
	"errors"
	"fmt"
)

const (
	// Auto, as Options.MinFree, is the smaller of 512 MiB and 5 % of the file
	// system, and at least LeastMinFree.
	Auto = -1
	// LeastMinFree is the smallest soft limit. Its quarter has room for one commit,
	// 2.2 MiB, a new log and a line in the manifest.
	LeastMinFree = 16 << 20

	mostAuto   = 512 << 20
	autoShare  = 20 // 5 %
	hardShare  = 4
	leastNodes = 512 // inodes, soft; hard: a quarter
)

var (
	// ErrLow is what every *LowError Is.
	ErrLow = errors.New("disk space is low")
	// ErrFull is what every *FullError Is.
	ErrFull = errors.New("too little disk space to open the store")
)

// LowError refuses a write, before anything is written. It Is ErrLow.
type LowError struct {
	Dir     string
	Missing int64 // bytes to free until writes work again; 0: none, or as good as none
	Inodes  bool  // they are lacking
}

func (e *LowError) Error() string {
	switch {
	case e.Inodes:
		return fmt.Sprintf("%v: few inodes are left for new files on the file system of %s", ErrLow, e.Dir)
	case e.Missing == 0:
		return fmt.Sprintf("%v: it is just coming back on the file system of %s", ErrLow, e.Dir)
	}
	return fmt.Sprintf("%v: free %s on the file system of %s", ErrLow, Size(e.Missing), e.Dir)
}

// Is makes every LowError an ErrLow.
func (e *LowError) Is(target error) bool { return target == ErrLow }

// FullError refuses to open a store, before anything in it is touched. It Is ErrFull.
type FullError struct {
	Dir           string
	Need, Missing int64 // bytes that opening takes, and those of them to free
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%v: it takes %d bytes: free %d bytes (%s) on the file system of %s; nothing is damaged, nothing is lost",
		ErrFull, e.Need, e.Missing, Size(e.Missing), e.Dir)
}

// Is makes every FullError an ErrFull.
func (e *FullError) Is(target error) bool { return target == ErrFull }

// State is how a file system stood when it was last looked at.
type State struct {
	Free   int64  // bytes that this process may still take
	Total  int64  // bytes of the file system
	Inodes uint64 // free ones; math.MaxUint64 where they are not counted

	MinFree int64 // as it was set; 0: nothing is watched, and the rest is zero
	Soft    int64 // bytes of free space below which writes are refused
	Hard    int64 // bytes below which nothing is written
	Ballast int64 // bytes held by the ballast; they are not in Free

	Low  bool // writes are refused
	Full bool // so are those from the reserve
}

// Missing is how many bytes must be freed for writes to work again; 0 if they do,
// or if inodes are what is lacking.
func (s State) Missing() int64 {
	if !s.Low {
		return 0
	}
	return max(0, s.leave()-s.Free)
}

// leave is the free space at which Low ends: above the soft limit, so that a store
// that lives at the limit does not flap.
func (s State) leave() int64 { return s.Soft + s.Soft/8 }

// judge sets Low and Full by what has been measured.
func (s *State) judge(wasLow bool) {
	enter := s.Soft
	if wasLow {
		enter = s.leave()
	}
	s.Full = s.Free < s.Hard || s.Inodes < leastNodes/hardShare
	s.Low = s.Full || s.Free < enter || s.Inodes < leastNodes
}

// softLimit is the soft limit that Options.MinFree means on a file system of total bytes.
func softLimit(setting, total int64) int64 {
	if setting != Auto {
		return setting
	}
	return max(LeastMinFree, min(mostAuto, total/autoShare))
}

// Size is n bytes for people, rounded up, so that freeing as much is enough.
func Size(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20) }
