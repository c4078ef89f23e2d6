package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"exante/admin/config"
	"exante/auth"
	"exante/storage"
)

// How long a command waits for others.
const (
	lockPatience   = 3 * time.Second  // for a store that is open elsewhere with no server answering: it may be starting or stopping
	serverPatience = 10 * time.Second // for a server to begin its answer
)

// withOps runs use on the store that the configuration names: through the
// server if one answers, else on the opened store. create permits making a
// store where there is none.
func (s *shell) withOps(ctx context.Context, create bool, use func(Ops) error) error {
	ops, done, err := s.connect(ctx, create)
	if err != nil {
		return err
	}
	return errors.Join(use(ops), done())
}

func (s *shell) connect(ctx context.Context, create bool) (Ops, func() error, error) {
	path, dir := s.config.SocketPath(), s.config.Storage.Dir
	for deadline := time.Now().Add(lockPatience); ; {
		up, err := serverAt(path)
		if err != nil {
			return nil, nil, err
		}
		if up {
			return NewRemote(path, serverPatience), func() error { return nil }, nil
		}
		store, err := openStore(&s.config.Config, create, s.log)
		if err == nil {
			return NewDesk(store, s.config.Config, s.wire, nil).As(s.uid), store.Close, nil
		}
		if !errors.Is(err, storage.ErrInUse) {
			return nil, nil, inDirectory(dir, err)
		}
		if time.Now().After(deadline) {
			return nil, nil, fmt.Errorf("%w%s; no server answers on %s", inDirectory(dir, err), lockHolder(dir), path)
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// inDirectory says which store err is about, unless err does so itself.
func inDirectory(dir string, err error) error {
	if err == nil || strings.Contains(err.Error(), dir) {
		return err
	}
	return fmt.Errorf("%s: %w", dir, err)
}

// serverAt reports whether a server accepts connections on the socket. A path
// that is too long for a socket has no server behind it.
func serverAt(path string) (bool, error) {
	if len(path) > config.MaxSocketPath {
		return false, nil
	}
	conn, err := net.DialTimeout("unix", path, serverPatience)
	switch {
	case err == nil:
		return true, conn.Close()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return false, nil
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, os.ErrDeadlineExceeded): // its queue of callers is full
		return false, fmt.Errorf("%w on %s: %v", errUnreachable, path, err)
	}
	return false, fmt.Errorf("ask for a server: %w", err)
}

// openStore opens the store that c names, as the owner of its directory.
func openStore(c *config.Config, create bool, log *slog.Logger) (*storage.Store, error) {
	if err := enterDirectory(c.Storage.Dir, c.AuditCopy()); err != nil {
		return nil, err
	}
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	if err != nil {
		return nil, err
	}
	store, err := storage.Open(storeOptions(c, hasher, create, log))
	if create {
		err = notOurs(err)
	}
	return store, err
}

// notOurs is what ErrNoStore means to who wanted to make a store.
func notOurs(err error) error {
	if errors.Is(err, storage.ErrNoStore) {
		return fmt.Errorf("%w: %v", errForeign, err)
	}
	return err
}

func storeOptions(c *config.Config, hasher *auth.Hasher, create bool, log *slog.Logger) storage.Options {
	cache := c.Storage.Cache
	if cache == 0 {
		cache = -1 // Options: negative means none
	}
	_, most := c.Expiry()
	return storage.Options{
		Dir: c.Storage.Dir, Create: create, Hasher: hasher, Environment: c.Auth.Environment,
		Limits: c.RateLimit.Windows, MaxExpiryDays: most, NumberPattern: c.Invoices.NumberPattern, CacheBytes: cache,
		MinFree: c.Storage.MinFree, AuditCopy: c.AuditCopy(), Log: log, BeforeMigration: beforeMigration(c, log),
	}
}
