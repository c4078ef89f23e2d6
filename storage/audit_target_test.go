package storage_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

func (b *books) history(inv billing.Invoice, limit, reach int) (actions string, whole bool) {
	b.Helper()
	page, err := b.AuditBack(b.Context(), storage.AuditQuery{
		OrgID: inv.OrgID, Target: inv.ID, Since: inv.CreatedAt, Until: inv.UpdatedAt.Add(time.Millisecond), Limit: limit, Reach: reach,
	})
	if err != nil {
		b.Fatal(err)
	}
	var words []string
	for _, e := range page.Entries {
		if e.Target != inv.ID {
			b.Errorf("record %d is about another", e.Seq)
		}
		words = append(words, strings.TrimPrefix(string(e.Action), "invoice."))
	}
	return strings.Join(words, " "), page.Before == 0
}

// However much was done since, what was done to a record is found where it lies.
func TestHistoryIsFoundInTheDepthOfTheLog(t *testing.T) {
	b := openBooks(t)
	others := func() {
		for range 20 {
			b.clock.Advance(2 * time.Minute)
			b.draft(100)
		}
		b.clock.Advance(2 * time.Minute)
	}
	others()
	inv := b.draft(1000)
	for range 5 {
		b.clock.Advance(2 * time.Minute)
		b.draft(100)
	}
	b.move(inv.ID, billing.Sent)
	b.clock.Advance(2 * time.Minute)
	inv = b.pay(inv.ID, 400)
	others()
	for _, c := range []struct {
		limit, look int
		want        string
	}{
		{10, 100, "payment.record update create, true"},
		{2, 100, "payment.record update, false"},
		{10, 8, "payment.record update create, true"},
		{10, 7, "payment.record update, false"},
		{10, 1, "payment.record, false"},
	} {
		actions, whole := b.history(inv, c.limit, c.look)
		if got := fmt.Sprintf("%s, %v", actions, whole); got != c.want {
			t.Errorf("at most %d of %d: %s, want %s", c.limit, c.look, got, c.want)
		}
	}
}

func TestHistoryIsOfOneOrganization(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(1000)
	inv.OrgID = uid.ID{1}
	if got, whole := b.history(inv, 10, 100); got != "" || !whole {
		t.Errorf("another organization sees %q", got)
	}
}
