package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// 64 clients send 2,000 invoices while the server is killed again and again. What
// was not answered is asked again. The numbers are 1 to 2,000, each once.
func TestNumbersHaveNoGapWhateverHappens(t *testing.T) {
	const invoices, senders, kills = 2000, 64, 6
	dir := dataDir(t)
	key := shellKey(t, dir, "--name", "sender", "--rate-limit", "1000000000/1s").Key
	s := serve(t, dir)
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", key, `{"name":"Globex"}`).want(t, 201)).UID
	drafts := make([]string, invoices)
	inParallel(senders, invoices, func(n int) {
		drafts[n] = data[struct{ UID string }](t, s.call("POST", "/api/invoices", key, `{"target_party_uid":"`+party+`"}`).want(t, 201)).UID
	})

	numbers := make([]string, invoices) // "" until the sending was answered
	killed := 0
	for round := 0; slices.Contains(numbers, ""); round++ {
		if round > 0 {
			s = serve(t, dir)
		}
		var answered atomic.Int64
		gone := make(chan struct{})
		if killed < kills {
			killed++
			after := int64(invoices / (kills + 2))
			go func() {
				defer close(gone)
				for deadline := time.Now().Add(time.Minute); answered.Load() < after && time.Now().Before(deadline); {
					time.Sleep(time.Millisecond)
				}
				s.kill()
			}()
		} else {
			close(gone)
		}
		inParallel(senders, invoices, func(n int) {
			if numbers[n] != "" {
				return
			}
			a, err := s.try("PUT", "/api/invoices/"+drafts[n], key, `{"status":"SENT"}`)
			var sent struct {
				Data struct {
					Number string `json:"invoice_number"`
				}
			}
			if err != nil {
				return // killed: asked again in the next round
			}
			if a.status != 200 || json.Unmarshal(a.body, &sent) != nil || sent.Data.Number == "" {
				t.Errorf("sending: %d %s", a.status, a.body)
			}
			numbers[n] = sent.Data.Number
			answered.Add(1)
		})
		<-gone
		if t.Failed() || round > 10*kills {
			t.Fatalf("after round %d some invoices are still not sent", round)
		}
	}
	slices.Sort(numbers)
	year := numbers[0][len("INV-") : len("INV-")+4]
	for n, number := range numbers {
		if want := fmt.Sprintf("INV-%s-%06d", year, n+1); number != want {
			t.Fatalf("number %d is %s, want %s", n+1, number, want)
		}
	}
	s.stop()
	t.Logf("%d invoices sent by %d clients across %d kills; %s", invoices, senders, killed, mustShell(t, "verify", "--data-dir", dir))
}

// inParallel calls do for 0 to n-1 from so many goroutines.
func inParallel(goroutines, n int, do func(n int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}
