package kv

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// checkTables reads every table that the MANIFEST names and refuses the store,
// with nothing changed, if a byte of one is not as it was written. Badger would
// not: a damaged block ends an iterator without an error, so the next compaction
// would write what little it saw and delete the tables it came from. It must
// therefore be known before Badger opens the directory.
//
// The caller has the lock of dir: a table that a running process is still writing
// is not damage. Error: ErrDamaged.
func checkTables(dir string) error {
	tables, err := manifestTables(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return err
	}
	var space bytes.Buffer // one table at a time, so that a large store needs no more than a small one
	for id := range tables {
		if err := checkTable(table.NewFilename(id, dir), id, &space); err != nil {
			return err
		}
	}
	return nil
}

// removeEmptyLogs removes what a process leaves that is killed between making a
// log and giving it its size, or between emptying and removing one. Badger would
// refuse to open beside it. Nothing acknowledged is lost: a new log holds nothing
// yet, and one is emptied only when a table has all of it.
func removeEmptyLogs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".mem" && ext != ".vlog" {
			continue
		}
		if info, err := e.Info(); err != nil || info.Size() > 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// manifestTables has the level of each table that belongs to the store. Others are
// what a crash left of a table that never came into use.
func manifestTables(path string) (map[uint64]uint8, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a new store; checkFiles knows better where it is not
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, formatVersion, badgerOptions("", nil))
	if err != nil {
		return nil, explainManifest(err, path)
	}
	levels := make(map[uint64]uint8, len(manifest.Tables))
	for id, t := range manifest.Tables {
		levels[id] = t.Level
	}
	return levels, nil
}

// explainManifest tells a broken MANIFEST from one that another program or a
// later version wrote. Badger's errors bear no other mark than their words.
func explainManifest(err error, path string) error {
	for _, damage := range []string{"bad magic", "checksum mismatch", "might be corrupted"} {
		if strings.Contains(err.Error(), damage) {
			return fmt.Errorf("%w: %s: %v", ErrDamaged, path, err)
		}
	}
	return fmt.Errorf("read %s: %w", path, err)
}

// checkTable checks the index of a table and all its blocks. What Badger makes
// of damage is an error or a panic; both mean the same here.
func checkTable(path string, id uint64, space *bytes.Buffer) (err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: table %s is missing", ErrDamaged, path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	space.Reset()
	if _, err := space.ReadFrom(f); err != nil {
		return err
	}
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%w: table %s fails its checksums", ErrDamaged, path)
		}
	}()
	t, err := table.OpenInMemoryTable(space.Bytes(), id, &table.Options{ChkMode: options.NoVerification, Compression: options.None})
	if err == nil {
		err = t.VerifyChecksum()
	}
	if err != nil {
		return fmt.Errorf("%w: table %s fails its checksums: %v", ErrDamaged, path, err)
	}
	return nil
}
