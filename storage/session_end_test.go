package storage_test

import (
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

// All others end at once, also one that is opened meanwhile, and the one that stays is
// the same as before: it lasts no longer, and its password was typed no later.
func TestEndOtherSessionsLeavesOneAsItWas(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	v.member("bob@example.com")
	_, first := v.signIn("ann@example.com")
	stays, here := v.signIn("ann@example.com")
	_, last := v.signIn("ann@example.com")
	_, bobs := v.signIn("bob@example.com")
	v.clock.Advance(time.Minute)
	before := uint64(len(v.trail(0)))
	by := auth.Principal{OrgID: v.org.ID, UserID: ann.ID}
	if err := v.EndOtherSessions(t.Context(), by, stays); err != nil {
		t.Fatal(err)
	}
	v.reopen()
	if v.signedIn(first) || v.signedIn(last) || !v.signedIn(here) || !v.signedIn(bobs) {
		t.Errorf("signed in are: the first %v, the last %v, the one that stays %v, another user %v", v.signedIn(first), v.signedIn(last), v.signedIn(here), v.signedIn(bobs))
	}
	now, _, err := v.Session(t.Context(), here)
	if stays.Epoch++; err != nil || now != stays {
		t.Errorf("it was %+v and is %+v, %v", stays, now, err)
	}
	if more := v.trail(before); len(more) != 1 || more[0].Action != "user.sessions.end" || more[0].Detail["but"] != stays.ID.String() {
		t.Errorf("audit log: %+v", more)
	}
	v.clock.Advance(time.Hour)
	refused(t, v.EndOtherSessions(t.Context(), by, stays), storage.ErrNotFound, "no such record")
}
