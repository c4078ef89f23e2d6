package kvtest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"exante/storage/kv"
)

// testRefusalIsDurable: what a transaction refuses because of another's write
// is told no earlier than that write is durable, visible and acknowledged. Else
// a caller who hears "taken" would be told of something that a crash undoes.
func testRefusalIsDurable(t *testing.T, s *store) {
	key := []byte("number")
	for range 20 {
		var hooked atomic.Bool
		running := make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- s.DB.Update(context.Background(), func(tx kv.Txn) error {
				tx.OnCommit(func() { hooked.Store(true) })
				close(running)
				time.Sleep(time.Millisecond) // the second comes while this one has its turn
				return tx.Insert(key, []byte("1"))
			})
		}()
		<-running
		err := s.DB.Update(context.Background(), func(tx kv.Txn) error { return tx.Insert(key, []byte("2")) })
		if !errors.Is(err, kv.ErrExists) {
			t.Fatalf("second Insert = %v, want ErrExists", err)
		}
		if !hooked.Load() {
			t.Fatal("refused because of a write whose commit was not over")
		}
		s.view(func(r kv.Reader) error {
			wantGet(t, r, "number", "1")
			return nil
		})
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		s.update(func(tx kv.Txn) error { return tx.Delete(key) })
	}
}
