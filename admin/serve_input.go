package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"exante/admin/certificate"
	"exante/admin/config"
	"exante/admin/demo"
	"exante/admin/logging"
	"exante/auth"
	"exante/storage"
)

// ServeFunc runs the server until ctx ends, then stops it in order.
type ServeFunc func(ctx context.Context, in ServeInput) error

// ServeInput is what the serve command hands to a ServeFunc.
type ServeInput struct {
	Config  config.Config
	Version string
	Log     *slog.Logger

	// Requests gets a line for each answer with at least the status RequestsFrom; nil: none.
	Requests     *slog.Logger
	RequestsFrom int
	// Dropped is how many lines of either log were lost because nobody took them.
	Dropped func() uint64

	// Certificate is what TLS asks for at each handshake, CertificateEnds when the one
	// in use expires. Both are nil without TLS.
	Certificate     func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	CertificateEnds func() time.Time

	started time.Time

	shell *shell
	demo  *demo.Store // nil: a real server
}

// startLogs gives in its logs, and lets the server go on when nobody reads standard
// error, or when who read it is gone: the signal that says so ends a process. The
// function that it returns writes what is left, if that is taken in a second.
func (s *shell) startLogs(in *ServeInput) (end func()) {
	signal.Ignore(syscall.SIGPIPE)
	format, stderr := in.Config.Log.Format, s.stderr
	out := logging.New(stderr, func(dropped uint64) {
		newLog(stderr, slog.LevelWarn, format).Warn("log lines were dropped: standard error did not take them in time", "lines", dropped)
	})
	s.stderr, in.Dropped = out, out.Dropped // what is told keeps its place among what is logged
	in.Log = newLog(out, in.Config.Log.Level, format)
	if in.Config.Log.Requests != "none" {
		in.Requests = newLog(out, slog.LevelInfo, format)
	}
	if in.Config.Log.Requests == "failures" {
		in.RequestsFrom = http.StatusBadRequest
	}
	return func() {
		defer signal.Reset(syscall.SIGPIPE)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = out.Close(ctx) // there is no place left to say so
		s.stderr = stderr
	}
}

// watchCertificate turns TLS on, if the configuration asks for it.
func (in *ServeInput) watchCertificate() (*certificate.Watch, error) {
	files := certificate.Files{Cert: in.Config.Server.TLSCert, Key: in.Config.Server.TLSKey}
	if files.Cert == "" {
		return nil, nil
	}
	watch, err := certificate.Open(files, in.Log)
	var bad *certificate.Error
	if errors.As(err, &bad) {
		key := "server.tls_cert"
		if bad.IsKey {
			key = "server.tls_key"
		}
		return nil, &config.Error{Key: key, Reason: bad.Error()}
	}
	if err != nil {
		return nil, err
	}
	in.Certificate, in.CertificateEnds = watch.Get, watch.NotAfter
	return watch, nil
}

// StoreOptions are how to open the store, which is made if there is none.
func (in ServeInput) StoreOptions(hasher *auth.Hasher) storage.Options {
	return storeOptions(&in.Config, hasher, true, in.Log)
}

// Running is the server as status tells of it.
func (in ServeInput) Running(front Front, authenticator *auth.Authenticator, listeners ...net.Listener) Running {
	r := Running{Front: front, Auth: authenticator, Version: in.Version, Started: in.started, Dropped: in.Dropped, Certificate: in.CertificateEnds}
	for _, l := range listeners {
		if l != nil {
			r.Listen = append(r.Listen, l.Addr())
		}
	}
	return r
}
