package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	lingerTime  = 500 * time.Millisecond
	acceptPause = 50 * time.Millisecond  // when no file descriptor is left for a connection
	refuseWrite = 100 * time.Millisecond // for the answer to a connection that is one too many
)

// listener bounds how many connections are open, in all and from one address, and
// hands out connections that can be closed without losing the last answer.
type listener struct {
	net.Listener
	server *Server
	most   int // in all
	each   int // of one address; 0: any number

	mu     sync.Mutex
	open   int
	byAddr map[netip.Addr]int
}

func (s *Server) bounded(ln net.Listener) *listener {
	return &listener{
		Listener: ln, server: s, most: s.options.MaxConns, each: s.options.MaxConnsPerIP,
		byAddr: map[netip.Addr]int{},
	}
}

// Accept refuses what is one too many and waits for the next.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			// The queue of the kernel keeps who comes meanwhile. Returned, the error
			// would end the server.
			time.Sleep(acceptPause)
			continue
		}
		if err != nil {
			return nil, err
		}
		addr := addrOf(c.RemoteAddr())
		refusal := l.enter(addr)
		if refusal == nil {
			return &conn{Conn: c, leave: func() { l.leave(addr) }}, nil
		}
		_ = c.SetWriteDeadline(time.Now().Add(refuseWrite))
		_, _ = c.Write(l.server.rawAnswer(refusal))
		_ = c.Close()
	}
}

// enter counts a connection, or says why there may not be one more.
func (l *listener) enter(addr netip.Addr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.open >= l.most:
		l.server.traffic.full.Add(1)
		return errFull
	case l.each > 0 && l.byAddr[addr] >= l.each:
		l.server.traffic.crowded.Add(1)
		return errCrowded
	}
	l.open++
	l.server.traffic.connections.Add(1)
	l.byAddr[addr]++
	return nil
}

func (l *listener) leave(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.server.traffic.connections.Add(-1)
	if l.byAddr[addr]--; l.byAddr[addr] == 0 {
		delete(l.byAddr, addr)
	}
}

// rawAnswer is the whole answer to err for a connection that no request was read of.
func (s *Server) rawAnswer(err error) []byte {
	row := rowOf(err)
	id, _ := s.ids.New()
	w := s.newWriter()
	defer s.free(w)
	w.failure(row, err, id.String())
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n"+
		"Retry-After: 1\r\nX-Request-Id: %s\r\nCache-Control: %s\r\nX-Content-Type-Options: %s\r\n\r\n%s",
		row.status, fasthttp.StatusMessage(row.status), mediaJSON, len(w.buf), id, valueNoStore, valueNoSniff, w.buf)
}

// conn is an open connection that is counted until it is closed.
type conn struct {
	net.Conn
	leave  func()
	closed atomic.Bool
	unread atomic.Bool // input may be left that nobody will read
}

// Close hangs up. Where input is left unread, TCP would answer it with a reset,
// and the client might never see what it was told: so it first sends the end of
// its own stream and swallows what still comes, for a moment (RFC 9112 §9.6).
func (c *conn) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return net.ErrClosed
	}
	defer c.leave()
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.unread.Load() && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, c.Conn)
	}
	return c.Conn.Close()
}

// hangUp closes the connection after this answer, with all that is in it.
func (x *exchange) hangUp() {
	x.http.SetConnectionClose()
	if c, ok := x.http.Conn().(*conn); ok {
		c.unread.Store(true)
	}
}
