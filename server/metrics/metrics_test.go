package metrics_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"exante/auth"
	"exante/server"
	"exante/server/metrics"
	"exante/storage"
	"exante/storage/storagetest"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// world is a server with its metrics, each on a real port.
type world struct {
	*testing.T
	store   *storage.Store
	by      auth.Principal
	api     string // address
	metrics string
	dropped atomic.Uint64
	backups atomic.Pointer[metrics.Backups]
	client  *http.Client
}

func start(t *testing.T) *world {
	w := &world{T: t, client: &http.Client{Timeout: 10 * time.Second}}
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 8 << 10, Iterations: 2, Parallelism: 1}, Slots: 1, Queue: 3, MaxWait: time.Minute})
	w.must(err)
	w.store, _ = storagetest.Open(t, func(o *storage.Options) { o.Hasher, o.Now = hasher, nil })
	failures, err := auth.ParseLimits("5/1h")
	w.must(err)
	limits, err := auth.ParseLimits("1000000/1m")
	w.must(err)
	a, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: w.store.Keyring(), Hasher: hasher, Ledger: w.store, Limits: limits, Failures: failures,
	})
	w.must(err)
	s, err := server.New(server.Options{Store: w.store, Auth: a, Environment: auth.Live, MaxConnsPerIP: 20})
	w.must(err)
	_, w.by = storagetest.Org(t, w.store, "Acme")
	ln := w.listen()
	w.api = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		w.must(s.Shutdown(context.Background()))
		w.must(<-served)
		w.must(a.Close(context.Background()))
	})
	w.backups.Store(&metrics.Backups{})
	w.expose(metrics.Sources{
		Store: w.store, Auth: a, Server: s, Version: "v1.2.3", Environment: auth.Live,
		Certificate: func() time.Time { return storagetest.Begin }, Dropped: w.dropped.Load,
		Backups: func() metrics.Backups { return *w.backups.Load() },
	})
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) listen() net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	return ln
}

// expose serves the metrics until the test ends.
func (w *world) expose(s metrics.Sources) {
	ln := w.listen()
	w.metrics = ln.Addr().String()
	e, err := metrics.Serve(ln, s)
	w.must(err)
	w.Cleanup(func() {
		w.client.CloseIdleConnections()
		w.must(e.Close(context.Background()))
	})
}

func (w *world) key(d storage.KeyDraft) string {
	w.Helper()
	d.Name = "key"
	if d.Scopes == 0 {
		d.Scopes = auth.FullAccess
	}
	_, token, err := w.store.CreateKey(context.Background(), w.by, d)
	w.must(err)
	return token.Reveal()
}

