package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is what the clients were told: an acknowledged write is in it.
type ledger struct {
	mu       sync.Mutex
	invoices map[string]string // uid → invoice number
	revoked  map[string]string // key uid → secret
}

// TestKillLosesNoAcknowledgedWrite kills the server 20 times under load. Each
// write that was answered is there afterwards and the store verifies.
func TestKillLosesNoAcknowledgedWrite(t *testing.T) {
	const cycles, writers = 20, 8
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin", "--rate-limit", "1000000000/1s")
	told := &ledger{invoices: map[string]string{}, revoked: map[string]string{}}
	checked := 0
	for cycle := range cycles {
		s := serve(t, dir)
		checked += told.check(t, s, admin.Key, 300)
		party := data[struct{ UID string }](t, s.call("POST", "/api/parties", admin.Key, `{"name":"Cycle"}`).want(t, 201)).UID
		var load sync.WaitGroup
		done := make(chan struct{})
		for w := range writers {
			load.Go(func() { told.write(s, admin.Key, party, fmt.Sprintf("C%d-%d", cycle, w), done) })
		}
		load.Go(func() { told.revoke(s, admin.Key, done) })
		time.Sleep(time.Duration(150+rand.IntN(250)) * time.Millisecond)
		s.kill()
		close(done)
		load.Wait()
	}
	mustShell(t, "verify", "--data-dir", dir)
	s := serve(t, dir)
	checked += told.check(t, s, admin.Key, len(told.invoices)+len(told.revoked))
	t.Logf("%d cycles, %d invoices and %d revocations acknowledged, %d look-ups, 0 lost",
		cycles, len(told.invoices), len(told.revoked), checked)
	if len(told.invoices) < cycles*writers || len(told.revoked) < cycles/2 {
		t.Errorf("only %d invoices and %d revocations were acknowledged: too little load to prove anything", len(told.invoices), len(told.revoked))
	}
}

// write creates invoices until the server is gone.
func (l *ledger) write(s *server, key, party, name string, done <-chan struct{}) {
	for i := 0; ; i++ {
		number := fmt.Sprintf("%s-%d", name, i)
		a, err := s.try("POST", "/api/invoices", key, `{"target_party_uid":"`+party+`","invoice_number":"`+number+
			`","line_items":[{"context_type":"PRODUCT","sku":"hour","quantity":1.5,"unit_price":9900}]}`)
		if err != nil || a.status != 201 {
			return
		}
		var body struct{ Data struct{ UID string } }
		if json.Unmarshal(a.body, &body) != nil {
			return
		}
		l.mu.Lock()
		l.invoices[body.Data.UID] = number
		l.mu.Unlock()
		select {
		case <-done:
			return
		default:
		}
	}
}

// revoke makes keys and revokes them until the server is gone.
func (l *ledger) revoke(s *server, admin string, done <-chan struct{}) {
	for {
		a, err := s.try("POST", "/api/api-keys", admin, `{"name":"short-lived"}`)
		if err != nil || a.status != 201 {
			return
		}
		var made struct{ Data apiKey }
		if json.Unmarshal(a.body, &made) != nil {
			return
		}
		a, err = s.try("DELETE", "/api/api-keys/"+made.Data.UID, admin, "")
		if err != nil || a.status != 200 {
			return
		}
		l.mu.Lock()
		l.revoked[made.Data.UID] = made.Data.Key
		l.mu.Unlock()
		select {
		case <-done:
			return
		default:
		}
	}
}

// check looks up at most so many acknowledged invoices and as many revocations.
func (l *ledger) check(t *testing.T, s *server, admin string, most int) int {
	t.Helper()
	done := 0
	for uid, number := range l.invoices {
		if done == most {
			break
		}
		a := s.call("GET", "/api/invoices/"+uid, admin, "")
		if a.status != 200 || !strings.Contains(string(a.body), `"`+number+`"`) {
			t.Fatalf("acknowledged invoice %s (%s) is lost: %d %s", uid, number, a.status, a.body)
		}
		done++
	}
	for uid, secret := range l.revoked {
		if done >= 2*most {
			break
		}
		s.call("GET", "/api/api-keys/current", secret, "").wantError(t, 401, "api_key_revoked")
		if t.Failed() {
			t.Fatalf("acknowledged revocation of %s is lost", uid)
		}
		done++
	}
	return done
}
