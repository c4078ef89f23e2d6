package auth_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"
)

// BenchmarkAdmit is authentication, scope, limiter and usage of a warm key, and
// its ratio to one SHA-256 of the token in the same run.
func BenchmarkAdmit(b *testing.B) {
	a := newBench(b, nil)
	_, r := a.key(b, nil)
	ctx := context.Background()
	a.Admit(ctx, r)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Admit(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
	perOp := b.Elapsed() / time.Duration(b.N)
	began := time.Now()
	for range 100_000 {
		_ = sha256.Sum256(r.Token)
	}
	b.ReportMetric(float64(perOp)/float64(time.Since(began)/100_000), "x-sha256")
}

// BenchmarkRefuseGarbage must stay below BenchmarkAdmit.
func BenchmarkRefuseGarbage(b *testing.B) {
	a := newBench(b, nil)
	_, good := a.key(b, nil)
	ctx := context.Background()
	bad := good
	bad.Token = append([]byte(nil), good.Token...)
	bad.Token[20] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Admit(ctx, bad); err == nil {
			b.Fatal("admitted")
		}
	}
	perOp := b.Elapsed() / time.Duration(b.N)
	began := time.Now()
	for range 100_000 {
		a.Admit(ctx, good)
	}
	b.ReportMetric(float64(perOp)/float64(time.Since(began)/100_000), "x-good")
}
