package server

import (
	"sync/atomic"
	"time"

	"exante/storage/measure"
)

// traffic counts what comes in and how it is answered, in memory that is laid out
// once: a counter is added to without a lock and without an allocation, and no
// caller can make there be more of them.
type traffic struct {
	routes      []*routeTraffic // one a row of the table, then unrouted
	unrouted    routeTraffic    // what has no row: unknown paths, and what is no request
	inFlight    atomic.Int64
	connections atomic.Int64
	full        atomic.Uint64
	crowded     atomic.Uint64
}

// routeTraffic is what was answered to the requests of one route.
type routeTraffic struct {
	method, path string
	name, head   string           // told in the log, and to whom the key belongs: of the route, and of a HEAD to it
	classes      [6]atomic.Uint64 // by the first digit of the status
	took         measure.Histogram
}

// newTraffic makes a counter for each row.
func newTraffic(table []route) *traffic {
	t := &traffic{unrouted: routeTraffic{method: "none", path: "none", name: "none", head: "none"}}
	for _, row := range table {
		t.routes = append(t.routes, &routeTraffic{method: row.method, path: row.path, name: row.method + " " + row.path, head: "HEAD " + row.path})
	}
	t.routes = append(t.routes, &t.unrouted)
	return t
}

func (r *routeTraffic) answered(status int, took time.Duration) {
	r.classes[min(max(status/100, 0), len(r.classes)-1)].Add(1)
	r.took.Observe(took)
}

// Traffic is what a Server has answered since it was made.
type Traffic struct {
	Routes      []RouteTraffic
	InFlight    int64  // requests whose answer is not ready yet
	Connections int64  // open
	Full        uint64 // connections refused because too many were open
	Crowded     uint64 // connections refused because too many of their address were open
}

// RouteTraffic is the share of one route. Both names are "none" for what has no
// route. HEAD is counted as GET.
type RouteTraffic struct {
	Method, Path string
	Classes      [6]uint64 // answers by the first digit of their status
	Took         measure.Durations
}

// Traffic reads the counters. Each is exact; they are not of one instant.
func (s *Server) Traffic() Traffic {
	t := s.traffic
	out := Traffic{
		InFlight: t.inFlight.Load(), Connections: t.connections.Load(),
		Full: t.full.Load(), Crowded: t.crowded.Load(),
	}
	for _, r := range t.routes {
		one := RouteTraffic{Method: r.method, Path: r.path, Took: r.took.Read()}
		for i := range r.classes {
			one.Classes[i] = r.classes[i].Load()
		}
		out.Routes = append(out.Routes, one)
	}
	return out
}

// Answered is the number of answers to all routes, by the first digit of their status.
func (s *Server) Answered() (sum [6]uint64) {
	for _, r := range s.traffic.routes {
		for i := range r.classes {
			sum[i] += r.classes[i].Load()
		}
	}
	return sum
}

// Open is how many connections are open, and requests unanswered.
func (s *Server) Open() (connections, requests int64) {
	return s.traffic.connections.Load(), s.traffic.inFlight.Load()
}
