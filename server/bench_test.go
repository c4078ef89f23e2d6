package server_test

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"exante/server"
)

// Budgets of an authenticated GET of one invoice, as shares of what a Fiber
// handler reaches that answers the same bytes with no work at all.
const (
	cachedBudget = 0.75 // requests a second, from the record cache
	storeBudget  = 0.45 // requests a second, through the store
	p99Budget    = 2.0  // times its p99, at most
)

// BenchmarkWireRead runs three servers side by side: bare, ours with its record
// cache, and ours without, in five interleaved rounds over loopback on 64
// connections, and reports the medians of the ratios.
func BenchmarkWireRead(b *testing.B) {
	const rounds, slice = 5, 500 * time.Millisecond
	cached, path := benchWorld(b, 0)
	direct, directPath := benchWorld(b, -1)
	ours := load{cached.addr, benchRequest(path, cached.acme.key), 64, slice}
	through := load{direct.addr, benchRequest(directPath, direct.acme.key), 64, slice}
	bare := load{startBare(b, cached, path), ours.request, 64, slice}
	for _, l := range []load{bare, ours, through} {
		l.time = slice / 2
		l.run(b) // warm up
	}
	for b.Loop() {
		var cachedRatio, cachedTail, storeRatio, storeTail []float64
		for range rounds {
			base, fast, slow := bare.run(b), ours.run(b), through.run(b)
			cachedRatio = append(cachedRatio, fast.perSecond/base.perSecond)
			cachedTail = append(cachedTail, float64(fast.p99)/float64(base.p99))
			storeRatio = append(storeRatio, slow.perSecond/base.perSecond)
			storeTail = append(storeTail, float64(slow.p99)/float64(base.p99))
			b.Logf("bare %6.0f/s p99 %v · cached %6.0f/s p99 %v · store %6.0f/s p99 %v", base.perSecond, base.p99,
				fast.perSecond, fast.p99, slow.perSecond, slow.p99)
		}
		atLeast(b, cachedRatio, cachedBudget, "cached/bare")
		atLeast(b, storeRatio, storeBudget, "store/bare")
		atMost(b, cachedTail, p99Budget, "cached-p99/bare")
		b.ReportMetric(median(storeTail), "store-p99/bare")
	}
}

func atLeast(b *testing.B, ratios []float64, budget float64, unit string) {
	b.ReportMetric(median(ratios), unit)
	if median(ratios) < budget {
		b.Errorf("%s = %.2f, want at least %.2f", unit, median(ratios), budget)
	}
}

func atMost(b *testing.B, ratios []float64, budget float64, unit string) {
	b.ReportMetric(median(ratios), unit)
	if median(ratios) > budget {
		b.Errorf("%s = %.2f, want at most %.2f", unit, median(ratios), budget)
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// benchWorld is a server as it is run, and the path of an invoice with three lines.
func benchWorld(b *testing.B, cacheBytes int64) (w *world, path string) {
	w = startWith(b, func(s *settings) {
		s.store.CacheBytes = cacheBytes
		s.store.Now, s.auth.Now, s.server.Now, s.server.Log, s.server.RequestLog = nil, nil, nil, nil, nil
		s.auth.Limits = limits(b, "1000000000/1m")
	})
	party := w.data(w.do("POST", "/api/parties", w.acme.key, `{"name":"Globex Corporation","address":"742 Evergreen Terrace",
		"billing_contact":{"name":"Hank Scorpio","email":"hank@globex.example"}}`), 201)["uid"]
	lines := strings.TrimSuffix(strings.Repeat(`{"context_type":"PRODUCT","sku":"seat","quantity":2.5,"unit_price":1999},`, 3), ",")
	inv := w.data(w.do("POST", "/api/invoices", w.acme.key, fmt.Sprintf(
		`{"target_party_uid":%q,"tax_cents":19,"invoice_fields":{"po":"4711"},"line_items":[%s]}`, party, lines)), 201)
	return w, "/api/invoices/" + inv["uid"].(string)
}

func benchRequest(path, key string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1\r\nAccept: application/json\r\nAuthorization: Bearer " + key + "\r\n\r\n")
}

// startBare serves, from a Fiber app with the same settings, the very answer that
// w gives to path.
func startBare(b *testing.B, w *world, path string) (addr string) {
	model := w.get(path, w.acme.key)
	if model.status != 200 || !json.Valid([]byte(model.body)) {
		b.Fatalf("%d %s", model.status, model.body)
	}
	app := fiber.New(w.server.BareConfig())
	server.Tune(app)
	body, fields := []byte(model.body), [][2][]byte{}
	for name, values := range model.header {
		if !slices.Contains([]string{"Date", "Content-Length", "Content-Type"}, name) {
			fields = append(fields, [2][]byte{[]byte(name), []byte(values[0])})
		}
	}
	app.Get("/api/invoices/:uid", func(c *fiber.Ctx) error {
		for _, f := range fields {
			c.Response().Header.SetCanonical(f[0], f[1])
		}
		c.Response().Header.SetContentType("application/json")
		c.Response().SetBodyRaw(body)
		return nil
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	b.Cleanup(func() { w.must(app.Shutdown()); w.must(<-served) })
	return ln.Addr().String()
}

// BenchmarkReadBody is the decoding of a new invoice.
func BenchmarkReadBody(b *testing.B) {
	body := []byte(`{"target_party_uid":"0190b7a0-0000-7000-8000-000000000001","currency":"EUR","tax_cents":19,"invoice_fields":{"po":"4711"},
		"line_items":[{"context_type":"PRODUCT","sku":"seat","quantity":2.5,"unit_price":1999},{"context_type":"DISCOUNT","sku":"a","unit_price":5}]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := server.ReadInvoice(body); err != nil {
			b.Fatal(err)
		}
	}
}
