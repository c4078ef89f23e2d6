package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	requests = counter("http_requests_total",
		"Answers by route template, method and class of status. What has no route, or is no request, has the route none.",
		"method", "route", "status")
	requestDuration = histogram("http_request_duration_seconds",
		"Time from the head of a request to its answer being ready. Exports and downloads go on after that.",
		"method", "route")
	requestsInFlight = gauge("http_requests_in_flight", "Requests whose answer is not ready yet.")
	connections      = gauge("http_connections", "Open connections to the API.")
	refusedConns     = counter("http_connections_refused_total",
		"Connections that were one too many: in all (full), or from one address (crowded).", "reason")
	certificateExpiry = gauge("tls_certificate_expiry_timestamp_seconds", "When the certificate in use expires.")
)

// usualClasses have a series from the start, so that a rate over the first answer
// of a class is right. The others appear with their first.
var usualClasses = []int{2, 4, 5}

func (c *collector) collectTraffic(out chan<- prometheus.Metric) {
	t := c.Server.Traffic()
	for _, r := range t.Routes {
		for class, n := range r.Classes {
			usual := false
			for _, u := range usualClasses {
				usual = usual || u == class
			}
			if usual || n > 0 {
				requests.send(out, float64(n), r.Method, r.Path, strconv.Itoa(class)+"xx")
			}
		}
		requestDuration.sendDurations(out, r.Took, r.Method, r.Path)
	}
	requestsInFlight.send(out, float64(t.InFlight))
	connections.send(out, float64(t.Connections))
	refusedConns.send(out, float64(t.Full), "full")
	refusedConns.send(out, float64(t.Crowded), "crowded")
	if c.Certificate != nil {
		certificateExpiry.send(out, float64(c.Certificate().Unix()))
	}
}
