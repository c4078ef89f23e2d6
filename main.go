// Exante is accounts-receivable invoices behind API keys, in one binary. This
// file puts the parts together; README.md says what it is and where to look.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"exante/admin"
	"exante/admin/backups"
	"exante/admin/config"
	"exante/auth"
	"exante/server"
	"exante/server/metrics"
	"exante/storage"
)

func main() {
	if err := admin.Harden(); err != nil {
		fmt.Fprintln(os.Stderr, "exante:", err)
		os.Exit(1)
	}
	admin.LimitMemory()
	os.Exit(admin.Main(os.Args, os.Stdin, os.Stdout, os.Stderr, serve, server.Wire{}))
}

// serve opens all parts, serves until ctx ends or a part fails, and closes them
// in reverse: requests are drained first, the store is last.
func serve(ctx context.Context, in admin.ServeInput) (err error) {
	var open admin.Stack
	defer func() {
		err = errors.Join(err, open.Close(10*time.Second, 45*time.Second, func() {
			fmt.Fprintln(os.Stderr, "exante: stopping took too long: ended at once")
			os.Exit(1)
		}))
	}()
	store, authenticator, err := openStore(ctx, in, &open)
	if err != nil {
		return err
	}
	listener, err := in.Listen()
	if err != nil {
		return err
	}
	if err := in.Prepare(ctx, store); err != nil {
		return err
	}
	api, err := newServer(in, store, authenticator)
	if err != nil {
		return err
	}
	if err := observe(in, &open, store, authenticator, api, listener); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- api.Serve(listener); close(served) }()
	open.Opened(func(ctx context.Context) error { return errors.Join(api.Shutdown(ctx), <-served) })
	if err := in.Announce(ctx, store, listener.Addr()); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		in.Log.Info("stopping")
		return nil
	case err := <-served:
		return err
	case <-store.Failed():
		return store.Health()
	}
}

// observe starts the backups that nobody asks for, and lets operators in, on the
// admin socket, and Prometheus, if that is set.
func observe(in admin.ServeInput, open *admin.Stack, store *storage.Store, a *auth.Authenticator, api *server.Server, ln net.Listener) error {
	figures, err := in.ListenMetrics()
	if err != nil {
		return err
	}
	desk := admin.NewDesk(store, in.Config, server.Wire{}, nil).Flushing(a.Flush)
	schedule, err := desk.Schedule(in.Log)
	if err != nil {
		return err
	}
	open.Opened(schedule.Close)
	running := in.Running(api, a, ln, figures)
	running.Backups = schedule
	socket, err := desk.Listen(in.Log, running)
	if err != nil {
		return err
	}
	open.Opened(socket.Close)
	if figures == nil {
		return nil
	}
	exporter, err := metrics.Serve(figures, metrics.Sources{
		Store: store, Auth: a, Server: api, Version: in.Version, Environment: in.Config.Auth.Environment,
		Certificate: in.CertificateEnds, Dropped: in.Dropped, Backups: toMetrics(schedule), Log: in.Log,
	})
	if err != nil {
		return err
	}
	open.Opened(exporter.Close)
	return nil
}

// toMetrics is how backups go, as Prometheus is told; nil if none are scheduled.
func toMetrics(s *backups.Schedule) func() metrics.Backups {
	if s.Every() == 0 {
		return nil
	}
	return func() metrics.Backups {
		l := s.Last()
		return metrics.Backups{ProvenAt: l.ProvenAt, Bytes: l.Size, Failures: l.Failures}
	}
}

// openStore opens what keys are judged by, and what remembers them, with all in it
// that the configuration declares.
func openStore(ctx context.Context, in admin.ServeInput, open *admin.Stack) (*storage.Store, *auth.Authenticator, error) {
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: in.Config.Argon2()})
	if err != nil {
		return nil, nil, err
	}
	store, err := storage.Open(in.StoreOptions(hasher))
	if err != nil {
		return nil, nil, err
	}
	open.Opened(func(context.Context) error { return store.Close() })
	if err := in.Bootstrap(ctx, store); err != nil {
		return nil, nil, err
	}
	authenticator, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: in.Config.Auth.Environment, Keyring: store.Keyring(), Hasher: hasher, Ledger: store,
		Limits: in.Config.RateLimit.Windows, Failures: in.Config.RateLimit.Failures, Log: in.Log,
	})
	if err != nil {
		return nil, nil, err
	}
	open.Opened(authenticator.Close)
	return store, authenticator, nil
}

func newServer(in admin.ServeInput, store *storage.Store, authenticator *auth.Authenticator) (*server.Server, error) {
	c := in.Config
	standard, most := c.Expiry()
	return server.New(server.Options{
		Store: store, Auth: authenticator, Version: in.Version, Environment: c.Auth.Environment,
		Certificate: in.Certificate, PublicURL: c.Server.PublicURL, TrustedProxies: c.Server.TrustedProxies, AllowedHosts: c.Server.AllowedHosts, MaxConnsPerIP: c.Server.MaxConnsPerIP,
		Dashboard:         pages(c),
		DefaultExpiryDays: standard, MaxExpiryDays: most, Log: in.Log, RequestLog: in.Requests, RequestLogFrom: in.RequestsFrom,
	})
}

// pages are the settings of the dashboard; nil if there is to be none.
func pages(c config.Config) *server.DashboardOptions {
	if !c.Dashboard.Enabled {
		return nil
	}
	return &server.DashboardOptions{SessionIdle: c.Dashboard.SessionIdle, SessionMax: c.Dashboard.SessionMax}
}
