package backups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	timeForm   = "20060102T150405Z"
	unproven   = ".unproven"
	part       = ".exante-*.part"
	staleAfter = time.Hour // a file that nobody has written to for so long is not being written
)

var name = regexp.MustCompile(`^exante-([0-9a-f]{12})-(\d{8}T\d{6}Z)-(\d+)\.backup(\.age)?(\.unproven)?$`)

// file is one backup in a directory.
type file struct {
	dir, name string
	at        time.Time
	sequence  uint64
	size      int64
	proven    bool
}

func (f *file) path() string { return filepath.Join(f.dir, f.name) }

// proved gives the file the name of one that was restored.
func (f *file) proved() error {
	was := f.path()
	f.name, f.proven = strings.TrimSuffix(f.name, unproven), true
	return errors.Join(os.Rename(was, f.path()), syncDir(f.dir))
}

// write makes a backup that is yet to be proved.
func (s *Schedule) write(ctx context.Context) (*file, Taken, error) {
	temp, err := os.CreateTemp(s.o.Dir, part) // mode 0600
	if err != nil {
		return nil, Taken{}, err
	}
	taken, err := s.o.Source.Take(ctx, temp)
	err = errors.Join(err, temp.Sync(), temp.Close())
	f := &file{dir: s.o.Dir, name: fmt.Sprintf("exante-%s-%s-%d.backup", s.o.Store, taken.At.UTC().Format(timeForm), taken.Sequence)}
	if s.o.Encrypted {
		f.name += ".age"
	}
	f.name += unproven
	if err == nil {
		err = os.Rename(temp.Name(), f.path())
	}
	if err != nil {
		return nil, taken, errors.Join(err, os.Remove(temp.Name()))
	}
	return f, taken, syncDir(s.o.Dir)
}

// list finds the backups of a store in a directory, newest first.
func list(dir, store string) ([]*file, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []*file
	for _, e := range entries {
		m := name.FindStringSubmatch(e.Name())
		if m == nil || m[1] != store || !e.Type().IsRegular() {
			continue
		}
		at, err := time.Parse(timeForm, m[2])
		sequence, err2 := strconv.ParseUint(m[3], 10, 64)
		info, err3 := e.Info()
		if errors.Join(err, err2, err3) == nil {
			found = append(found, &file{dir, e.Name(), at, sequence, info.Size(), m[5] == ""})
		}
	}
	slices.SortFunc(found, func(a, b *file) int { return b.at.Compare(a.at) })
	return found, nil
}

func newestProven(found []*file) *file {
	if i := slices.IndexFunc(found, func(f *file) bool { return f.proven }); i >= 0 {
		return found[i]
	}
	return nil
}

// prune removes all proved backups but the newest ones, and what was not proved and
// is older than one that was, or is not among the newest of its kind. made is the
// newest, whatever the others are dated: the clock may have been set back.
func prune(made *file, store string, keep int) error {
	dir := made.dir
	found, err := list(dir, store)
	if err != nil {
		return err
	}
	slices.SortStableFunc(found, func(a, b *file) int {
		switch made.name {
		case a.name:
			return -1
		case b.name:
			return 1
		}
		return 0
	})
	proven, doubtful := 0, 0
	for _, f := range found {
		var old bool
		if f.proven {
			proven++
			old = proven > keep
		} else {
			doubtful++
			old = proven > 0 || doubtful > keep
		}
		if old {
			err = errors.Join(err, os.Remove(f.path()))
		}
	}
	return errors.Join(err, syncDir(dir))
}

// removeUnfinished removes what a process left that was killed while it wrote.
func removeUnfinished(dir string) error {
	left, err := filepath.Glob(filepath.Join(escape(dir), part))
	for _, path := range left {
		if info, e := os.Stat(path); e == nil && time.Since(info.ModTime()) > staleAfter {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// escape makes a pattern that matches path alone.
func escape(path string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(path, `\$0`)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