func (w *world) ask(method, path, key, body string) (status int, answer string) {
	w.Helper()
	req, err := http.NewRequest(method, "http://"+w.api+path, strings.NewReader(body))
	w.must(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := w.client.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return resp.StatusCode, string(text)
}

// scrape is what Prometheus would read.
func (w *world) scrape() string {
	w.Helper()
	resp, err := w.client.Get("http://" + w.metrics + "/metrics")
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	if resp.StatusCode != http.StatusOK {
		w.Fatalf("scrape: %d %s", resp.StatusCode, text)
	}
	return string(text)
}

var (
	typeLine = regexp.MustCompile(`(?m)^# TYPE (exante_\S+) (\S+)$`)
	series   = regexp.MustCompile(`(?m)^(exante_[a-z0-9_]+)(\{[^}]*\})? (\S+)$`)
)

// values is each of our series with its value.
func (w *world) values() map[string]float64 {
	w.Helper()
	all := map[string]float64{}
	for _, m := range series.FindAllStringSubmatch(w.scrape(), -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		w.must(err)
		all[m[1]+m[2]] = v
	}
	return all
}

func TestNamesAndTypesAreGolden(t *testing.T) {
	text := start(t).scrape()
	var got []string
	for _, m := range typeLine.FindAllStringSubmatch(text, -1) {
		got = append(got, m[1]+" "+m[2]+"\n")
	}
	slices.Sort(got)
	const path = "testdata/metrics.golden"
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(got, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, "") != string(want) {
		t.Errorf("metrics are\n%swant\n%s", strings.Join(got, ""), want)
	}
	if !strings.Contains(text, "\ngo_goroutines ") || !strings.Contains(text, "\nprocess_resident_memory_bytes ") {
		t.Error("the figures of Go and of the process are missing")
	}
	problems, err := promlint.New(bytes.NewBufferString(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "exante_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// What callers send can't make there be more series: not by paths, methods,
// hosts, keys or headers.
func TestSeriesAreBoundedByTheRouteTable(t *testing.T) {
	w := start(t)
	key := w.key(storage.KeyDraft{})
	w.ask("GET", "/api/invoices", key, "")
	before := w.values()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		path := fmt.Sprintf("/%x/%x?%x=%x", random.Uint64(), random.Uint64(), random.Uint32(), random.Uint32())
		switch i % 4 {
		case 1:
			path = "/api" + path
		case 2:
			path = fmt.Sprintf("/api/invoices/%x", random.Uint64())
		}
		if status, _ := w.ask([]string{"GET", "POST", "DELETE", "BREW"}[random.IntN(4)], path, key, ""); status < 400 || status >= 500 {
			t.Fatalf("%s: %d", path, status)
		}
	}
	after := w.values()
	for name := range after {
		if _, was := before[name]; !was {
			t.Errorf("a new series: %s", name)
		}
	}
	none := `exante_http_requests_total{method="none",route="none",status="4xx"}`
	if n := after[none] - before[none]; n < 500 {
		t.Errorf("%v requests without a route were counted", n)
	}
}

func TestCountsAreExact(t *testing.T) {
	w := start(t)
	key := w.key(storage.KeyDraft{})
	before := w.values()
	for range 7 {
		w.ask("GET", "/api/parties", key, "")
	}
	w.ask("HEAD", "/api/parties", key, "")
	w.ask("POST", "/api/parties", key, `{"name":"Globex"}`)
	w.ask("POST", "/api/parties", key, `{}`)
	w.ask("GET", "/api/parties/0190b7a0-0000-7000-8000-000000000001", key, "")
	after := w.values()
	for name, want := range map[string]float64{
		`exante_http_requests_total{method="GET",route="/api/parties",status="2xx"}`:      8,
		`exante_http_requests_total{method="POST",route="/api/parties",status="2xx"}`:     1,
		`exante_http_requests_total{method="POST",route="/api/parties",status="4xx"}`:     1,
		`exante_http_requests_total{method="GET",route="/api/parties/:uid",status="4xx"}`: 1,
		`exante_http_request_duration_seconds_count{method="POST",route="/api/parties"}`:  2,
		`exante_auth_verified_lookups_total{result="miss"}`:                               1,
		`exante_auth_verified_lookups_total{result="hit"}`:                                10,
		`exante_http_requests_in_flight`:                                                  0,
	} {
		if got := after[name] - before[name]; got != want {
			t.Errorf("%s moved by %v, want %v", name, got, want)
		}
	}
}

// constants say what was configured or is so for as long as all is well. What
// moves store_healthy ends the process; what moves degraded has a test of its own.
var constants = []string{
	"exante_build_info", "exante_argon2_slots", "exante_argon2_queue_capacity",
	"exante_store_healthy", "exante_degraded", "exante_disk_min_free_bytes",
	"exante_tls_certificate_expiry_timestamp_seconds",
}

// A metric that can't move is a lie. Under a load of every kind each takes at
// least two values.
func TestEveryMetricMoves(t *testing.T) {
	w := start(t)
	seen := map[string]map[float64]bool{}
	look := func() (still []string) {
		sums := map[string]float64{}
		for _, m := range typeLine.FindAllStringSubmatch(w.scrape(), -1) {
			sums[m[1]] = 0
		}
		for name, v := range w.values() {
			name, _, _ = strings.Cut(name, "{")
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, suffix)
			}
			sums[name] += v
		}
		for name, v := range sums {
			if seen[name] == nil {
				seen[name] = map[float64]bool{}
			}
			if seen[name][v] = true; len(seen[name]) == 1 && !slices.Contains(constants, name) {
				still = append(still, name)
			}
		}
		return still
	}
	look()
	w.dropped.Store(3)
	w.backups.Store(&metrics.Backups{ProvenAt: time.Now(), Bytes: 4711, Failures: 2})
	expires := time.Now().Add(time.Hour)
	storagetest.Org(t, w.store, "Rival")
	key := w.key(storage.KeyDraft{ExpiresAt: expires})
	stop := make(chan struct{})
	var loads sync.WaitGroup
	defer loads.Wait()
	defer close(stop)
	loads.Go(func() { w.load(key, stop) })
	loads.Go(func() { w.verify(stop) })
	deadline := time.Now().Add(30 * time.Second)
	for still := look(); len(still) > 0; still = look() {
		if time.Now().After(deadline) {
			t.Fatalf("these never moved: %v", still)
		}
	}
}

// load does all that moves a metric, until stop.
func (w *world) load(key string, stop <-chan struct{}) {
	var party string
	if _, answer := w.ask("POST", "/api/parties", key, `{"name":"Globex"}`); len(answer) > 0 {
		party = regexp.MustCompile(`"uid":"([^"]+)"`).FindStringSubmatch(answer)[1]
	}
	for {
		select {
		case <-stop:
			return
		default:
		}
		_, answer := w.ask("POST", "/api/invoices", key, fmt.Sprintf(`{"target_party_uid":%q}`, party))
		if m := regexp.MustCompile(`"uid":"([^"]+)"`).FindStringSubmatch(answer); m != nil {
			w.ask("GET", "/api/invoices/"+m[1], key, "")
			w.ask("GET", "/api/invoices/"+m[1], key, "")
		}
		w.ask("GET", "/api/invoices", "", "") // refused
		w.coldKeys(3)
		w.crowd(30)
	}
}

// verify reads the store in one snapshot, over and over.
func (w *world) verify(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if r, err := w.store.Verify(context.Background(), nil); err != nil || len(r.Findings) > 0 {
			w.Error(r.Findings, err)
		}
	}
}

