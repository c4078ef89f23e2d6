package dashboard_test

import (
	"fmt"
	"strings"
	"testing"

	"exante/storage"
	"exante/storage/billing"
)

// Where users are many, no page reads all of them: keys are found by a whole address,
// and every page still says whose something is.
func TestPagesOfAnOrganizationWithManyUsers(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	const field = `<select id="owner" name="owner">`
	k, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "Of the viewer", UserID: s.acme.viewer.ID})
	s.keyIn(s.acme, storage.KeyDraft{Name: "Of the owner", UserID: s.acme.owner.ID})
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000, billing.Sent)
	v.post(pathOf(inv)+"/void", "version", version(inv)).leadsTo(pathOf(inv))
	look := func() {
		t.Helper()
		v.get("/settings/api-keys?find="+escaped(s.acme.viewer.Email)).shows(200, "Of the viewer", s.acme.viewer.Email).hides("Of the owner")
		v.get("/settings/api-keys?find="+escaped(s.rival.viewer.Email)).shows(200).hides("Of the viewer", "Of the owner")
		v.get("/settings/api-keys").shows(200, s.acme.viewer.Email, s.acme.owner.Email)
		v.get(keyPathOf(&k, "revoke")).shows(200, s.acme.viewer.Email)
		v.get(pathOf(inv)).shows(200, "by "+s.acme.owner.Email)
	}
	look()
	if !strings.Contains(v.get("/settings/api-keys?find=viewer@").shows(200, "Of the viewer").body, field) {
		t.Error("with few users none can be chosen")
	}
	for n := range 98 { // 101 in all
		_, err := s.store.CreateUser(t.Context(), s.acme.by, storage.UserDraft{Email: fmt.Sprintf("user%d@acme.example", n), Role: storage.Viewer})
		s.must(err)
	}
	look()
	v.get("/settings/api-keys").hides(field, "user97@acme.example")
}
