package storage_test

import (
	"testing"

	"exante/storage"
	"exante/storage/storagetest"
)

// What figures count is what was written, and nothing of it is found by a scan.
func TestFiguresFollowTheStore(t *testing.T) {
	store, _ := storagetest.Open(t, nil)
	figures := func() storage.Figures {
		t.Helper()
		f, err := store.Figures(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	empty := figures()
	if empty.Orgs != 0 || empty.Users != 0 || empty.Invoices != 0 || empty.Audit != 1 {
		t.Errorf("an empty store has %+v", empty)
	}
	storagetest.Org(t, store, "Acme")
	storagetest.Org(t, store, "Rival")
	f := figures()
	if f.Orgs != 2 || f.Users != 2 || f.Audit <= empty.Audit || f.Seq <= empty.Seq {
		t.Errorf("with two organizations: %+v, before: %+v", f, empty)
	}
	if f.Engine.Commits.Count <= empty.Engine.Commits.Count || f.Engine.LogBytes == 0 {
		t.Errorf("engine = %+v, before %+v", f.Engine, empty.Engine)
	}
}
