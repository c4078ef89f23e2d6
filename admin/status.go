package admin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"exante/admin/backups"
	"exante/auth"
	"exante/storage"
)

// Front is what answers HTTP, as far as an operator asks about it.
type Front interface {
	// State is "ready", or why no requests should be sent.
	State() string
	// Answered is the number of answers so far, by the first digit of their status.
	Answered() [6]uint64
	// Open is how many connections and requests are open now.
	Open() (connections, requests int64)
}

// Running is a server beside its store, for status and healthcheck.
type Running struct {
	Front   Front
	Auth    *auth.Authenticator
	Version string
	Started time.Time
	Listen  []net.Addr // of the API, then of the metrics if they are on

	Certificate func() (notAfter time.Time) // nil: no TLS
	Dropped     func() uint64               // lines that the log has lost; nil: none
	Backups     *backups.Schedule           // nil: none are made
}

// opHealth and opStatus are asked of a running server only: there is no other road.
func opHealth(d *Desk, r Running) operation[nothing, Health] {
	return operation[nothing, Health]{"healthcheck", func(context.Context, Ops, nothing, Progress) (Health, error) {
		return d.health(r), nil
	}}
}

func opStatus(d *Desk, r Running) operation[nothing, Status] {
	return operation[nothing, Status]{"status", func(ctx context.Context, _ Ops, _ nothing, _ Progress) (Status, error) {
		return d.status(ctx, r)
	}}
}

func (d *Desk) mountWatch(mux *http.ServeMux, r Running) {
	opHealth(d, r).mount(mux, func(*http.Request) Ops { return nil })
	opStatus(d, r).mount(mux, func(*http.Request) Ops { return nil })
}

// Health asks the server whether requests should be sent to it.
func (r Remote) Health(ctx context.Context) (Health, error) {
	return opHealth(nil, Running{}).call(ctx, r, nothing{}, nil)
}

// Status asks the server for its figures.
func (r Remote) Status(ctx context.Context) (Status, error) {
	return opStatus(nil, Running{}).call(ctx, r, nothing{}, nil)
}

// health reads no more than memory, so that it answers whatever the rest suffers from.
func (d *Desk) health(r Running) Health {
	h := Health{State: r.Front.State(), Degraded: d.store.Troubles()}
	switch err := d.store.Health(); {
	case err != nil:
		h.Reason = "the store has failed: " + err.Error()
	case h.State != "ready":
		h.Reason = "the server is " + h.State
	default:
		h.Healthy = true
	}
	return h
}

func (d *Desk) status(ctx context.Context, r Running) (Status, error) {
	f, err := d.store.Figures(ctx)
	if err != nil {
		return Status{}, err
	}
	a, now := r.Auth.Stats(), d.now()
	s := Status{
		Health: d.health(r), Version: r.Version, Environment: string(d.config.Auth.Environment), PID: os.Getpid(),
		StartedAt: instant(r.Started), UptimeSeconds: int64(now.Sub(r.Started) / time.Second),
		Data:     dataStatus(d.config.Storage.Dir, f),
		Keys:     KeyStatus{a.Keys.Active, a.Keys.Retiring, a.Keys.Expired, a.Keys.Revoked, a.Keys.EndingIn7Days, a.Keys.EndingIn30Days},
		Requests: map[string]uint64{}, Refusals: map[string]uint64{},
		Bodies:   CacheStatus{f.Bodies.Hits, f.Bodies.Misses, f.Bodies.Bytes},
		Verified: CacheStatus{Hits: a.Hits, Misses: a.Misses},
		Argon2:   GateStatus(a.Gate),
	}
	for _, addr := range r.Listen {
		s.Listen = append(s.Listen, addr.String())
	}
	for class, n := range r.Front.Answered() {
		if class >= 2 || n > 0 {
			s.Requests[strconv.Itoa(class)+"xx"] = n
		}
	}
	for reason, n := range a.Refusals {
		s.Refusals[auth.Reason(reason).String()] = n
	}
	s.Conns, s.InFlight = r.Front.Open()
	if r.Dropped != nil {
		s.LogDropped = r.Dropped()
	}
	if r.Certificate != nil {
		s.TLS, s.CertificateTo = true, whenever(r.Certificate())
	}
	s.HeapBytes, s.RSSBytes = memory()
	s.Backups = backupStatus(r.Backups)
	s.Notices = s.notices(r, now)
	return s, nil
}

func dataStatus(dir string, f storage.Figures) DataStatus {
	e := f.Engine
	return DataStatus{
		Dir: dir, Bytes: e.TableBytes + e.LogBytes + e.OtherBytes, TableBytes: e.TableBytes, LogBytes: e.LogBytes, FreeBytes: e.FreeBytes,
		Organizations: f.Orgs, Users: f.Users, Invoices: f.Invoices, Sequence: f.Seq, AuditRecords: f.Audit,
	}
}

// certificateNotice is how long before its end a certificate is worth a word.
const certificateNotice = 14 * 24 * time.Hour

// notices are what an operator should do something about, most urgent first.
func (s *Status) notices(r Running, now time.Time) []string {
	all := []string{}
	if !s.Healthy {
		all = append(all, s.Reason)
	}
	for _, trouble := range s.Degraded {
		all = append(all, troubles[trouble])
	}
	all = append(all, s.Backups.notices(now)...)
	if r.Certificate != nil {
		switch left := r.Certificate().Sub(now); {
		case left <= 0:
			all = append(all, "the TLS certificate has expired: clients refuse it")
		case left <= certificateNotice:
			all = append(all, fmt.Sprintf("the TLS certificate expires in %s", span(left)))
		}
	}
	if n := s.Keys.ExpiringIn7Days; n > 0 {
		all = append(all, fmt.Sprintf("API keys that end within 7 days: %d", n))
	}
	if s.LogDropped > 0 {
		all = append(all, fmt.Sprintf("lines of the log that were lost because nobody took them: %d", s.LogDropped))
	}
	return all
}

// memory is what the program has in use, and what it takes of the machine.
func memory() (heap, resident uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	text, err := os.ReadFile("/proc/self/statm")
	if parts := strings.Fields(string(text)); err == nil && len(parts) > 1 {
		pages, _ := strconv.ParseUint(parts[1], 10, 64)
		resident = pages * uint64(os.Getpagesize())
	}
	return sample[0].Value.Uint64(), resident
}

// span is a duration in the two units that matter.
func span(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
