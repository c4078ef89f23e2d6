package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

func TestAuditSelects(t *testing.T) {
	v := openVault(t, nil) // records 1 to 3
	key, _, err := v.CreateKey(t.Context(), v.by, full("erp"))
	if err != nil {
		t.Fatal(err)
	}
	v.clock.Advance(time.Hour)
	if _, _, err := v.CreateKey(t.Context(), using(&key), full("child")); err != nil {
		t.Fatal(err)
	}
	if _, err := v.RevokeKey(t.Context(), v.by, key.ID, 0); err != nil {
		t.Fatal(err)
	}
	v.clock.Advance(time.Hour)
	other, _ := storagetest.Org(t, v.Store, "Other") // 7 and 8
	later := storagetest.Begin.Add(time.Hour)
	for _, c := range []struct {
		name string
		q    storage.AuditQuery
		want string
	}{
		{"everything", storage.AuditQuery{}, "1 2 3 4 5 6 7 8"},
		{"the newest", storage.AuditQuery{Newest: true, Limit: 3}, "8 7 6"},
		{"the oldest", storage.AuditQuery{Limit: 2}, "1 2"},
		{"after", storage.AuditQuery{After: 6}, "7 8"},
		{"after the last", storage.AuditQuery{After: 8}, ""},
		{"after all there can be", storage.AuditQuery{After: 1<<64 - 1}, ""},
		{"before", storage.AuditQuery{Before: 3, Newest: true}, "2 1"},
		{"between", storage.AuditQuery{After: 2, Before: 5}, "3 4"},
		{"between nothing", storage.AuditQuery{After: 5, Before: 3}, ""},
		{"an organization", storage.AuditQuery{OrgID: other.ID}, "7 8"},
		{"a key, as actor and as target", storage.AuditQuery{KeyID: key.ID}, "4 5 6"},
		{"a user, as actor", storage.AuditQuery{UserID: key.UserID, Action: "key."}, "5"},
		{"nobody", storage.AuditQuery{KeyID: uid.ID{1}}, ""},
		{"one action", storage.AuditQuery{Action: "key.revoke"}, "6"},
		{"a kind of action", storage.AuditQuery{Action: "key.", Newest: true}, "6 5 4"},
		{"since", storage.AuditQuery{Since: later}, "5 6 7 8"},
		{"until, which is not included", storage.AuditQuery{Until: later}, "1 2 3 4"},
		{"both", storage.AuditQuery{Since: later, Until: later.Add(time.Millisecond)}, "5 6"},
	} {
		entries, err := v.Audit(t.Context(), c.q)
		var got []string
		for _, e := range entries {
			got = append(got, fmt.Sprint(e.Seq))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	for _, action := range []string{"key.borrow", "key", "nothing.", "k.", "."} {
		if _, err := v.Audit(t.Context(), storage.AuditQuery{Action: action}); !errors.Is(err, input.ErrInvalid) {
			t.Errorf("action %q: %v", action, err)
		}
	}
}
