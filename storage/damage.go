package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"exante/storage/kv"
)

// A record that can't be decoded, or a count that is not right, is met by one
// request and concerns all: what else is damaged is not known. So it ends the
// service, and is written down beside the database, since a start reads less than
// requests do and might not meet it.
//
// Only the store's own data may lead here. A transaction or snapshot that returns
// ErrCorrupt does; what a client sends is refused with other errors.

const damageFile = "exante.damage"

// watched is an engine that fails when what was read from it is damaged.
type watched struct {
	kv.DB
	dir string
	log *slog.Logger
}

func (w *watched) View(ctx context.Context, fn func(kv.Reader) error) error {
	return w.noted(w.DB.View(ctx, fn))
}

func (w *watched) Update(ctx context.Context, fn func(kv.Txn) error) error {
	return w.noted(w.DB.Update(ctx, fn))
}

func (w *watched) UpdateReserved(ctx context.Context, fn func(kv.Txn) error) error {
	return w.noted(w.DB.UpdateReserved(ctx, fn))
}

// noted passes err on. Damage ends the service.
func (w *watched) noted(err error) error {
	if !errors.Is(err, ErrCorrupt) || w.Health() != nil {
		return err
	}
	w.Fail(err)
	w.log.Error("the store is damaged: it takes no more changes, and the process should end", "error", err)
	if err := writeFile(w.dir, damageFile, strings.ToValidUTF8(err.Error(), "?")); err != nil {
		w.log.Error("the damage could not be written down", "file", damageFile, "error", err)
	}
	return err
}

// checkDamage refuses a store in which damage was met while it was open.
func checkDamage(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, damageFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: this was met while it was open (%s): %s; if it came from elsewhere: exante verify --accept",
		ErrCorrupt, damageFile, strings.TrimSpace(string(text)))
}

// forgetDamage is for a store that was found to be whole.
func forgetDamage(dir string) error {
	err := os.Remove(filepath.Join(dir, damageFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(dir))
}
