// Package metrics shows a server's figures to Prometheus, on a port of its own.
//
// Nothing is counted here: the parts keep their own counters, which cost a request
// a few atomic additions, and each scrape reads them. Labels are route templates
// and words of ours, never an id, an address or a path, so that no caller can make
// there be more series than the tables have rows.
//
// To add a metric: a row in one of the files that are named after its subject. A
// test compares the names and types with testdata/metrics.golden, and another wants
// to see each of them move.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"exante/auth"
	"exante/server"
	"exante/storage"
)

// Sources are where the figures come from.
type Sources struct {
	Store  *storage.Store
	Auth   *auth.Authenticator
	Server *server.Server

	Version     string
	Environment auth.Environment
	Certificate func() (notAfter time.Time) // nil: no TLS
	Dropped     func() uint64               // lines that the log has lost; nil: there is no such log
	Backups     func() Backups              // nil: none are scheduled

	Log *slog.Logger // nil: discard
}

const (
	scrapeTime = 10 * time.Second
	scrapes    = 2 // at once; each looks at every key and every file
)

// Exporter answers GET /metrics.
type Exporter struct {
	http   *http.Server
	served chan error
}

// Serve answers on ln until Close, which closes ln.
func Serve(ln net.Listener, s Sources) (*Exporter, error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewPedanticRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{s},
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	warnings := slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: warnings, ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: scrapes, Timeout: scrapeTime,
	}))
	e := &Exporter{served: make(chan error, 1), http: &http.Server{
		Handler: mux, ErrorLog: warnings, MaxHeaderBytes: 8 << 10,
		ReadTimeout: scrapeTime, WriteTimeout: 2 * scrapeTime, IdleTimeout: 2 * time.Minute,
	}}
	go func() { e.served <- e.http.Serve(ln) }()
	s.Log.Info("serving metrics", "address", ln.Addr().String())
	return e, nil
}

// Close lets a scrape under way finish until ctx ends.
func (e *Exporter) Close(ctx context.Context) error {
	err := e.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("close metrics: %w", err), e.http.Close())
	}
	if served := <-e.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve metrics: %w", served))
	}
	return err
}

// collector reads the sources anew for each scrape.
type collector struct{ Sources }

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range families {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	buildInfo.send(out, 1, c.Version, runtime.Version(), string(c.Environment))
	c.collectTraffic(out)
	c.collectKeys(out)
	c.collectStore(out)
	c.collectCare(out)
	if c.Dropped != nil {
		logDropped.send(out, float64(c.Dropped()))
	}
}
