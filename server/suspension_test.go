package server_test

import (
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// A key whose user is disabled opens nothing more, not even the rest of an export.
func TestDisabledUserCutsHisExportOff(t *testing.T) {
	w := startLarge(t, nil)
	resp, _ := w.slowExport()
	id, err := uid.Parse(w.acme.id)
	w.must(err)
	key, err := w.store.FindKey(id)
	w.must(err)
	by := auth.Principal{Shell: true, OrgID: key.OrgID}
	_, err = w.store.CreateUser(t.Context(), by, storage.UserDraft{Email: "second@owner.example", Role: storage.Owner})
	w.must(err)
	_, err = w.store.DisableUser(t.Context(), by, key.UserID)
	w.must(err)
	wantCutOff(t, resp)
}