// coldKeys has several keys verified for the first time at once.
func (w *world) coldKeys(n int) {
	var tokens []string
	for range n {
		tokens = append(tokens, w.key(storage.KeyDraft{}))
	}
	done := make(chan struct{})
	for _, token := range tokens {
		go func() {
			defer func() { done <- struct{}{} }()
			req, _ := http.NewRequest("GET", "http://"+w.api+"/api/parties", nil)
			req.Header.Set("Authorization", "Bearer "+token)
			if resp, err := w.client.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
	for range tokens {
		<-done
	}
}

// crowd opens more connections than one address may have, and it is not ours.
func (w *world) crowd(n int) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for range n {
		if c, err := dialer.Dial("tcp", w.api); err == nil {
			defer c.Close()
		}
	}
}

// Nothing but /metrics is there, and no more scrapes run at once than may.
func TestOnlyMetricsAreServed(t *testing.T) {
	w := start(t)
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/api/invoices", 404}, {"POST", "/metrics", 405}, {"HEAD", "/metrics", 200}} {
		req, err := http.NewRequest(c.method, "http://"+w.metrics+c.path, nil)
		w.must(err)
		resp, err := w.client.Do(req)
		w.must(err)
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s %s = %d, want %d", c.method, c.path, resp.StatusCode, c.want)
		}
	}
}

// A store that can't be read leaves out its figures, says so in the log, and all
// else is told.
func TestAClosedStoreLeavesOutItsFiguresOnly(t *testing.T) {
	store, _ := storagetest.Open(t, nil)
	limits, err := auth.ParseLimits("10/1m")
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.NewAuthenticator(auth.AuthenticatorOptions{Environment: auth.Live, Keyring: store.Keyring(), Hasher: storagetest.Hasher(t), Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Options{Store: store, Auth: a, Environment: auth.Live})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	w := &world{T: t, client: &http.Client{Timeout: 10 * time.Second}}
	w.expose(metrics.Sources{Store: store, Auth: a, Server: s, Log: slog.New(slog.NewTextHandler(lines(told), nil))})
	<-told // that it serves
	text := w.scrape()
	if strings.Contains(text, "exante_store_sequence") || !strings.Contains(text, "exante_argon2_slots ") {
		t.Errorf("scrape = %s", text)
	}
	if line := <-told; !strings.Contains(line, "store is closed") {
		t.Errorf("log = %s", line)
	}
}

// lines hands on what is logged.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
