package storage_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

func TestMembersArePagedWithWhereTheyAreSignedIn(t *testing.T) {
	v := openVault(t, nil)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	ann, bob := v.member("ann@example.com"), v.member("bob@example.com")
	for n := range 3 {
		v.user(fmt.Sprintf("u%d@example.com", n), storage.Viewer)
	}
	v.signIn("ann@example.com")
	v.clock.Advance(time.Minute)
	v.signIn("ann@example.com")
	v.signIn("bob@example.com")
	if err := v.EndSessions(t.Context(), v.by, bob.ID); err != nil {
		t.Fatal(err)
	}
	var all []storage.Member
	after, pages := uid.ID{}, 0
	for more := true; more; pages++ {
		page, follows, err := v.Members(t.Context(), v.org.ID, after, 4)
		if err != nil || len(page) > 4 || follows && len(page) < 4 {
			t.Fatalf("%d members, %t, %v", len(page), follows, err)
		}
		all, more, after = append(all, page...), follows, page[len(page)-1].ID
	}
	users, err := v.Users(t.Context(), v.org.ID)
	if err != nil || len(all) != len(users) || pages != 2 {
		t.Fatalf("%d members in %d pages, want %d in 2, %v", len(all), pages, len(users), err)
	}
	for n, m := range all {
		if !reflect.DeepEqual(m.User, users[n]) {
			t.Errorf("member %d is %+v, want %+v", n, m.User, users[n])
		}
		one, err := v.Member(t.Context(), v.org.ID, m.ID)
		if err != nil || !reflect.DeepEqual(one, m) {
			t.Errorf("member %s alone is %+v, %v", m.Email, one, err)
		}
		sessions, seen := 0, time.Time{}
		if m.ID == ann.ID {
			sessions, seen = 2, v.clock.Now()
		}
		if m.Sessions != sessions || !m.SeenAt.Equal(seen) {
			t.Errorf("%s: %d sessions, seen at %s", m.Email, m.Sessions, m.SeenAt)
		}
	}
	if _, err := v.Member(t.Context(), rival.OrgID, ann.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a member of another organization: %v", err)
	}
}

// What is of another organization has no name.
func TestNamesAreThoseOfOneOrganization(t *testing.T) {
	v := openVault(t, nil)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	key := v.mint(full("erp"))
	user := v.user("ann@example.com", storage.Viewer)
	name := "Customer"
	party, err := v.CreateParty(t.Context(), v.by, billing.PartyPatch{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	invoice, err := v.CreateInvoice(t.Context(), v.by, billing.InvoicePatch{PartyID: &party.ID})
	if err != nil {
		t.Fatal(err)
	}
	ids := []uid.ID{{}, key.ID, user.ID, party.ID, invoice.ID, {9}}
	got, err := v.Names(t.Context(), v.org.ID, ids)
	if err != nil || len(got.Users) != 1 || len(got.Keys) != 1 || len(got.Parties) != 1 || len(got.Invoices) != 1 ||
		got.Users[user.ID] != "ann@example.com" || got.Keys[key.ID] != "erp" || got.Snippets[key.ID] != key.Snippet ||
		got.Parties[party.ID] != name || got.Invoices[invoice.ID] != invoice.Number {
		t.Errorf("%+v, %v", got, err)
	}
	foreign, err := v.Names(t.Context(), rival.OrgID, ids)
	if err != nil || len(foreign.Users)+len(foreign.Keys)+len(foreign.Parties)+len(foreign.Invoices)+len(foreign.Snippets) != 0 {
		t.Errorf("another organization is told %+v, %v", foreign, err)
	}
	figures, err := v.OrgFigures(t.Context(), v.org.ID)
	if want := (storage.OrgFigures{Users: 2, Keys: 1, Parties: 1, Invoices: 1}); err != nil || figures != want {
		t.Errorf("%+v, %v, want %+v", figures, err, want)
	}
}

func TestUsersAreFoundByAPartOfTheirAddressAndNamedByAllOfIt(t *testing.T) {
	v := openVault(t, nil)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	if _, err := v.CreateUser(t.Context(), rival, storage.UserDraft{Email: "spy.ann@example.com"}); err != nil {
		t.Fatal(err)
	}
	v.member("ann@example.com") // with a password, which looks like any letters
	v.user("joanna@example.org", storage.Admin)
	if _, err := v.CreateUser(t.Context(), v.by, storage.UserDraft{Email: "bob@example.com", Name: "Not ann"}); err != nil {
		t.Fatal(err)
	}
	users, err := v.Users(t.Context(), v.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"ann", "ann@example.com", "example.", "argon2id", "admin", "nobody", "@", ""} {
		want := map[uid.ID]bool{}
		for _, u := range users {
			if strings.Contains(u.Email, part) {
				want[u.ID] = true
			}
		}
		if got, err := v.UsersWith(t.Context(), v.org.ID, part); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is in %d addresses, want %d, %v", part, len(got), len(want), err)
		}
	}
	spy, err := v.FindUser(t.Context(), "spy.ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	ids, want := []uid.ID{spy.ID, {1}}, map[uid.ID]string{}
	for _, u := range users {
		ids, want[u.ID] = append(ids, u.ID), u.Email
	}
	if got, err := v.Emails(t.Context(), v.org.ID, ids); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the addresses are %v, want %v, %v", got, want, err)
	}
}
