package storage

import (
	"testing"

	"exante/storage/billing"
)

// A scan that ends early must not pass for a short list.
func TestListThatIsShortIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *wreck)
		read func(w *wreck) error
		want string
	}{
		{"users", func(w *wreck) { w.remove(keyUser(w.org.ID, w.viewer.ID)) }, func(w *wreck) error {
			_, err := w.store.Users(t.Context(), w.org.ID)
			return err
		}, "1 users found, 2 counted"},
		{"users of a new key", func(w *wreck) { w.remove(keyUser(w.org.ID, w.viewer.ID)) }, func(w *wreck) error {
			_, _, err := w.store.CreateKey(t.Context(), principalIn(w.org.ID), KeyDraft{Name: "x", Scopes: 1})
			return err
		}, "1 users found, 2 counted"},
		{"organizations", func(w *wreck) { w.remove(keyOrg(w.rival.ID)) }, func(w *wreck) error {
			_, err := w.store.Orgs(t.Context())
			return err
		}, "1 organizations found, 2 counted"},
		{"owner", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.owner.ID), famUser, func(r *userRecord) { r.Role = Viewer })
		}, func(w *wreck) error {
			_, err := w.store.OwnerOf(t.Context(), w.org.ID)
			return err
		}, "has no enabled owner"},
		{"users of whom one is disabled", func(w *wreck) { w.remove(keyUser(w.org.ID, w.viewer.ID)) }, func(w *wreck) error {
			_, err := w.store.DisableUser(t.Context(), principalIn(w.org.ID), w.owner.ID)
			return err
		}, "1 users found, 2 counted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWreck(t)
			c.do(w)
			refuses(t, c.read(w), ErrCorrupt, c.want)
			servesNoMore(t, w, c.want)
		})
	}
}

// servesNoMore checks what follows from damage that was met while a store is
// open: it fails, and the next start says why.
func servesNoMore(t *testing.T, w *wreck, why string) {
	t.Helper()
	select {
	case <-w.store.Failed():
		refuses(t, w.store.Health(), ErrCorrupt, why)
	default:
		t.Error("the store goes on")
	}
	_, err := w.store.CreateParty(t.Context(), principalIn(w.org.ID), billing.PartyPatch{Name: new("x")})
	refuses(t, err, ErrUnknown, why)
	err = w.reopen()
	refuses(t, err, ErrCorrupt, "this was met while it was open (exante.damage): store is damaged: ")
	refuses(t, err, ErrCorrupt, why)
}

// What a client asks for and there is not, is no damage.
func TestNoRequestIsTakenForDamage(t *testing.T) {
	w := newWreck(t)
	by, ctx := principalIn(w.org.ID), t.Context()
	_, _ = w.store.Invoice(ctx, w.org.ID, noID)
	_, _ = w.store.UpdateInvoice(ctx, by, noID, billing.InvoicePatch{Tax: new(billing.Cents(1))}, 0)
	_, _ = w.store.CreateInvoice(ctx, by, billing.InvoicePatch{PartyID: &noID}, nil)
	_, _, _, _ = w.store.Attachments(ctx, w.org.ID, noID, 1, 10)
	_, _ = w.store.OpenAttachment(ctx, w.org.ID, noID, noID)
	_, _ = w.store.RevokeKey(ctx, by, noID, 0)
	_, _ = w.store.RevokeKey(ctx, principalIn(noID), w.old.ID, 0)
	_, _ = w.store.Users(ctx, noID)
	_, _ = w.store.OwnerOf(ctx, noID)
	_, _ = w.store.Party(ctx, w.org.ID, noID)
	_, _ = w.store.Payments(ctx, w.org.ID, noID)
	if err := w.store.Health(); err != nil {
		t.Errorf("the store has failed: %v", err)
	}
	w.must(w.reopen())
}
