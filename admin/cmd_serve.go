package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"exante/admin/config"
	"exante/admin/demo"
	"exante/admin/systemd"
	"exante/storage"
)

func (s *shell) serveCommand() *cli.Command {
	flags := []cli.Flag{&cli.BoolFlag{Name: "demo", Usage: "serve made-up invoices from a temporary directory, and print a key", DisableDefaultText: true}}
	for _, row := range config.Settings() {
		f := &cli.StringFlag{Name: row.FlagName(), Usage: row.About(), DefaultText: row.Default()}
		if row.Key() == "server.listen" {
			f.Aliases = []string{"listen"}
		}
		flags = append(flags, f)
	}
	return s.command(spec{
		name: "serve", usage: "serve the API until SIGINT or SIGTERM",
		about: "Makes the store if there is none. Requests in flight are finished when it stops;\n" +
			"a second signal ends it at once. While nobody has a password it prints, on\n" +
			"standard error, a link with which the owner of the first organization chooses\n" +
			"his: once, within 15 minutes.",
		flags:    flags,
		examples: "exante serve --demo\nexante serve --data-dir /var/lib/exante --listen 127.0.0.1:9000",
		codes:    []int{exitInUse, exitDamaged},
		run:      func(ctx context.Context, c *cli.Context) error { return s.runServe(ctx, c.Bool("demo")) },
	})
}

func (s *shell) runServe(ctx context.Context, demonstrate bool) (err error) {
	in := ServeInput{Config: s.config.Config, Version: buildVersion().Version, shell: s, started: time.Now()}
	defer s.startLogs(&in)()
	if demonstrate {
		if s.config.Source("storage.dir") == "--data-dir" {
			return usagef("", "--demo keeps its store in a temporary directory: leave --data-dir out")
		}
		if in.demo, err = demo.New(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, in.demo.Remove()) }()
		in.Config.Storage.Dir, in.Config.Admin.Socket = in.demo.Dir, ""
		in.Config.Server.PublicURL = "" // where the real one is found
		in.Config.Audit.Copy = ""       // beside it, and gone with it
		in.Config.Storage.MinFree = 0   // and so no ballast
		in.Config.Backup.Every = 0      // or it would take the place of real ones
	}
	if err := enterDirectory(in.Config.Storage.Dir, in.Config.AuditCopy()); err != nil {
		return err
	}
	watch, err := in.watchCertificate()
	if err != nil {
		return err
	}
	if watch != nil {
		defer watch.Close()
	}
	defer context.AfterFunc(ctx, func() { in.notify(systemd.Stopping) })()
	if err = s.serve(ctx, in); errors.Is(err, storage.ErrInUse) {
		return fmt.Errorf("%w%s", err, lockHolder(in.Config.Storage.Dir))
	}
	return notOurs(err)
}

// Listen opens the port of the API.
func (in ServeInput) Listen() (net.Listener, error) {
	listener, err := listen("server.listen", in.Config.Server.Listen)
	if err != nil {
		return nil, err
	}
	if !isLocal(listener) && in.Certificate == nil && len(in.Config.Server.TrustedProxies) == 0 {
		in.Log.Warn("keys cross the network in clear: set server.tls_cert and server.tls_key, or put a proxy with TLS in front and name it in server.trusted_proxies", "listen", in.Config.Server.Listen)
	}
	return listener, nil
}

// ListenMetrics opens the port of the metrics; nil if they are off.
func (in ServeInput) ListenMetrics() (net.Listener, error) {
	if in.Config.Metrics.Listen == "" {
		return nil, nil
	}
	listener, err := listen("metrics.listen", in.Config.Metrics.Listen)
	if err != nil {
		return nil, err
	}
	if !isLocal(listener) {
		in.Log.Warn("whoever reaches the port of the metrics can read them: let only Prometheus through", "listen", in.Config.Metrics.Listen)
	}
	in.shell.tell("metrics on http://%s/metrics", listener.Addr())
	return listener, nil
}

// listen opens the port that a setting names.
func listen(setting, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: %w", address, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EACCES):
		return nil, &config.Error{Key: setting, Reason: err.Error() + "; a port below 1024 needs root or CAP_NET_BIND_SERVICE"}
	case err != nil:
		return nil, &config.Error{Key: setting, Reason: err.Error()}
	}
	if err := lengthenQueue(listener.(*net.TCPListener)); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", address, err), listener.Close())
	}
	return listener, nil
}

func isLocal(l net.Listener) bool { return l.Addr().(*net.TCPAddr).IP.IsLoopback() }

// Prepare fills the store of a demonstration. It does nothing for a real server.
func (in ServeInput) Prepare(ctx context.Context, store *storage.Store) error {
	if in.demo == nil {
		return nil
	}
	return in.demo.Fill(ctx, store)
}

// Announce tells the operator that requests are answered on addr, and how he gets in
// where nobody can sign in yet.
func (in ServeInput) Announce(ctx context.Context, store *storage.Store, addr net.Addr) error {
	in.shell.tell("listening on %s%s", in.scheme(), addr)
	in.notify(systemd.Ready)
	if err := in.welcome(ctx, store, addr); err != nil && ctx.Err() == nil {
		in.Log.Warn("no setup link could be made: make one with exante users password --link", "error", err)
	}
	if in.demo == nil {
		return nil
	}
	in.shell.tell("the demonstration's data is gone when you stop it; meanwhile: exante keys list --data-dir %s", in.demo.Dir)
	key, url := secret{in.demo.Key.Reveal()}, in.scheme()+reachable(addr)
	if in.shell.json {
		return in.shell.printJSON(struct {
			Key secret `json:"key"`
			URL string `json:"url"`
		}{key, url})
	}
	_, err := fmt.Fprintf(in.shell.stdout, "%s\ncurl -H \"Authorization: Bearer %[1]s\" %s/api/invoices\n", key.Reveal(), url)
	return err
}

// notify tells systemd, where it has started us, what we do. It does not hear us
// better if we stop over it.
func (in ServeInput) notify(state string) {
	if err := systemd.Notify(in.shell.environ, state); err != nil {
		in.Log.Warn("systemd does not know our state", "state", state, "error", err)
	}
}

func (in ServeInput) scheme() string {
	if in.Certificate != nil {
		return "https://"
	}
	return "http://"
}

// reachable is addr as a caller on this machine writes it.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}).String()
}
