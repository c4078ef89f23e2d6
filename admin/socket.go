package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"exante/admin/config"
)

// Socket serves the operators of one desk on a Unix socket.
type Socket struct {
	server *http.Server
	served chan error
	stop   context.CancelFunc

	strangers *strangers
}

// Listen opens the socket of d's configuration and serves it until Close. about
// is the server that the store belongs to. The caller has the store open, so no
// other server can own a socket in its
// directory. Only the owner of the data directory and root are answered.
func (d *Desk) Listen(log *slog.Logger, about Running) (*Socket, error) {
	path := d.config.SocketPath()
	owner, err := ownerOf(d.config.Storage.Dir)
	if err != nil {
		return nil, err
	}
	listener, err := listenUnix(path)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Socket{served: make(chan error, 1), stop: stop, strangers: newStrangers(d, log)}
	s.server = &http.Server{
		Handler:           d.handler(owner, log, s.strangers, about),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withPeer,
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// Close lets operations in flight finish until ctx ends, then abandons them,
// and removes the socket.
func (s *Socket) Close(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	s.stop()
	s.strangers.flush(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("close the admin socket: %w", err), s.server.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// listenUnix makes the socket with mode 0600. The mask makes it so from the
// start: between bind and chmod another user could connect.
func listenUnix(path string) (net.Listener, error) {
	if len(path) > config.MaxSocketPath {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d are possible", errSocketPath, path, len(path), config.MaxSocketPath)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	mask := unix.Umask(0o177)
	listener, err := net.Listen("unix", path)
	unix.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket: %w", err)
	}
	return listener, nil
}

// removeStale removes the socket that a killed server left behind, and nothing
// else: with [admin] socket the path may belong to somebody.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%w: %s is not a socket", errSocketTaken, path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%w: another server answers on %s", errSocketTaken, path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// peerKey marks the peer of a connection in the context that net/http makes for it.
type peerKey struct{}

// peer is the Unix user at the other end of a connection, as the kernel says.
type peer struct {
	uid int
	err error
}

func withPeer(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, peerOf(conn))
}

func peerOf(conn net.Conn) peer {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return peer{err: err}
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, failed); err != nil {
		return peer{err: err}
	}
	return peer{uid: int(cred.Uid)}
}

// handler answers root and owner and refuses everybody else, on the record.
func (d *Desk) handler(owner int, log *slog.Logger, strangers *strangers, about Running) http.Handler {
	mux := http.NewServeMux()
	mount(mux, func(r *http.Request) Ops {
		l := d.As(r.Context().Value(peerKey{}).(peer).uid)
		if len(about.Listen) > 0 {
			l.api = about.Listen[0]
		}
		return l
	})
	d.mountWatch(mux, about)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		(&replies{w: w}).end(nil, errSkew)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.Context().Value(peerKey{}).(peer)
		if p.err != nil || p.uid != 0 && p.uid != owner {
			log.Warn("refused a caller on the admin socket", "uid", p.uid, "path", r.URL.Path, "error", p.err)
			if p.err == nil { // without a uid there is nobody to name
				strangers.refused(r.Context(), p.uid)
			}
			(&replies{w: w}).end(nil, errPeer)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
