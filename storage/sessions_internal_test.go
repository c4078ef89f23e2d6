package storage

import (
	"context"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Sessions that are over leave the disk, and no others.
func TestSweptSessionsAreThoseThatAreOver(t *testing.T) {
	w := newWreck(t)
	name := func(user User, id byte) auth.SessionName {
		return auth.SessionName{OrgID: w.org.ID, UserID: user.ID, ID: uid.ID{id}}
	}
	put := func(user User, id byte, change func(*sessionRecord)) {
		rec := w.session()
		change(rec)
		w.record(keySession(name(user, id)), famSession, rec)
	}
	put(w.owner, 1, func(*sessionRecord) {})
	for id := range byte(sweptAtOnce / 10) {
		put(w.owner, 100+id, func(r *sessionRecord) {
			r.CreatedAt, r.SeenAt, r.EndsAt = r.CreatedAt-9e6, r.SeenAt-9e6, r.EndsAt-9e6
		})
	}
	put(w.viewer, 2, func(*sessionRecord) {})
	if err := w.store.EndSessions(t.Context(), auth.Principal{Shell: true, OrgID: w.org.ID}, w.viewer.ID); err != nil {
		t.Fatal(err)
	}
	w.must(w.store.sweepSessions(context.Background()))
	n := 0
	w.must(w.store.db.View(t.Context(), func(r kv.Reader) (err error) {
		if _, err := readSession(r, name(w.owner, 1)); err != nil {
			t.Errorf("a live session was swept: %v", err)
		}
		n, err = r.Count(inGlobal(famSession))
		return err
	}))
	if n != 1 {
		t.Errorf("%d sessions are left, want 1", n)
	}
	w.options.Now = func() time.Time { return wreckTime.Add(2 * time.Minute) }
	w.must(w.reopen())
	w.must(w.store.sweepSessions(context.Background()))
	if report, err := w.store.Verify(t.Context(), nil); err != nil || len(report.Findings) != 0 {
		t.Errorf("%v, %v", report.Findings, err)
	}
}
