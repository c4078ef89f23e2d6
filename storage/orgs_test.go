package storage_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/storagetest"
)

func TestOrganizationHasAnOwnerFromTheStart(t *testing.T) {
	v := openVault(t, nil)
	owner, err := v.OwnerOf(t.Context(), v.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	if owner.Email != "owner@"+v.org.ID.String()+".invalid" || owner.Role != storage.Owner || owner.HasPassword() || owner.OrgID != v.org.ID {
		t.Errorf("owner %+v", owner)
	}
	org, named, err := v.CreateOrg(t.Context(), storagetest.Shell, storage.OrgDraft{Name: "Cafe\u0301", OwnerEmail: "Jo@Example.COM"})
	if err != nil {
		t.Fatal(err)
	}
	if org.Name != "Caf\u00e9" || org.Currency != "USD" || org.Version != 1 || !org.CreatedAt.Equal(v.clock.Now()) || named.Email != "jo@example.com" {
		t.Errorf("organization %+v of %+v", org, named)
	}
	v.reopen()
	if read, err := v.Org(t.Context(), org.ID); err != nil || read != org {
		t.Errorf("after a restart %+v (%v), want %+v", read, err, org)
	}
	if read, err := v.OwnerOf(t.Context(), org.ID); err != nil || read != named {
		t.Errorf("after a restart %+v (%v), want %+v", read, err, named)
	}
	all, err := v.Orgs(t.Context())
	if err != nil || len(all) != 2 || all[0] != v.org || all[1] != org {
		t.Errorf("organizations %+v (%v)", all, err)
	}
}

func TestUsersAreListedByCreation(t *testing.T) {
	v := openVault(t, nil)
	ann, err := v.CreateUser(t.Context(), v.by, storage.UserDraft{Email: "ann@example.com", Name: "Ann", Role: storage.Admin})
	if err != nil {
		t.Fatal(err)
	}
	bob, err := v.CreateUser(t.Context(), v.by, storage.UserDraft{Email: "bob@example.com"})
	if err != nil || bob.Role != storage.Viewer {
		t.Fatalf("%+v (%v), want a viewer", bob, err)
	}
	_, rival := storagetest.Org(t, v.Store, "Rival")
	if _, err := v.CreateUser(t.Context(), rival, storage.UserDraft{Email: "eve@example.com"}); err != nil {
		t.Fatal(err)
	}
	users, err := v.Users(t.Context(), v.org.ID)
	if err != nil || len(users) != 3 || users[1] != ann || users[2] != bob {
		t.Errorf("users %+v (%v)", users, err)
	}
	if k, _, err := v.CreateKey(t.Context(), v.by, storage.KeyDraft{Name: "ann's", UserID: ann.ID, Scopes: 1 << 15}); err != nil || k.UserID != ann.ID {
		t.Errorf("key of %s (%v), want %s", k.UserID, err, ann.ID)
	}
}

func TestAddressBelongsToOneUser(t *testing.T) {
	v := openVault(t, nil)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	if _, err := v.CreateUser(t.Context(), v.by, storage.UserDraft{Email: "ann@example.com"}); err != nil {
		t.Fatal(err)
	}
	records := uint64(len(v.trail(0)))
	_, err := v.CreateUser(t.Context(), rival, storage.UserDraft{Email: "ANN@example.com"})
	refused(t, err, storage.ErrExists, "email is taken")
	_, _, err = v.CreateOrg(t.Context(), storagetest.Shell, storage.OrgDraft{Name: "Third", OwnerEmail: "ann@example.com"})
	refused(t, err, storage.ErrExists, "owner_email is taken")
	if orgs, err := v.Orgs(t.Context()); err != nil || len(orgs) != 2 {
		t.Errorf("%d organizations (%v), want 2: one with a refused owner must not be there", len(orgs), err)
	}
	if more := v.trail(records); len(more) != 0 {
		t.Errorf("what was refused left %v", more)
	}
}

func TestOneOfManyGetsTheAddress(t *testing.T) {
	v := openVault(t, nil)
	var all sync.WaitGroup
	errs := make(chan error, 16)
	for range cap(errs) {
		all.Go(func() {
			_, err := v.CreateUser(t.Context(), v.by, storage.UserDraft{Email: "ann@example.com"})
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
			continue
		}
		refused(t, err, storage.ErrExists, "email is taken")
	}
	if won != 1 {
		t.Errorf("%d users have the address", won)
	}
}

func TestUserDraftIsRefused(t *testing.T) {
	v := openVault(t, nil)
	long := strings.Repeat("é", 130) + "@x.y"
	for _, c := range []struct {
		draft storage.UserDraft
		want  string
	}{
		{storage.UserDraft{Email: "", Name: "x"}, "invalid: [email: must have 3 to 254 characters]"},
		{storage.UserDraft{Email: "abc"}, "invalid: [email: must be an e-mail address of at most 254 bytes]"},
		{storage.UserDraft{Email: "@example.com"}, "invalid: [email: must be an e-mail address of at most 254 bytes]"},
		{storage.UserDraft{Email: "ann@"}, "invalid: [email: must be an e-mail address of at most 254 bytes]"},
		{storage.UserDraft{Email: "a@b@c"}, "invalid: [email: must be an e-mail address of at most 254 bytes]"},
		{storage.UserDraft{Email: "a b@c.d"}, "invalid: [email: must be an e-mail address of at most 254 bytes]"},
		{storage.UserDraft{Email: long}, "invalid: [email: must be an e-mail address of at most 254 bytes]"},
		{storage.UserDraft{Email: "a@b.c", Role: "root"}, "invalid: [role: must be owner, admin or viewer]"},
		{storage.UserDraft{Email: "a@b.c", Name: fmt.Sprintf("%0201d", 0)}, "invalid: [name: must have 0 to 200 characters]"},
	} {
		_, err := v.CreateUser(t.Context(), v.by, c.draft)
		refused(t, err, input.ErrInvalid, c.want)
	}
	_, _, err := v.CreateOrg(t.Context(), storagetest.Shell, storage.OrgDraft{OwnerEmail: "x"})
	refused(t, err, input.ErrInvalid, "invalid: [name: must have 1 to 200 characters owner_email: must have 3 to 254 characters]")
}

func TestNobodyIsInAnOrganizationThatDoesNotExist(t *testing.T) {
	v := openVault(t, nil)
	nowhere := uid.ID{1}
	_, err := v.CreateUser(t.Context(), storagetest.Shell.In(nowhere), storage.UserDraft{Email: "a@b.c"})
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = v.Org(t.Context(), nowhere)
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = v.Users(t.Context(), nowhere)
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = v.OwnerOf(t.Context(), nowhere)
	refused(t, err, storage.ErrNotFound, "no such record")
}

func TestOrganizationIsChanged(t *testing.T) {
	v := openVault(t, nil)
	change := func(p storage.OrgPatch, ifMatch uint64) (storage.Organization, error) {
		return v.UpdateOrg(t.Context(), v.by, p, ifMatch)
	}
	name, euro := "Cafe\u0301", billing.Currency("EUR")
	sent := v.clock.Now()
	before := uint64(len(v.trail(0)))
	v.clock.Advance(time.Hour)
	org, err := change(storage.OrgPatch{Name: &name, Currency: &euro}, v.org.Version)
	want := storage.Organization{ID: v.org.ID, Name: "Caf\u00e9", Currency: "EUR", CreatedAt: sent, UpdatedAt: v.clock.Now(), Version: 2}
	if err != nil || org != want {
		t.Errorf("%+v, %v\nwant %+v", org, err, want)
	}
	if more := v.trail(before); len(more) != 1 || more[0].Action != "org.update" || more[0].Target != org.ID || len(more[0].Detail) != 1 || more[0].Detail["fields"] != "name currency" {
		t.Errorf("audit log: %+v", more)
	}
	if same, err := change(storage.OrgPatch{Name: &name}, 0); err != nil || same != org || len(v.trail(before)) != 1 {
		t.Errorf("what is no change made %+v, %v", same, err)
	}
	_, err = change(storage.OrgPatch{Currency: &euro}, 1)
	refused(t, err, storage.ErrConflict, "version does not match")
	empty, lira := " ", billing.Currency("eur")
	_, err = change(storage.OrgPatch{Name: &empty, Currency: &lira}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [name: must have 1 to 200 characters currency: is no active ISO 4217 code]")
	_, err = v.UpdateOrg(t.Context(), storagetest.Shell.In(uid.ID{9}), storage.OrgPatch{Name: &name}, 0)
	refused(t, err, storage.ErrNotFound, "no such record")
	v.reopen()
	if back, err := v.Org(t.Context(), v.org.ID); err != nil || back != org {
		t.Errorf("after a restart %+v, %v", back, err)
	}
}

// Amounts keep the currency that they were written in.
func TestCurrencyOfAnOrganizationIsThatOfNewInvoices(t *testing.T) {
	v := openVault(t, nil)
	name := "Beta"
	party, err := v.CreateParty(t.Context(), v.by, billing.PartyPatch{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	draft := func() billing.Invoice {
		t.Helper()
		inv, err := v.CreateInvoice(t.Context(), v.by, billing.InvoicePatch{PartyID: &party.ID})
		if err != nil {
			t.Fatal(err)
		}
		return inv
	}
	old, euro := draft(), billing.Currency("EUR")
	if _, err := v.UpdateOrg(t.Context(), v.by, storage.OrgPatch{Currency: &euro}, 0); err != nil {
		t.Fatal(err)
	}
	if next := draft(); old.Currency != "USD" || next.Currency != "EUR" {
		t.Errorf("invoices in %s and %s, want USD and EUR", old.Currency, next.Currency)
	}
	sums, standard, err := v.InvoiceSums(t.Context(), v.org.ID)
	if err != nil || standard != "EUR" || len(sums) != 2 || sums[0].Currency == sums[1].Currency {
		t.Errorf("sums %+v, in %s by default, %v", sums, standard, err)
	}
}
