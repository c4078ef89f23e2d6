package admin_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/admin"
)

var (
	anySize     = regexp.MustCompile(`\d+(\.\d)? ([KMGT]i)?B\b`)
	anyRunning  = regexp.MustCompile(`\d+ s, since (\S+), process \d+`)
	anySequence = regexp.MustCompile(`sequence     \d+,`)
	anyRuns     = regexp.MustCompile(`\d+ runs; now 0 of \d+ slots`)
)

func TestStatusOfARunningServer(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	r := run(t, dir)
	must(t, "keys", "create", "--name", "soon", "--expires-in-days", "5", "--data-dir", dir)
	must(t, "keys", "create", "--name", "later", "--expires-in-days", "20", "--data-dir", dir)
	must(t, "keys", "revoke", keyNamed(t, dir, "later").UID, "--yes", "--data-dir", dir)
	text := must(t, "status", "--data-dir", dir)
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	text = anySize.ReplaceAllString(text, "N MiB")
	text = anyRunning.ReplaceAllString(text, "N s, since $1, process N")
	text = anyRuns.ReplaceAllString(text, "N runs; now 0 of N slots")
	text = anySequence.ReplaceAllString(text, "sequence     N,") // depends on which writes met in one commit
	golden(t, "status", (&normal{dir: dir}).text(text))

	s := decode[admin.Status](t, must(t, "status", "--json", "--data-dir", dir))
	f, err := r.store.Figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !s.Healthy || s.State != "ready" || s.Version != "v1.2.3" || s.Environment != "live" || s.TLS || s.CertificateTo != nil {
		t.Errorf("status = %+v", s)
	}
	if s.Data.Sequence != f.Seq || s.Data.AuditRecords != f.Audit || s.Data.Users != 1 || s.Data.Bytes < s.Data.TableBytes+s.Data.LogBytes || s.Data.FreeBytes == 0 {
		t.Errorf("data = %+v, the store says %+v", s.Data, f)
	}
	if s.Keys != (admin.KeyStatus{Active: 1, Revoked: 1, ExpiringIn7Days: 1, ExpiringIn30Days: 1}) {
		t.Errorf("keys = %+v", s.Keys)
	}
	if s.RSSBytes == 0 || s.HeapBytes == 0 || s.Argon2.Slots == 0 || s.Argon2.Queue == 0 {
		t.Errorf("status = %+v", s)
	}
}

// What needs a hand is said first.
func TestStatusSaysWhatNeedsAttention(t *testing.T) {
	dir := dataDir(t)
	store := openStore(t, dir)
	defer store.Close()
	authenticator, front, err := frontOf(store, configOf(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer authenticator.Close(context.Background())
	ends := time.Now().Add(13*24*time.Hour + time.Minute)
	socket, err := admin.NewDesk(store, configOf(t, dir), nil, nil).Listen(slog.New(slog.DiscardHandler), admin.Running{
		Front: front, Auth: authenticator, Started: time.Now(),
		Certificate: func() time.Time { return ends }, Dropped: func() uint64 { return 7 },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close(context.Background())
	want := "attention:\n  the TLS certificate expires in 13 d 0 h\n  lines of the log that were lost because nobody took them: 7\n"
	if got := must(t, "status", "--data-dir", dir); !strings.HasPrefix(got, want) || !strings.Contains(got, "TLS         on, certificate until 20") {
		t.Errorf("status = %s", got)
	}
	ends = time.Now().Add(-time.Second)
	if got := must(t, "status", "--data-dir", dir); !strings.HasPrefix(got, "attention:\n  the TLS certificate has expired: clients refuse it\n") {
		t.Errorf("status = %s", got)
	}
	if err := front.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := must(t, "status", "--data-dir", dir); !strings.HasPrefix(got, "attention:\n  the server is draining\n") {
		t.Errorf("status = %s", got)
	}
}

func TestHealthcheckTellsReadyFromNotReadyFromAbsent(t *testing.T) {
	dir := dataDir(t)
	for _, command := range []string{"status", "healthcheck"} { // no store, then one without a server
		fails(t, 6, "no server runs here: nobody listens on "+filepath.Join(dir, "admin.sock"), command, "--data-dir", dir)
	}
	must(t, "init", "--data-dir", dir)
	for _, command := range []string{"status", "healthcheck"} {
		fails(t, 6, "no server runs here: nobody listens on", command, "--data-dir", dir)
	}
	r := run(t, dir)
	if got := must(t, "healthcheck", "--data-dir", dir); got != "ready\n" {
		t.Errorf("healthcheck = %q", got)
	}
	if h := decode[admin.Health](t, must(t, "healthcheck", "--json", "--data-dir", dir)); !reflect.DeepEqual(h, admin.Health{Healthy: true, State: "ready", Degraded: []string{}}) {
		t.Errorf("healthcheck = %+v", h)
	}
	if err := r.front.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	fails(t, 1, "exante: the server is not healthy: the server is draining\n", "healthcheck", "--data-dir", dir)
	if got := exante(t, "healthcheck", "--json", "--data-dir", dir); got.code != 1 ||
		!reflect.DeepEqual(decode[admin.Health](t, got.stdout), admin.Health{State: "draining", Reason: "the server is draining", Degraded: []string{}}) {
		t.Errorf("healthcheck --json = %+v", got)
	}
}

// A server that accepts and says nothing, for it hangs or is stopped, is not waited
// for longer than a few seconds.
func TestHealthcheckOfAMuteServerEndsSoon(t *testing.T) {
	t.Setenv("EXANTE_ADMIN_SOCKET", fakeServer(t, ""))
	began := time.Now()
	fails(t, 6, "the server does not answer", "healthcheck", "--data-dir", dataDir(t))
	if d := time.Since(began); d > 6*time.Second {
		t.Errorf("it took %v", d)
	}
	t.Setenv("EXANTE_ADMIN_SOCKET", fakeServer(t, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"progress\":"))
	fails(t, 6, "the server does not answer", "healthcheck", "--data-dir", dataDir(t))
}

// The counters of the front are those of the requests that it had.
func TestStatusCountsRequests(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	r := run(t, dir)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.front.Serve(ln) }()
	for path, n := range map[string]int{"/livez": 3, "/api/invoices": 2} {
		for range n {
			resp, err := http.Get("http://" + ln.Addr().String() + path)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is kept
			resp.Body.Close()
		}
	}
	s := decode[admin.Status](t, must(t, "status", "--json", "--data-dir", dir))
	if s.Requests["2xx"] != 3 || s.Requests["4xx"] != 2 || s.Refusals["missing"] != 2 || s.Conns == 0 || s.InFlight != 0 {
		t.Errorf("status = %+v", s)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := r.front.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
