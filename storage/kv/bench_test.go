package kv

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	"golang.org/x/sys/unix"

	"exante/storage/kv/disk"
)

// BenchmarkDurableUpdate compares transactions through the batching writer
// with one synced Badger transaction for each request, in pairs of runs.
// Budget for x-raw: at least 0.8 at one client, 4 at 64.
func BenchmarkDurableUpdate(b *testing.B) {
	skipWithoutFsync(b)
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("c=%d", clients), func(b *testing.B) {
			ours, raw := openBench(b), openRaw(b)
			var perSecond, ratios []float64
			for b.Loop() {
				for range 25 {
					r := rate(b, clients, func(id uint64) error { return raw.Update(func(t *badger.Txn) error { return createRaw(t, id) }) })
					o := rate(b, clients, func(id uint64) error {
						return ours.Update(context.Background(), func(t Txn) error { return create(t, id) })
					})
					perSecond, ratios = append(perSecond, o), append(ratios, o/r)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(perSecond), "updates/s")
			b.ReportMetric(median(ratios), "x-raw")
		})
	}
}

// rate runs do on so many goroutines for a while and returns calls per second.
func rate(b *testing.B, clients int, do func(id uint64) error) float64 {
	const period = 40 * time.Millisecond
	var calls atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			for time.Since(start) < period {
				if err := do(nextID.Add(1)); err != nil {
					b.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(calls.Load()) / time.Since(start).Seconds()
}

var nextID atomic.Uint64

// create writes what the creation of a record writes: a unique key, the record
// and three index entries.
func create(t Txn, id uint64) error {
	if err := t.Insert(benchKey('u', id), []byte("id")); err != nil {
		return err
	}
	for _, family := range []byte("abc") {
		if err := t.Put(benchKey(family, id), nil); err != nil {
			return err
		}
	}
	return t.Put(benchKey('r', id), make([]byte, 1024))
}

func createRaw(t *badger.Txn, id uint64) error {
	if _, err := t.Get(benchKey('u', id)); err != badger.ErrKeyNotFound {
		return fmt.Errorf("unique key: %v", err)
	}
	for _, family := range []byte("uabc") {
		if err := t.Set(benchKey(family, id), nil); err != nil {
			return err
		}
	}
	return t.Set(benchKey('r', id), make([]byte, 1024))
}

func benchKey(family byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{family, '/'}, id)
}

// BenchmarkReadBesideWriters measures reads of one 1 KB value, alone and while
// 64 clients write. Budget for the 99th percentile: 3 times that of the idle
// store or a tenth of the median commit, whichever is more. The same batches
// committed by Badger in its normal mode show what managed mode is for.
func BenchmarkReadBesideWriters(b *testing.B) {
	skipWithoutFsync(b)
	ctx, record := context.Background(), benchKey('r', 0)
	b.Run("ours", func(b *testing.B) {
		e := openBench(b)
		update := func(id uint64) error { return e.Update(ctx, func(t Txn) error { return create(t, id) }) }
		read := func() error {
			return e.View(ctx, func(r Reader) error {
				_, err := r.Get(record)
				return err
			})
		}
		readBeside(b, read, 64, update)
	})
	b.Run("normal-mode", func(b *testing.B) {
		raw := openRaw(b)
		update := func(id uint64) error {
			return raw.Update(func(t *badger.Txn) (err error) {
				for i := uint64(0); i < 64 && err == nil; i++ {
					err = createRaw(t, id+i<<32)
				}
				return err
			})
		}
		read := func() error {
			return raw.View(func(t *badger.Txn) error {
				item, err := t.Get(record)
				if err == nil {
					_, err = item.ValueCopy(nil)
				}
				return err
			})
		}
		readBeside(b, read, 1, update)
	})
}

// BenchmarkPointRead is one read of a random 1 KB value among 20,000, most of
// them in tables.
func BenchmarkPointRead(b *testing.B) {
	e, ctx := openBench(b), context.Background()
	const records = 20_000
	for id := uint64(0); id < records; id += 100 {
		err := e.Update(ctx, func(t Txn) (err error) {
			for i := uint64(0); i < 100 && err == nil; i++ {
				err = t.Put(benchKey('r', id+i), make([]byte, 1024))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		err := e.View(ctx, func(r Reader) error {
			_, err := r.Get(benchKey('r', rand.Uint64N(records)))
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func readBeside(b *testing.B, read func() error, writers int, update func(id uint64) error) {
	if err := update(0); err != nil {
		b.Fatal(err)
	}
	var idle, busy, commits []float64
	for b.Loop() {
		idle = append(idle, p99(b, read))
		stop := startWriters(b, writers, update)
		busy = append(busy, p99(b, read))
		commits = append(commits, stop()...)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(idle), "µs-idle-p99")
	b.ReportMetric(median(busy), "µs-busy-p99")
	b.ReportMetric(median(busy)/median(idle), "x-idle")
	b.ReportMetric(100*median(busy)/median(commits), "%-of-commit")
}

// startWriters lets so many goroutines update until stop, which returns how
// long each update took, in microseconds.
func startWriters(b *testing.B, writers int, update func(id uint64) error) (stop func() []float64) {
	var stopping atomic.Bool
	var mu sync.Mutex
	var took []float64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for !stopping.Load() {
				start := time.Now()
				if err := update(nextID.Add(1)); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				took = append(took, micros(time.Since(start)))
				mu.Unlock()
			}
		})
	}
	return func() []float64 {
		stopping.Store(true)
		wg.Wait()
		return took
	}
}

func p99(b *testing.B, read func() error) float64 {
	took := make([]float64, 0, 1<<17)
	for until := time.Now().Add(400 * time.Millisecond); time.Now().Before(until); {
		start := time.Now()
		if err := read(); err != nil {
			b.Fatal(err)
		}
		took = append(took, micros(time.Since(start)))
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(of []float64) float64 {
	of = slices.Clone(of)
	slices.Sort(of)
	return of[len(of)/2]
}

func openBench(b *testing.B) *engine {
	db, err := Open(Options{Dir: filepath.Join(b.TempDir(), "ours"), MinFree: disk.Auto})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db.(*engine)
}

func openRaw(b *testing.B) *badger.DB {
	db, err := badger.Open(badgerOptions(filepath.Join(b.TempDir(), "raw"), nil))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func skipWithoutFsync(b *testing.B) {
	var st unix.Statfs_t
	if err := unix.Statfs(b.TempDir(), &st); err != nil {
		b.Fatal(err)
	}
	if uint32(st.Type) == unix.TMPFS_MAGIC {
		b.Skip("the temporary directory is on tmpfs, where a synced write costs nothing: set TMPDIR to a disk")
	}
}
