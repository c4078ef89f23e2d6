package server_test

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Memory does not depend on the size of files: 100 MiB go in while 80 MiB go out.
func TestFilesTravelInConstantMemory(t *testing.T) {
	w := start(t, nil)
	path, _ := w.attachPath()
	form, length := bigForm(4, 20<<20)
	first := w.attached(w.post(path, form, length))

	before, peak := watchMemory()
	var wg sync.WaitGroup
	for _, a := range first {
		wg.Go(func() {
			sum := sha256.New()
			n, err := w.download(a["presigned_url"].(string), sum)
			if err != nil || n != 20<<20 || [32]byte(sum.Sum(nil)) != sha256.Sum256(make([]byte, 20<<20)) {
				t.Errorf("%d bytes came, %v", n, err)
			}
		})
	}
	other, _ := w.attachPath()
	form, length = bigForm(20, 5<<20)
	began := time.Now()
	added := w.attached(w.post(other, form, length))
	t.Logf("100 MiB taken in %v", time.Since(began))
	wg.Wait()
	grown := peak() - before
	const most = 96 // MiB, of 180 that travel: what became garbage while a collection ran, above all
	t.Logf("we held %.1f MiB before, at most %.1f MiB more meanwhile", before, grown)
	if len(added) != 20 || grown > most {
		t.Errorf("%d files went in; memory grew by %.1f MiB, at most %d are allowed", len(added), grown, most)
	}
}

func (w *world) download(url string, to hash.Hash) (int64, error) {
	req, err := http.NewRequestWithContext(context.Background(), "GET", url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return io.Copy(to, resp.Body)
}

// watchMemory tells how many MiB are live, and starts to look again and again until
// peak is called, which tells the most that was seen.
func watchMemory() (before float64, peak func() float64) {
	stop, most := make(chan struct{}), make(chan float64)
	before = liveMiB()
	go func() {
		seen := 0.0
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			seen = max(seen, liveMiB())
			select {
			case <-stop:
				most <- seen
				return
			case <-tick.C:
			}
		}
	}()
	return before, func() float64 { close(stop); return <-most }
}

// liveMiB is the live heap by the sampled profile, but for what the engine has: that
// keeps the memory of its table builders for a while after any writing, however
// much was written.
func liveMiB() float64 {
	runtime.GC()
	runtime.GC() // the profile is that of the last cycle but one
	records := make([]runtime.MemProfileRecord, 10_000)
	n, ok := runtime.MemProfile(records, false)
	if !ok {
		return math.Inf(1)
	}
	total := 0.0
	for _, r := range records[:n] {
		if r.InUseObjects() > 0 && !ofTheEngine(r.Stack()) {
			size := float64(r.InUseBytes()) / float64(r.InUseObjects())
			total += float64(r.InUseBytes()) / (1 - math.Exp(-size/float64(runtime.MemProfileRate)))
		}
	}
	return total / (1 << 20)
}

func ofTheEngine(stack []uintptr) bool {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "github.com/dgraph-io/") {
			return true
		}
		if !more {
			return false
		}
	}
}
