package index_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage/index"
)

// million is a large organization as one might be: three years of invoices, most
// of them paid, of two thousand clients of very different size.
type million struct {
	x    *index.Index
	org  uid.ID
	rows []index.Row

	rowBytes float64
}

const millionRows = 1_000_000

// theMillion is built once for all benchmarks.
var theMillion = sync.OnceValue(func() *million {
	m := &million{x: index.New(rule()), org: numbered(1)}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range millionRows {
		m.rows = append(m.rows, m.row(random, n))
	}
	before := heapInUse()
	m.x.Load(m.org, start, m.each())
	m.rowBytes = float64(heapInUse()-before) / millionRows
	for n := range clients {
		m.x.Rename(m.org, numbered(uint64(n)), clientName(n))
	}
	return m
})

const clients = 2000

func clientName(n int) string { return fmt.Sprintf("Client %c%c & Sons %d", 'A'+n%26, 'a'+n/26%26, n) }

// each copies the texts, as rows that are read from a disk have their own.
func (m *million) each() iter.Seq[index.Row] {
	return func(yield func(index.Row) bool) {
		for _, r := range m.rows {
			r.Number = string([]byte(r.Number))
			if !yield(r) {
				return
			}
		}
	}
}

// row is the n-th in order of creation.
func (m *million) row(random *rand.Rand, n int) index.Row {
	const span = 3 * 365 * 24 * time.Hour
	created := start.Add(-span + time.Duration(n)*(span/millionRows))
	day := created.Unix() / 86400 * 86400
	party := int(clients * math.Pow(random.Float64(), 3))
	r := index.Row{
		ID: created7(created, random), Party: numbered(uint64(party)), Currency: pick(random, currencies...),
		Status: pick(random, statuses...), Method: pick(random, methods...),
		Issue: day, Due: day + 86400*pick(random, terms...), Paid: index.None,
		Created: created.UnixMilli(), Updated: created.Add(time.Duration(random.Int64N(int64(60 * 24 * time.Hour)))).UnixMilli(),
		Total: int64(100 * math.Exp(random.NormFloat64()*1.5+7)),
	}
	if r.Status != draft && r.Status != cancelled {
		r.Number, r.Client = fmt.Sprintf("INV-%d-%06d", created.Year(), n), clientName(party)
	}
	if r.Status == paid {
		r.Paid = day + 86400*random.Int64N(75)
	}
	return r
}

// share is a value and how many of a hundred have it.
type share[V any] struct {
	value   V
	percent int
}

func pick[V any](random *rand.Rand, shares ...share[V]) V {
	left := random.IntN(100)
	for _, s := range shares {
		if left -= s.percent; left < 0 {
			return s.value
		}
	}
	return shares[0].value
}

var (
	currencies = []share[string]{{"USD", 70}, {"EUR", 20}, {"GBP", 7}, {"JPY", 3}}
	statuses   = []share[uint8]{{paid, 72}, {sent, 10}, {void, 6}, {draft, 5}, {part, 4}, {cancelled, 3}}
	methods    = []share[uint8]{{1, 85}, {2, 15}}
	terms      = []share[int64]{{30, 70}, {14, 20}, {60, 10}} // days
)

func created7(t time.Time, random *rand.Rand) (id uid.ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli())<<16|0x7000|uint64(t.Nanosecond()%1e6)<<12/1e6)
	binary.BigEndian.PutUint64(id[8:], random.Uint64()>>2|1<<63)
	return id
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// processorTime is what this process has used, on all cores.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLoad prints what a start costs, without the collection of this test's
// own garbage, and what a row takes.
func BenchmarkLoad(b *testing.B) {
	m := theMillion()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for b.Loop() {
		runtime.GC()
		x := index.New(rule())
		began := processorTime()
		x.Load(m.org, start, m.each())
		b.ReportMetric(float64((processorTime() - began).Milliseconds()), "CPU-ms")
	}
	b.ReportMetric(m.rowBytes, "bytes/row")
}
