package dashboard_test

import (
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
)

func TestTheOverviewLeadsThroughTheFirstSteps(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	v.get("/overview").shows(200, "First steps", "Create an API key", "New API key", `curl -H "Authorization: Bearer $EXANTE_API_KEY" `+s.url+"/api/api-keys/current",
		"Create an invoice", "No requests in this time", "Created the organization").hides("Done", "Outstanding", "/settings/api-keys?finding=")
	s.as(s.acme.viewer).get("/overview").shows(200, "An admin of your organization can create one.").hides("/settings/api-keys/new")

	_, key := s.minted(s.acme, storage.KeyDraft{Name: "Billing", ExpiresAt: s.clock.Now().AddDate(1, 0, 0)})
	v.get("/overview").shows(200, "Create an API key Done", "Created the API key Billing", "None needs a look.").hides("New API key")
	s.ask("GET", "/api/api-keys/current", key)
	v.get("/overview").shows(200, "Call the API with it Done", "Accepted 1")
	s.owed(s.acme, 10_00, billing.Draft, s.clock.Now())
	v.get("/overview").shows(200, "Outstanding", "0 invoices").hides("First steps")
}

// owed makes an invoice of that total.
func (s *site) owed(c company, total billing.Cents, status billing.Status, due time.Time) {
	s.tb.Helper()
	party, err := s.store.CreateParty(s.tb.Context(), c.by, billing.PartyPatch{Name: new("Globex")})
	s.must(err)
	_, err = s.store.CreateInvoice(s.tb.Context(), c.by, billing.InvoicePatch{
		PartyID: &party.ID, Status: &status, DueDate: &due, Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("work"), UnitPrice: &total}},
	})
	s.must(err)
}

func TestTheOverviewCountsWhatNeedsALook(t *testing.T) {
	s := open(t)
	s.minted(s.acme, storage.KeyDraft{Name: "for ever"})
	s.minted(s.acme, storage.KeyDraft{Name: "for ever, too"})
	s.minted(s.acme, storage.KeyDraft{Name: "soon over", ExpiresAt: s.clock.Now().AddDate(0, 0, 3)})
	gone, _ := s.minted(s.acme, storage.KeyDraft{Name: "gone"})
	_, err := s.store.RevokeKey(t.Context(), s.acme.by, gone.ID, 0)
	s.must(err)
	s.minted(s.rival, storage.KeyDraft{Name: "of others"})
	page := s.as(s.acme.viewer).get("/overview").shows(200, "API keys 3", "of 4 that there are", "Never ends 2", "Ends soon 1").hides("of others")
	for _, kind := range []auth.FindingKind{auth.NoExpiry, auth.Expiring} {
		if !strings.Contains(page.body, `href="/settings/api-keys?finding=`+string(kind)+`"`) {
			t.Errorf("no link to the keys with %s", kind)
		}
	}
}

func TestTheOverviewAddsUpTheKeysThatWereUsedLast(t *testing.T) {
	s := open(t)
	now := s.clock.Now()
	var uses []auth.Use
	for i := range 53 {
		k, _ := s.minted(s.acme, storage.KeyDraft{Name: "x"})
		at := now.Add(-time.Duration(i) * time.Minute)
		uses = append(uses, auth.Use{KeyID: k.ID, OrgID: k.OrgID, Last: auth.LastUse{At: at},
			Buckets: []auth.Bucket{{Hour: now.Truncate(time.Hour), Requests: 10, RateLimited: 2, ServerErrors: 1}}})
	}
	other, _ := s.minted(s.rival, storage.KeyDraft{Name: "x"})
	uses = append(uses, auth.Use{KeyID: other.ID, OrgID: other.OrgID, Last: auth.LastUse{At: now}, Buckets: []auth.Bucket{{Hour: now.Truncate(time.Hour), Requests: 1000}}})
	s.must(s.store.RecordUse(t.Context(), uses))
	for _, u := range uses {
		s.store.Keyring().Restore(u, now)
	}
	s.as(s.acme.viewer).get("/overview").shows(200, "Of the 50 keys that were used last, of 53 that were used in this time.",
		"Accepted 350", "429 Too many requests 100", "5xx Server error 50")
}

func TestTheOverviewTellsWhatIsOwed(t *testing.T) {
	s := open(t)
	now := s.clock.Now()
	s.owed(s.acme, 100_00, billing.Sent, now.AddDate(0, 0, 30))
	s.owed(s.acme, 20_50, billing.Sent, now.AddDate(0, 0, 1))
	s.owed(s.acme, 7_00, billing.Draft, now)
	s.owed(s.rival, 5000_00, billing.Sent, now.AddDate(0, 0, 30))
	s.as(s.acme.viewer).get("/overview").shows(200, "Outstanding 120.50 USD 2 invoices", "Overdue – 0 invoices", "Paid – 0 invoices")
	s.clock.Advance(72 * time.Hour)
	page := s.as(s.acme.viewer).get("/overview").shows(200, "Outstanding 120.50 USD 2 invoices", "Overdue 20.50 USD 1 invoice", "Paid – 0 invoices").hides("5000")
	if !strings.Contains(page.body, `href="/invoices?status=OVERDUE"`) {
		t.Error("no link to what is overdue")
	}
}

func TestHostileNamesAreTextOnTheOverview(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	for _, name := range strangeNames {
		s.minted(s.acme, storage.KeyDraft{Name: name})
		v.get("/overview").shows(200, name).hides("<script>alert", "<img src=x", "' onmouseover='")
	}
}
