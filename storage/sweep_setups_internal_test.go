package storage

import (
	"testing"
	"time"

	"exante/auth"
	"exante/storage/kv"
)

// Links that are over leave the disk, and no others.
func TestSweptSetupLinksAreThoseThatAreOver(t *testing.T) {
	w := newWreck(t)
	clock := newAtomicClock()
	w.options.Now = clock.now
	w.must(w.reopen())
	by := auth.Principal{Shell: true, OrgID: w.org.ID}
	_, _, err := w.store.MintSetup(t.Context(), by, w.viewer.ID)
	w.must(err)
	clock.advance(SetupTime - time.Millisecond)
	live, _, err := w.store.MintSetup(t.Context(), by, w.owner.ID)
	w.must(err)
	sweep := func(want int) {
		t.Helper()
		w.must(w.store.sweepSetups(t.Context()))
		w.must(w.store.db.View(t.Context(), func(r kv.Reader) error {
			n, err := r.Count(inGlobal(famSetup))
			if n != want {
				t.Errorf("%d links are left, want %d", n, want)
			}
			return err
		}))
	}
	sweep(2)
	clock.advance(time.Millisecond)
	sweep(1)
	if _, _, err := w.store.Setup(t.Context(), live); err != nil {
		t.Errorf("the live link: %v", err)
	}
}

// Between the sweeper's look and its deletion a user may get another link.
func TestSweepLeavesALinkThatWasReplaced(t *testing.T) {
	w := newWreck(t)
	live, _, err := w.store.MintSetup(t.Context(), auth.Principal{Shell: true, OrgID: w.org.ID}, w.viewer.ID)
	w.must(err)
	for _, key := range [][]byte{keySetup(w.org.ID, w.viewer.ID), keySetup(w.org.ID, w.owner.ID)} {
		w.must(w.store.update(t.Context(), auth.Principal{}, func(t *tx) error { return t.sweepSetup(key) }))
	}
	if _, _, err := w.store.Setup(t.Context(), live); err != nil {
		t.Errorf("the link that replaced another: %v", err)
	}
}
