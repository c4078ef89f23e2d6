package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/dashboard"
	"exante/server/openapi"
	"exante/storage"
	"exante/storage/billing"
)

// Options are all that a Server needs.
type Options struct {
	Store *storage.Store
	Auth  *auth.Authenticator

	Version     string // of the program, for the log
	Environment auth.Environment

	// TrustedProxies may name the caller in X-Forwarded-For. Empty: the peer is the caller.
	TrustedProxies []netip.Prefix
	// AllowedHosts are the names under which /api and /docs answer. Empty: any. An entry is
	// a host name without port; localhost and IP addresses are always allowed.
	AllowedHosts []string

	MaxConns      int // open at once; 0: 1024, and at most half of the file descriptors, which the store needs too
	MaxConnsPerIP int // of one address; 0: no limit, as behind a proxy

	// PublicURL is what URLs of this server begin with, without a slash at the end.
	// Empty: http:// or https://, and the Host of the request.
	PublicURL string

	// Certificate is asked for at each TLS handshake. nil: no TLS.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	// Dashboard is the pages for people. nil: there are none.
	Dashboard *DashboardOptions

	DefaultExpiryDays int // of a key that is created without expires_in_days; 0: never expires
	MaxExpiryDays     int // longest that may be asked for; 0: 3650

	ReadTimeout  time.Duration // for a whole request; 0: 10s
	WriteTimeout time.Duration // for a whole answer; 0: 15s
	IdleTimeout  time.Duration // between requests; 0: 60s
	ExportStall  time.Duration // until a client has taken the next piece of an export; 0: 30s

	// TransferGrace is how long an upload or a download of files may pause, and lag
	// behind 16 KiB a second; 0: 30s. The timeouts above are not for them.
	TransferGrace time.Duration

	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand.Reader; request ids come from here
	Log  *slog.Logger     // nil: discard

	// RequestLog gets a line for each answer with at least the status RequestLogFrom.
	// It must not wait for its reader: every answer would. nil: none.
	RequestLog     *slog.Logger
	RequestLogFrom int
}

// Limits of one connection and of all.
const (
	maxBody       = 1 << 20 // bytes
	maxHeader     = 8 << 10 // bytes, request line included
	maxConns      = 1024
	drainTime     = 10 * time.Second
	maxExpiryDays = 3650
)

// Server answers HTTP on listeners that it is given.
type Server struct {
	options   Options
	store     *storage.Store
	auth      *auth.Authenticator
	log       *slog.Logger
	ids       *uid.Source
	hosts     hostSet
	pageHosts hostSet
	signing   auth.SigningKey // of cursors and links
	docs      *openapi.Site
	pages     *dashboard.Dashboard // nil: none
	tls       *tls.Config          // nil: in clear

	app       *fiber.App
	router    fasthttp.RequestHandler // Fiber's: from the path to the handler
	exchanges sync.Pool
	writers   sync.Pool
	uploads   *gate
	exports   *gate
	traffic   *traffic
	render    func(*billing.Invoice, time.Time) ([]byte, error) // renderInvoice

	// life ends when the drain has: calls of the store wait no longer than that.
	life     context.Context
	end      context.CancelFunc
	draining atomic.Bool

	mu        sync.Mutex // Serve and Shutdown may meet
	listeners []net.Listener
}

// New builds a Server. Nothing listens before Serve.
func New(o Options) (*Server, error) {
	if o.Store == nil || o.Auth == nil {
		return nil, errors.New("server: a store and an authenticator are needed")
	}
	o = o.withDefaults()
	s := &Server{
		options: o, store: o.Store, auth: o.Auth, log: o.Log,
		ids:   uid.NewSource(o.Now, o.Rand),
		hosts: newHostSet(o.AllowedHosts), pageHosts: pageHostsOf(o), signing: o.Store.SigningKey(),
		uploads: newGate(maxUploads, maxUploadsOrg, errUploads),
		exports: newGate(maxExports, maxExportsOrg, errExports),
	}
	if o.Certificate != nil {
		s.tls = tlsConfig(o.Certificate)
	}
	var err error
	if s.docs, err = openapi.New(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if s.pages, err = s.newDashboard(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.exchanges.New = func() any { return &exchange{Server: s} }
	s.writers.New = func() any { return &jsonWriter{buf: make([]byte, 0, 4<<10)} }
	s.render = s.renderInvoice
	s.app = fiber.New(s.fiberConfig())
	table := append(routes(), s.pageRoutes()...)
	s.traffic = newTraffic(table)
	if err := s.mount(table); err != nil {
		return nil, err
	}
	s.router = s.app.Handler()
	s.tune(s.app.Server())
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.ReadTimeout = orDefault(o.ReadTimeout, 10*time.Second)
	o.WriteTimeout = orDefault(o.WriteTimeout, 15*time.Second)
	o.IdleTimeout = orDefault(o.IdleTimeout, 60*time.Second)
	o.TransferGrace = orDefault(o.TransferGrace, transferGrace)
	o.ExportStall = orDefault(o.ExportStall, 30*time.Second)
	if o.MaxConns <= 0 {
		o.MaxConns = min(maxConns, descriptors()/2)
	}
	if o.MaxExpiryDays <= 0 || o.MaxExpiryDays > maxExpiryDays {
		o.MaxExpiryDays = maxExpiryDays
	}
	return o
}

// descriptors is how many files and connections the process may have open.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// fiberConfig spells out every setting whose default is unsafe: strings that live
// in reused memory, paths in any case, no deadlines, proxy headers believed.
func (s *Server) fiberConfig() fiber.Config {
	return fiber.Config{
		Immutable: true, CaseSensitive: true, StrictRouting: true, UnescapePath: false,
		StreamRequestBody: true, BodyLimit: streamed, // maxBody is the business of takeBody
		ReadBufferSize: maxHeader,
		Concurrency:    2 * s.options.MaxConns, // listener refuses first, and in our words
		ReadTimeout:    s.options.ReadTimeout, WriteTimeout: s.options.WriteTimeout, IdleTimeout: s.options.IdleTimeout,
		EnableTrustedProxyCheck: true, EnableIPValidation: true,
		DisablePreParseMultipartForm: true, DisableStartupMessage: true,
		RequestMethods: methods,
		ErrorHandler:   func(c *fiber.Ctx, err error) error { return exchangeOf(c.Context()).fail(err) },
	}
}

func (s *Server) tune(f *fasthttp.Server) {
	f.Handler = s.receive
	f.ErrorHandler = s.refuseUnparsed
	f.ExpectHandler = s.expect
	f.SecureErrorLogMessage = true // keeps the request, with its token, out of error texts
}

// Serve answers on ln until Shutdown, then returns nil. It closes ln.
func (s *Server) Serve(ln net.Listener) error {
	s.mu.Lock()
	s.listeners = append(s.listeners, ln)
	draining := s.draining.Load()
	s.mu.Unlock()
	if draining {
		return ln.Close()
	}
	s.log.Info("serving", "address", ln.Addr().String(), "tls", s.tls != nil, "version", s.options.Version,
		"environment", string(s.options.Environment))
	if err := s.app.Server().Serve(s.bounded(ln)); err != nil {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown stops accepting, reports not ready, and waits until nothing is in
// flight, at most ten seconds or until ctx ends. What is busy then is left behind
// with its calls of the store cancelled, and Shutdown returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.end()
	s.mu.Lock()
	s.draining.Store(true)
	for _, ln := range s.listeners {
		_ = ln.Close() // closed twice at worst
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if err := s.app.Server().ShutdownWithContext(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}
