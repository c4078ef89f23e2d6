package server

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"exante/auth"
)

// BenchmarkRequestLine is what a line of the request log costs the request.
func BenchmarkRequestLine(b *testing.B) {
	s := &Server{options: Options{RequestLog: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	x := &exchange{Server: s, http: &fasthttp.RequestCtx{}, id: []byte("0190b7a0-0000-7000-8000-000000000001"),
		counters: &routeTraffic{method: "GET", path: "/api/invoices/:uid"}, admitted: auth.Admission{Key: &auth.Key{}}}
	x.life = b.Context()
	b.ReportAllocs()
	for b.Loop() {
		x.logRequest(200, 1234*time.Microsecond)
	}
}
