package auth_test

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"exante/auth"
)

// served is an authenticator as a server has it: with a Ledger, two windows and a
// budget of refusals.
func served(b *testing.B) (*process, auth.Request) {
	p := start(b, newClock(noon), newBooks(), nil, func(o *auth.AuthenticatorOptions) {
		o.Now, o.FlushEvery, o.Failures = time.Now, time.Second, mustLimits(b, "1000/1m")
	})
	_, r := p.key(b, func(k *auth.Key) { k.Limits = mustLimits(b, "900000000/1m,1000000000/24h") })
	p.admit(b, r)
	return p, r
}

// ratio is how many times as long work takes as base: the median of eleven pairs
// that take turns, so that a busy machine is busy for both.
func ratio(work, base func()) float64 {
	var ratios []float64
	for range 11 {
		ratios = append(ratios, float64(each(work))/float64(each(base)))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func each(work func()) time.Duration {
	began := time.Now()
	for range 10_000 {
		work()
	}
	return time.Since(began)
}

// BenchmarkAdmit is a warm key: shape, SHA-256, look-up, state, network, scope,
// two windows and usage. x-sha256 is its ratio to one SHA-256 of the token in the
// same run.
func BenchmarkAdmit(b *testing.B) {
	p, r := served(b)
	admit := func() {
		if _, err := p.Admit(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		admit()
	}
	b.ReportMetric(ratio(admit, func() { _ = sha256.Sum256(r.Token) }), "x-sha256")
}

// BenchmarkFinish is what the answer to a request costs once it is known: it goes
// among the latest of its key. x-admit is its ratio to the admission of that request
// in the same run.
func BenchmarkFinish(b *testing.B) {
	p, r := served(b)
	ad, id := p.admit(b, r), []byte("6f9619ff-8b86-d011-b42d-00cf4fc964ff")
	answer := auth.Answer{At: time.Now(), Took: time.Millisecond, Route: "GET /api/invoices/:uid", Status: 200}
	b.ReportAllocs()
	for b.Loop() {
		p.Finish(ad, answer, id)
	}
	b.ReportMetric(ratio(func() { p.Finish(ad, answer, id) }, func() { p.Admit(context.Background(), r) }), "x-admit")
}

// BenchmarkAdmitParallel is the same key on all cores at once.
func BenchmarkAdmitParallel(b *testing.B) {
	p, r := served(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := p.Admit(context.Background(), r); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkRefuse is what a bad token costs, and its ratio to a good request in the
// same run, which must stay below 1.
func BenchmarkRefuse(b *testing.B) {
	for _, c := range []struct{ name, token string }{
		{"shape", "password"},
		{"checksum", "ex_live_00000000000000000000000000000000000000"},
		{"unknown", mint(b, auth.Live).Reveal()},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, good := served(b)
			bad := good
			bad.Token = []byte(c.token)
			refuse := func() {
				if _, err := p.Admit(context.Background(), bad); err == nil {
					b.Fatal("admitted")
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				refuse()
			}
			b.ReportMetric(ratio(refuse, func() { p.Admit(context.Background(), good) }), "x-good")
		})
	}
}

// BenchmarkWarmP99 is the 99th percentile of a warm key while others are a
// nuisance, and its ratio to the idle one, measured just before. One core is free of
// argon2id: the gate sees to that.
func BenchmarkWarmP99(b *testing.B) {
	for name, nuisance := range map[string]func(b *testing.B, p *process, stop chan struct{}, wg *sync.WaitGroup){
		"cold queue":         coldQueue,
		"10000 bad a second": badFlood,
	} {
		b.Run(name, func(b *testing.B) {
			p, r := served(b)
			var idle, under []time.Duration
			for range 200_000 {
				idle = append(idle, p.timed(b, r))
			}
			stop := make(chan struct{})
			var wg sync.WaitGroup
			nuisance(b, p, stop, &wg)
			for b.Loop() {
				under = append(under, p.timed(b, r))
			}
			close(stop)
			wg.Wait()
			b.ReportMetric(float64(p99(idle)), "idle-p99-ns")
			b.ReportMetric(float64(p99(under)), "p99-ns")
			b.ReportMetric(float64(p99(under))/float64(p99(idle)), "x-idle")
		})
	}
}

func (p *process) timed(b *testing.B, r auth.Request) time.Duration {
	began := time.Now()
	if _, err := p.Admit(context.Background(), r); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}

// coldQueue keeps eight keys cold, each behind a hash of production strength: one
// is being verified, the others wait.
func coldQueue(b *testing.B, p *process, stop chan struct{}, wg *sync.WaitGroup) {
	strong := newHasher(b, auth.DefaultParams())
	for range 8 {
		k, r := p.key(b, nil)
		token, _ := auth.ParseToken(auth.Live, string(r.Token))
		var hashes [2]auth.Hash
		for i := range hashes {
			hashes[i], _ = strong.Hash(context.Background(), token)
		}
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					k.Hash = hashes[i%2] // another hash: what was verified is forgotten
					p.ring.Put(k)
					p.Admit(context.Background(), r)
				}
			}
		})
	}
}

// badFlood presents unknown tokens of good shape, 10,000 a second.
func badFlood(b *testing.B, p *process, stop chan struct{}, wg *sync.WaitGroup) {
	bad := auth.Request{Token: []byte(mint(b, auth.Live).Reveal()), Addr: home}
	wg.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				for range 10 {
					p.Admit(context.Background(), bad)
				}
			}
		}
	})
}
