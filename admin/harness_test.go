package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/admin"
	"exante/admin/config"
	"exante/auth"
	"exante/server"
	"exante/storage"
)

// asProgram in the environment makes the test binary run as exante, for what a
// test can't do to its own process.
const asProgram = "DESK_TEST_AS_PROGRAM"

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if err := admin.Harden(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(admin.Main(os.Args, os.Stdin, os.Stdout, os.Stderr, serveDesk, server.Wire{}))
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "EXANTE_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("EXANTE_AUTH_ARGON2_MEMORY", "8192")
	os.Setenv("EXANTE_AUTH_ARGON2_ITERATIONS", "1")
	os.Exit(m.Run())
}

// serveDesk is serve without HTTP: the store, the port and the socket.
func serveDesk(ctx context.Context, in admin.ServeInput) error {
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: in.Config.Argon2()})
	if err != nil {
		return err
	}
	store, err := storage.Open(in.StoreOptions(hasher))
	if err != nil {
		return err
	}
	defer store.Close()
	if err := in.Bootstrap(ctx, store); err != nil {
		return err
	}
	listener, err := in.Listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := in.Prepare(ctx, store); err != nil {
		return err
	}
	authenticator, front, err := frontOf(store, in.Config)
	if err != nil {
		return err
	}
	defer authenticator.Close(context.Background())
	socket, err := admin.NewDesk(store, in.Config, server.Wire{}, nil).Listen(in.Log, in.Running(front, authenticator, listener))
	if err != nil {
		return err
	}
	if err := in.Announce(ctx, store, listener.Addr()); err != nil {
		return err
	}
	<-ctx.Done()
	return socket.Close(context.Background())
}

// frontOf is what stands in front of a store, with nobody calling.
func frontOf(store *storage.Store, c config.Config) (*auth.Authenticator, *server.Server, error) {
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	if err != nil {
		return nil, nil, err
	}
	a, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: c.Auth.Environment, Keyring: store.Keyring(), Hasher: hasher, Ledger: store, Limits: c.RateLimit.Windows,
	})
	if err != nil {
		return nil, nil, err
	}
	front, err := server.New(server.Options{Store: store, Auth: a, Environment: c.Auth.Environment})
	return a, front, err
}

// result is what one command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// exante runs one command in this process.
func exante(t testing.TB, args ...string) result { return exanteGiven(t, "", args...) }

// exanteGiven is exante with that on its standard input.
func exanteGiven(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := admin.Main(append([]string{"exante"}, args...), strings.NewReader(stdin), &stdout, &stderr, serveDesk, server.Wire{})
	return result{stdout.String(), stderr.String(), code}
}

// must is exante for what has to succeed; it returns standard output.
func must(t testing.TB, args ...string) string {
	t.Helper()
	r := exante(t, args...)
	if r.code != 0 {
		t.Fatalf("exante %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// fails checks exit code and message of what must not succeed.
func fails(t testing.TB, code int, message string, args ...string) {
	t.Helper()
	r := exante(t, args...)
	if r.code != code || !strings.Contains(r.stderr, message) || r.stdout != "" {
		t.Errorf("exante %s = exit %d, stdout %q, stderr %q, want exit %d and %q",
			strings.Join(args, " "), r.code, r.stdout, r.stderr, code, message)
	}
}

func decode[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// dataDir is a data directory that does not exist yet, with a path short
// enough for a socket in it.
func dataDir(t testing.TB) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "desk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	return filepath.Join(parent, "data")
}

func configOf(t testing.TB, dir string) config.Config {
	t.Helper()
	e, err := config.Load(config.Sources{Environ: os.Environ(), DataDir: &dir})
	if err != nil {
		t.Fatal(err)
	}
	return e.Config
}

// openStore opens the store in dir, making it if need be.
func openStore(t testing.TB, dir string) *storage.Store {
	t.Helper()
	c := configOf(t, dir)
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(storage.Options{Dir: dir, Create: true, Hasher: hasher, Environment: c.Auth.Environment, AuditCopy: c.AuditCopy()})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// running is a server on dir, as far as operators see it.
type running struct {
	store *storage.Store
	auth  *auth.Authenticator
	front *server.Server
	stop  func()
}

// run starts a server on dir; it stops at the end of the test, or by stop.
func run(t testing.TB, dir string) *running {
	t.Helper()
	r := &running{store: openStore(t, dir)}
	var err error
	if r.auth, r.front, err = frontOf(r.store, configOf(t, dir)); err != nil {
		t.Fatal(err)
	}
	socket, err := admin.NewDesk(r.store, configOf(t, dir), server.Wire{}, nil).Listen(slog.New(slog.DiscardHandler), admin.Running{
		Front: r.front, Auth: r.auth, Version: "v1.2.3", Started: time.Now(), Listen: []net.Addr{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		if err := socket.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := r.auth.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := r.store.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// normal replaces what differs from run to run: uids by the order in which they
// appear, times, secrets, and the data directory.
type normal struct {
	dir  string
	uids map[string]string
}

var (
	anyUID     = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	anyTime    = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z`)
	anyKey     = regexp.MustCompile(`ex_live_[0-9A-Za-z]{38}`)
	anyCount   = regexp.MustCompile(`\d+ records`)
	cutOwner   = regexp.MustCompile(`owner@[0-9a-f-]+…`)
	anyEnd     = regexp.MustCompile(`(?m)(AT .*|^\d+ +20.* )[0-9a-f]{7}$`)
	anyLocal   = regexp.MustCompile(`uid \d+ *`)
	anyTag     = regexp.MustCompile(`"tag":"[0-9a-f]{16}"`)
	anyLink    = regexp.MustCompile(`ex_setup_[0-9A-Za-z_-]{107}`)
	anySnippet = regexp.MustCompile(`ex_live_\.\.\.[0-9A-Za-z]{4}`)
)

func (n *normal) text(s string) string {
	if n.uids == nil {
		n.uids = map[string]string{}
	}
	s = anyUID.ReplaceAllStringFunc(s, func(uid string) string {
		if n.uids[uid] == "" {
			n.uids[uid] = fmt.Sprintf("00000000-0000-7000-8000-%012d", len(n.uids)+1)
		}
		return n.uids[uid]
	})
	s = anyTime.ReplaceAllString(s, "2026-11-23T09:30:00Z")
	s = anyLocal.ReplaceAllString(anyEnd.ReplaceAllString(s, "${1}f6d3a01"), "uid 1000      ")
	s = anyKey.ReplaceAllString(s, "ex_live_THE-SECRET")
	s = anyLink.ReplaceAllString(s, "ex_setup_THE-SECRET")
	s = anyTag.ReplaceAllString(s, `"tag":"0123456789abcdef"`)
	s = anySnippet.ReplaceAllString(s, "ex_live_...9AbC")
	s = cutOwner.ReplaceAllString(s, "owner@00000000-…")
	s = anyCount.ReplaceAllString(s, "N records")
	if n.dir == "" {
		return s
	}
	return strings.ReplaceAll(s, n.dir, "DIR")
}

// golden compares got with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs. got:\n%s\nwant:\n%s", path, got, want)
	}
}
