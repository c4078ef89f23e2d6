package dashboard_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/server"
	"exante/storage"
)

// stormOf is how many sign-ins come at once.
const stormOf = 100

// TestManySignInsAtOnceUseTheSlotsAlone: a hundred passwords at once, each of another
// account and from another address, so that only the gate is in their way. It lets
// through what it has room for, the others hear at once to come later, and who has an
// API key notices nothing.
func TestManySignInsAtOnceUseTheSlotsAlone(t *testing.T) {
	gate, err := auth.NewHasher(auth.HasherOptions{}) // as it is in production
	if err != nil {
		t.Fatal(err)
	}
	s := openBehind(t, gate, trustLoopback)
	_, token := s.keyIn(s.acme, storage.KeyDraft{Name: "Steady"})
	caller := s.visitor()
	call := func() time.Duration {
		began := time.Now()
		caller.get("/api/api-keys/current", "Authorization", "Bearer "+token.Reveal()).shows(200)
		return time.Since(began)
	}
	call() // from now on the key is known
	var before, during []time.Duration
	for range 300 {
		before = append(before, call())
	}

	runtime.GC()
	gateBefore, heap := s.auth.Stats().Gate, heapInUse()
	most := gateBefore
	began, storm := time.Now(), s.storm(func(n int) (email, addr string) {
		if n == 0 { // one whom there is, among those who are guessed
			return s.acme.owner.Email, "192.0.2.1"
		}
		return fmt.Sprintf("guess%d@acme.example", n), fmt.Sprintf("198.51.100.%d", n)
	})
	peak := heap
	for over := false; !over; {
		select {
		case <-storm.over:
			over = true
		default:
		}
		during = append(during, call())
		now := s.auth.Stats().Gate
		most.Busy, most.Waiting = max(most.Busy, now.Busy), max(most.Waiting, now.Waiting)
		peak = max(peak, heapInUse())
	}
	took := time.Since(began)

	judged, full := storm.count[http.StatusUnauthorized], storm.count[http.StatusServiceUnavailable]
	ran := s.auth.Stats().Gate.Runs - gateBefore.Runs
	t.Logf("in %s: %v, %d argon2id, at most %d of %d at once, %d of %d waiting; heap from %d to %d MiB; p99 of a key %s before, %s during (%d calls)",
		took, storm.count, ran, most.Busy, most.Slots, most.Waiting, most.Queue, heap>>20, peak>>20, p99(before), p99(during), len(during))
	if judged == 0 || full == 0 || judged+full != stormOf {
		t.Errorf("answered were %v, want some with 401 and all others with 503", storm.count)
	}
	if uint64(judged) != ran || judged > most.Slots+most.Queue+int(took/(10*time.Millisecond)) {
		t.Errorf("%d passwords were judged, by %d argon2id", judged, ran)
	}
	if most.Busy > most.Slots || most.Waiting > most.Queue {
		t.Errorf("%d ran at once and %d waited, of %d and %d", most.Busy, most.Waiting, most.Slots, most.Queue)
	}
	// What is collected late stands beside what is used: as much again, and what is
	// made while the collector runs.
	cost := uint64(most.Slots) * uint64(auth.DefaultParams().MemoryKiB) << 10
	if peak > 2*heap+8*cost {
		t.Errorf("the heap grew from %d to %d MiB", heap>>20, peak>>20)
	}
	// A key that had to queue with the passwords would take a second.
	if slow := p99(during); slow > 10*p99(before)+took/time.Duration(2*judged)+100*time.Millisecond {
		t.Errorf("p99 of a call with a key is %s, before it was %s", slow, p99(before))
	}
}

// One address at one account has five guesses, however fast it sends them.
func TestManyGuessesAtOnceAreAsFewAsOneByOne(t *testing.T) {
	s := open(t, trustLoopback)
	runs := s.auth.Stats().Gate.Runs
	storm := s.storm(func(int) (email, addr string) { return s.acme.owner.Email, "198.51.100.7" })
	<-storm.over
	if got := s.auth.Stats().Gate.Runs - runs; got != 5 || storm.count[http.StatusUnauthorized] != 5 || storm.count[http.StatusTooManyRequests] != stormOf-5 {
		t.Errorf("%d were judged, and answered %v", got, storm.count)
	}
}

// Who finds the gate full reads when to try again, keeps what he typed but for the
// password, and has lost no try.
func TestSignInSaysThatTooManyTry(t *testing.T) {
	gate, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, Slots: 1, Queue: 1, MaxWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s := openBehind(t, gate)
	release := s.occupy(gate)
	for range 8 { // more than there are tries
		r := s.visitor().post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner), "next", "/audit")
		r.shows(503, "Too many passwords are being checked at once. Try again in 1 second.").hides(passwordOf(s.acme.owner))
		if r.header.Get("Retry-After") != "1" || r.header.Get("Content-Type") != "text/html; charset=utf-8" || r.header.Get("Set-Cookie") != "" {
			t.Fatalf("its header is %v", r.header)
		}
		if r.hidden("next") != "/audit" || !strings.Contains(r.body, `value="`+s.acme.owner.Email+`"`) {
			t.Errorf("what was typed is gone:\n%s", r.body)
		}
	}
	release()
	s.visitor().post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner), "next", "/audit").leadsTo("/audit")
}

// trustLoopback believes what a proxy on this machine says of where a request is from.
func trustLoopback(o *server.Options) {
	o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// storm is many sign-ins at once.
type storm struct {
	over  chan struct{} // closed when all are answered; from then on
	count map[int]int   // says how many were, by status
}

// storm sends stormOf wrong passwords at once, each from a browser of its own through
// a proxy with TLS. Every 429 and 503 must say when to try again.
func (s *site) storm(guess func(n int) (email, addr string)) *storm {
	s.tb.Helper()
	result := &storm{make(chan struct{}), map[int]int{}}
	var all sync.WaitGroup
	var mu sync.Mutex
	start := make(chan struct{})
	for n := range stormOf {
		email, addr := guess(n)
		v := s.visitor()
		all.Go(func() {
			<-start
			r := v.send("POST", "/sign-in", "password=a+wrong+guess&email="+email, "Content-Type", "application/x-www-form-urlencoded",
				"Sec-Fetch-Site", "same-origin", "Host", "127.0.0.1", "X-Forwarded-Proto", "https", "X-Forwarded-For", addr)
			wait, err := strconv.Atoi(r.header.Get("Retry-After"))
			mu.Lock()
			defer mu.Unlock()
			result.count[r.status]++
			if later := r.status == 429 || r.status == 503; later && (err != nil || wait < 1 || wait > 60) {
				s.tb.Errorf("%d says Retry-After: %q", r.status, r.header.Get("Retry-After"))
			}
		})
	}
	close(start)
	go func() { all.Wait(); close(result.over) }()
	return result
}

// occupy fills the one slot of a gate for about a second. release waits until it is free.
func (s *site) occupy(gate *auth.Hasher) (release func()) {
	s.tb.Helper()
	const dear = "$argon2id$v=19$m=65536,t=10,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	hash, err := auth.ParseHash(dear)
	s.must(err)
	done := make(chan error, 1)
	go func() {
		_, err := gate.MatchesPassword(s.tb.Context(), auth.NewPassword("whatever it is"), hash)
		done <- err
	}()
	for s.auth.Stats().Gate.Busy == 0 {
		runtime.Gosched()
	}
	return func() { s.must(<-done) }
}

// p99 is what 99 of a hundred stay below.
func p99(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)*99/100]
}

// heapInUse is the memory of what was allocated and not collected yet, in bytes.
func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
