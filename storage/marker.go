package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"exante/auth/uid"
	"exante/storage/kv"
)

// An engine whose files are lost or cut short can open as an empty database
// without an error. So the directory and the database must agree that a store
// is here: a file beside the engine's names the database, and the database has
// a marker record with the same name. The file is written first as
// unfinished and gets the name once the marker is durable, so a creation that
// was cut off is told from a database that lost everything.

const (
	nameFile   = "exante.id"
	unfinished = "unfinished"
	temporary  = ".new"
)

// markerRecord says what database this is.
type markerRecord struct {
	ID        uid.ID `cbor:"1,keyasint"`
	Schema    uint64 `cbor:"2,keyasint"`
	CreatedAt stamp  `cbor:"3,keyasint"`
}

// findStore returns the name of the store in dir, zero for one that is yet to
// be made. ErrNoStore if dir has other files, or is absent or empty and nobody
// asked for a store. ErrCorrupt if a store was here, as its anchor or its audit
// copy say.
func findStore(dir, copyPath string, create bool) (uid.ID, error) {
	text, err := os.ReadFile(filepath.Join(dir, nameFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return uid.ID{}, beginStore(dir, copyPath, create)
	case err != nil:
		return uid.ID{}, fmt.Errorf("open store: %w", err)
	}
	name := strings.TrimSpace(string(text))
	if name == unfinished {
		return uid.ID{}, nil
	}
	id, err := uid.Parse(name)
	if err != nil {
		return uid.ID{}, fmt.Errorf("%w: %s does not name a store", ErrCorrupt, filepath.Join(dir, nameFile))
	}
	return id, nil
}

// beginStore claims an absent or empty directory.
func beginStore(dir, copyPath string, create bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case slices.ContainsFunc(entries, isFresh):
		return fmt.Errorf("%w: %s has what an interrupted restore left: restore again", ErrNoStore, dir)
	case slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == anchorFile }):
		return fmt.Errorf("%w: %s has a database and %s, but no %s", ErrCorrupt, dir, anchorFile, nameFile)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open store: %w", err)
	case slices.ContainsFunc(entries, foreign):
		return fmt.Errorf("%w: %s has files, but no %s", ErrNoStore, dir, nameFile)
	case !create:
		return fmt.Errorf("%w: %s", ErrNoStore, dir)
	}
	if err := noCopy(copyPath); err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := kv.MakeDir(dir); err != nil {
			return fmt.Errorf("create store: %w", err)
		}
	}
	if err := writeFile(dir, nameFile, unfinished); err != nil {
		return fmt.Errorf("create store: %w", err)
	}
	return nil
}

// foreign reports a file that shows that a directory is in use.
func foreign(e fs.DirEntry) bool { return e.Name() != "lost+found" && e.Name() != nameFile+temporary }

// noCopy refuses to begin a chain where the copy of another one is.
func noCopy(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return nil // what keeps it from being written will show
	}
	return fmt.Errorf("%w: there is no store, but its audit copy %s is there: restore a backup, or move the copy away to begin anew", ErrCorrupt, path)
}

// identify reads the marker and checks it against the name of the directory.
// fresh: there is none yet, and it is to be made.
func (s *Store) identify(r kv.Reader, name uid.ID) (marker markerRecord, fresh bool, err error) {
	err = get(r, keyMarker(), famMarker, &marker)
	switch {
	case errors.Is(err, ErrNotFound) && name.IsZero() && s.options.Create:
		return marker, true, noCopy(s.options.AuditCopy)
	case errors.Is(err, ErrNotFound) && name.IsZero():
		err = fmt.Errorf("%w: the one in %s was never finished", ErrNoStore, s.options.Dir)
	case errors.Is(err, ErrNotFound):
		err = fmt.Errorf("%w: the database of store %s is empty: its files were lost or cut short", ErrCorrupt, name)
	case err != nil:
	case marker.Schema > schemaVersion:
		err = fmt.Errorf("%w: schema %d, this one knows %d", ErrNewer, marker.Schema, schemaVersion)
	case !name.IsZero() && name != marker.ID:
		err = fmt.Errorf("%w: the directory is of store %s, the database of %s", ErrCorrupt, name, marker.ID)
	}
	return marker, false, err
}

// finish gives the directory the name of its database.
func (s *Store) finish(id uid.ID) error { return writeFile(s.options.Dir, nameFile, id.String()) }

// writeFile replaces a file of one line so that after a power cut it is the old
// one or the new one, whole.
func writeFile(dir, name, line string) error {
	path := filepath.Join(dir, name)
	temp, err := os.OpenFile(path+temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = temp.WriteString(line + "\n")
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+temporary, path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
