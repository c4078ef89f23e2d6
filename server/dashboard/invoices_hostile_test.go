package dashboard_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
)

func TestHostileNamesOfInvoicesStayText(t *testing.T) {
	s := open(t)
	for i, name := range hostile {
		client := s.client(s.acme, name)
		inv := s.billAs(s.acme, billing.InvoicePatch{
			PartyID: &client.ID, Number: new(fmt.Sprintf("%d%.50s", i, name)), Fields: &[]billing.Field{{Key: name, JSON: []byte(fmt.Sprintf("%q", name))}},
			Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: &name, UnitPrice: new(billing.Cents(1000))}},
		}, billing.Sent)
		_, _, err := s.store.RecordPayment(t.Context(), s.acme.by, inv.ID, 1, s.clock.Now(), name, 0)
		s.must(err)
		sent := false
		_, _, err = s.store.AddAttachments(t.Context(), s.acme.by, inv.ID, 0, func() (storage.File, error) {
			if sent {
				return storage.File{}, io.EOF
			}
			sent = true
			return storage.File{Name: strings.ReplaceAll(name, "/", "-"), Content: strings.NewReader("x")}, nil
		})
		s.must(err)
		v := s.as(s.acme.admin)
		for _, path := range []string{"/invoices", pathOf(inv), pathOf(inv) + "/void", pathOf(inv) + "/payment", "/invoices?target_party_uid=" + client.ID.String()} {
			v.get(path).shows(200, name).hides("<script>alert", "<img src=x", "' onmouseover='")
		}
		for _, field := range []string{"search", "client", "total_from", "status", "due_date_from"} {
			v.get("/invoices?"+field+"="+escaped(name)).hides("<script>alert", "<img src=x", "' onmouseover='")
		}
		v.post(pathOf(inv)+"/payment", "version", "1", "once", name, "amount", name, "paid_at", name, "reference", name).
			shows(422).hides("<script>alert", "<img src=x", "' onmouseover='")
	}
	_, _, err := s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: hostile[0], UserID: s.acme.owner.ID, Scopes: auth.FullAccess})
	s.must(err)
	key := s.store.Keys(s.acme.org.ID)[0]
	by := auth.Principal{OrgID: s.acme.org.ID, UserID: s.acme.owner.ID, Key: key}
	client := s.client(s.acme, "Acorn")
	inv, err := s.store.CreateInvoice(t.Context(), by, billing.InvoicePatch{PartyID: &client.ID})
	s.must(err)
	s.as(s.acme.admin).get(pathOf(inv)).shows(200, "by API key “"+hostile[0]+"”").hides("<script>alert")
}
