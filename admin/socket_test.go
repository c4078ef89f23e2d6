package admin_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"exante/admin"
	"exante/auth"
	"exante/server"
	"exante/storage"
)

// A key that the shell revokes on a running server is dead in the same
// moment: the live record is the one that requests are judged by.
func TestRevocationOverTheSocketIsSeenAtOnce(t *testing.T) {
	dir := dataDir(t)
	server := run(t, dir)
	authenticator, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: server.store.Keyring(), Hasher: cheapHasher(t),
		Limits: auth.Limits{{Limit: 1e6, Every: time.Minute}}, Failures: auth.Limits{{Limit: 1e6, Every: time.Minute}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer authenticator.Close(t.Context())
	for range 5 {
		key := decode[admin.NewKey](t, must(t, "keys", "create", "--name", "k", "--json", "--data-dir", dir))
		request := auth.Request{Token: []byte(key.Key.Reveal()), Scope: auth.InvoicesRead}
		if _, err := authenticator.Admit(t.Context(), request); err != nil {
			t.Fatalf("a new key is refused: %v", err)
		}
		must(t, "keys", "revoke", key.UID, "--yes", "--data-dir", dir)
		if _, err := authenticator.Admit(t.Context(), request); err != auth.ErrRevoked {
			t.Fatalf("after the revocation Admit = %v, want ErrRevoked", err)
		}
	}
}

func cheapHasher(t *testing.T) *auth.Hasher {
	t.Helper()
	h, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 8192, Iterations: 1, Parallelism: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSocketIsForItsOwnerAlone(t *testing.T) {
	dir := dataDir(t)
	server := run(t, dir)
	info, err := os.Stat(filepath.Join(dir, "admin.sock"))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("socket has mode %v, %v, want 0600", info.Mode(), err)
	}
	if info, err = os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory has mode %v, %v, want 0700", info.Mode(), err)
	}
	server.stop()
	if _, err := os.Stat(filepath.Join(dir, "admin.sock")); !os.IsNotExist(err) {
		t.Errorf("after a clean stop the socket is still there: %v", err)
	}
}

// Somebody who gets at the socket all the same is refused by what the kernel
// says of him, whatever the file's mode.
func TestForeignUserIsRefusedOnTheSocket(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can act as another user")
	}
	dir, open := dataDir(t), openDir(t)
	socket := filepath.Join(open, "s")
	t.Setenv("EXANTE_ADMIN_SOCKET", socket)
	var log lockedBuffer
	store := openStore(t, dir)
	defer store.Close()
	desk, err := admin.NewDesk(store, configOf(t, dir), server.Wire{}, nil).Listen(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	copyProgram(t, open)
	if out, code := knock(open); code != 1 || !strings.Contains(out, "this Unix user may not operate the server") {
		t.Errorf("exit %d, printed %s", code, out)
	}
	if !strings.Contains(log.String(), "uid=65534") {
		t.Errorf("the refusal is not in the log: %s", log.String())
	}
	wantRefusals(t, store, "1")
	knock(open) // within the minute: counted, and written at the end
	knock(open)
	wantRefusals(t, store, "1")
	if err := desk.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wantRefusals(t, store, "1", "2")
}

// knock is a command of nobody, with the program that is in dir. It returns what was printed and the exit code.
func knock(dir string) (string, int) {
	cmd := program("keys", "list", "--data-dir", filepath.Join(dir, "none"))
	cmd.Path, cmd.Dir = filepath.Join(dir, "program"), dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// wantRefusals checks the records of nobody's refusals in the audit log, each by how many it counts.
func wantRefusals(t *testing.T, store *storage.Store, calls ...string) {
	t.Helper()
	all, err := store.Audit(t.Context(), storage.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		if e.Action == "socket.refuse" && e.Actor.Kind == storage.ByShell && e.Actor.LocalUID == nobody {
			got = append(got, e.Detail["calls"])
		}
	}
	if !slices.Equal(got, calls) {
		t.Errorf("the audit log has refusals of %q calls, want %q", got, calls)
	}
}

// openDir is a directory that every user can enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "desk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStaleSocketIsReplaced(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	stale := filepath.Join(dir, "admin.sock")
	leaveSocket(t, stale)
	if got := must(t, "keys", "list", "--json", "--data-dir", dir); got != "[]\n" {
		t.Errorf("with a stale socket: %s", got)
	}
	run(t, dir)
	if got := must(t, "keys", "list", "--json", "--data-dir", dir); got != "[]\n" {
		t.Errorf("with a server after a stale socket: %s", got)
	}
}

// leaveSocket makes a socket file with nobody behind it, as kill -9 does.
func leaveSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

// listenError opens a desk whose socket can't be, and returns the message.
func listenError(t *testing.T, socket string) string {
	t.Helper()
	dir := dataDir(t)
	t.Setenv("EXANTE_ADMIN_SOCKET", socket)
	store := openStore(t, dir)
	defer store.Close()
	desk, err := admin.NewDesk(store, configOf(t, dir), server.Wire{}, nil).Listen(slog.New(slog.DiscardHandler))
	if err == nil {
		desk.Close(t.Context())
		t.Fatalf("Listen on %s succeeded", socket)
	}
	var told bytes.Buffer
	admin.Report(&told, err)
	return told.String()
}

func TestSocketNeverReplacesWhatIsNotItsOwn(t *testing.T) {
	dir := openDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := listenError(t, file); !strings.Contains(got, file+" is not a socket") {
		t.Errorf("message = %s", got)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	live := filepath.Join(dir, "live")
	l, err := net.Listen("unix", live)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := listenError(t, live); !strings.Contains(got, "another server answers on "+live) {
		t.Errorf("message = %s", got)
	}
}

// A data directory too deep for a socket is named when the server starts; a
// command without a server needs none, and a shorter socket helps both.
func TestDeepDataDirectory(t *testing.T) {
	dir := filepath.Join(dataDir(t), strings.Repeat("deep/", 20), "data")
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, "init", "--data-dir", dir)
	if got := must(t, "keys", "list", "--json", "--data-dir", dir); got != "[]\n" {
		t.Errorf("offline: %s", got)
	}
	store := openStore(t, dir)
	_, err := admin.NewDesk(store, configOf(t, dir), server.Wire{}, nil).Listen(slog.New(slog.DiscardHandler))
	var told bytes.Buffer
	if code := admin.Report(&told, err); code != 2 || !strings.Contains(told.String(), "107 are possible") || !strings.Contains(told.String(), "[admin] socket") {
		t.Errorf("exit %d, %s", code, told.String())
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EXANTE_ADMIN_SOCKET", filepath.Join(openDir(t), "s"))
	run(t, dir)
	if got := must(t, "keys", "list", "--json", "--data-dir", dir); got != "[]\n" {
		t.Errorf("over a socket elsewhere: %s", got)
	}
}

func TestClosedSocketLeavesNothingRunning(t *testing.T) {
	dir := dataDir(t)
	store := openStore(t, dir)
	defer store.Close()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	desk, err := admin.NewDesk(store, configOf(t, dir), server.Wire{}, nil).Listen(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	must(t, "orgs", "list", "--data-dir", dir)
	must(t, "verify", "--data-dir", dir)
	idle, err := net.Dial("unix", filepath.Join(dir, "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := desk.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
