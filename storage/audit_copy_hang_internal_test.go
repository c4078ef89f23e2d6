package storage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"exante/storage/billing"
)

// A file system that hangs reports no error. Who revokes waits for a bounded time,
// other changes are refused before long, and a stop does not wait for ever.
func TestAuditCopyThatHangs(t *testing.T) {
	w := newWreck(t)
	path := filepath.Join(t.TempDir(), "data.audit")
	c := makeCopier(w.store, path, true)
	w.must(c.attach())
	stuck, hung, err := os.Pipe() // which nobody reads: a write to it hangs once it is full
	w.must(err)
	defer stuck.Close()
	w.must(hung.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)))
	if n, err := hung.Write(make([]byte, 1<<20)); err == nil {
		t.Fatalf("%d bytes fit in", n)
	}
	w.must(hung.SetWriteDeadline(time.Time{}))
	c.detach()
	c.file = hung
	w.store.copy = c
	go c.run()

	began := time.Now()
	w.revoke()
	if took := time.Since(began); took > copyPatience+2*time.Second {
		t.Errorf("a revocation took %v", took)
	}
	for !slices.Contains(w.store.Troubles(), "audit_copy") {
		if time.Since(began) > copyStall+2*time.Second {
			t.Fatal("nobody is told")
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, err = w.store.CreateParty(t.Context(), principalIn(w.org.ID), billing.PartyPatch{Name: new("x")})
	refuses(t, err, ErrAuditUnavailable, "takes too long")
	began = time.Now()
	w.must(w.store.Close())
	if took := time.Since(began); took > copyStop+2*time.Second {
		t.Errorf("Close took %v", took)
	}
	w.must(stuck.Close())
	<-c.done
	w.options.AuditCopy = path
	w.open()
	w.must(w.store.copy.hold(9))
	w.inStep()
}
