// A short life of an invoice, through a client that is generated from the OpenAPI
// document into the package api.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/google/uuid"

	"clients/api"
)

func main() {
	log.SetFlags(0)
	withKey := api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+os.Getenv("EXANTE_API_KEY"))
		return nil
	})
	client, err := api.NewClientWithResponses(os.Getenv("EXANTE_URL"), withKey)
	if err != nil {
		log.Fatal(err)
	}
	s := scenario{context.Background(), client}
	draft := s.create()
	number := s.send(draft.Uid)
	s.find(draft)
	s.pay(draft.Uid)
	s.listKeys()
	s.beRefused(draft.Uid)
	fmt.Printf("Go: %s was made, sent, found and paid\n", number)
}

type scenario struct {
	context.Context
	*api.ClientWithResponses
}

// must ends the program unless a call went as it should.
func must(err error, ok bool, status string, body []byte) {
	if err != nil || !ok {
		log.Fatalf("%v, %s: %s", err, status, body)
	}
}

func (s scenario) create() api.Invoice {
	made, err := s.CreatePartyWithResponse(s, nil, api.PartyCreate{Name: "Globex", BillingContact: &api.BillingContactInput{Name: "Hank Scorpio"}})
	must(err, made.JSON201 != nil, made.Status(), made.Body)
	party := made.JSON201.Data
	must(nil, party.BillingContact.Email == nil, "an absent value is null", made.Body)

	due, price, quantity := "2035-01-31", int64(2000), float32(2.5)
	currency := "EUR"
	draft, err := s.CreateInvoiceWithResponse(s, nil, api.InvoiceCreate{
		TargetPartyUid: party.Uid, Currency: &currency, DueDate: &due,
		InvoiceFields: &map[string]any{"po": "4711"},
		LineItems:     &[]api.LineItemCreate{{ContextType: api.PRODUCT, Sku: "seat", Quantity: &quantity, UnitPrice: &price}},
	})
	must(err, draft.JSON201 != nil && draft.JSON201.Data.TotalCents == 5000, draft.Status(), draft.Body)
	return draft.JSON201.Data
}

func (s scenario) send(invoice uuid.UUID) string {
	var line api.AddLineItemsJSONRequestBody
	price := int64(1000)
	err := line.FromLineItemCreate(api.LineItemCreate{ContextType: api.DISCOUNT, Sku: "welcome", UnitPrice: &price})
	must(err, true, "", nil)
	added, err := s.AddLineItemsWithResponse(s, invoice, nil, line)
	must(err, added.JSON201 != nil, added.Status(), added.Body)
	one, err := added.JSON201.Data.AsLineItem()
	must(err, one.LineTotal == 1000, added.Status(), added.Body)

	status := api.InvoiceStatusSENT
	sent, err := s.UpdateInvoiceWithResponse(s, invoice, nil, api.InvoiceUpdate{Status: &status})
	must(err, sent.JSON200 != nil && sent.JSON200.Data.InvoiceNumber != nil, sent.Status(), sent.Body)
	return *sent.JSON200.Data.InvoiceNumber
}

func (s scenario) find(draft api.Invoice) {
	statuses, parties := []api.InvoiceStatus{api.InvoiceStatusSENT, api.InvoiceStatusOVERDUE}, []uuid.UUID{draft.TargetPartyUid}
	page, err := s.ListInvoicesWithResponse(s, &api.ListInvoicesParams{Status: &statuses, TargetPartyUid: &parties})
	must(err, page.JSON200 != nil, page.Status(), page.Body)
	items := page.JSON200.Data.Items
	must(nil, len(items) == 1 && items[0].Uid == draft.Uid, page.Status(), page.Body)
}

func (s scenario) pay(invoice uuid.UUID) {
	read, err := s.GetInvoiceWithResponse(s, invoice, nil)
	must(err, read.JSON200 != nil && read.JSON200.Data.AmountRemainingCents == 4000, read.Status(), read.Body)
	tag, once := read.HTTPResponse.Header.Get("ETag"), "payment-of-"+invoice.String()
	payment, err := s.RecordPaymentWithResponse(s, invoice, &api.RecordPaymentParams{IfMatch: &tag, IdempotencyKey: &once}, api.PaymentCreate{AmountCents: 4000})
	must(err, payment.JSON201 != nil && payment.JSON201.Data.Currency == "EUR", payment.Status(), payment.Body)
	paid, err := s.GetInvoiceWithResponse(s, invoice, nil)
	must(err, paid.JSON200 != nil && paid.JSON200.Data.Status == api.InvoiceStatusPAID, paid.Status(), paid.Body)
}

func (s scenario) listKeys() {
	states := []api.ApiKeyState{api.Active}
	keys, err := s.ListApiKeysWithResponse(s, &api.ListApiKeysParams{State: &states})
	must(err, keys.JSON200 != nil && len(keys.JSON200.Data.Items) > 0, keys.Status(), keys.Body)
}

// beRefused looks at an error, which has a type of its own for each status.
func (s scenario) beRefused(invoice uuid.UUID) {
	status := api.InvoiceStatusDRAFT
	refused, err := s.UpdateInvoiceWithResponse(s, invoice, nil, api.InvoiceUpdate{Status: &status})
	must(err, refused.JSON409 != nil, refused.Status(), refused.Body)
	why, err := refused.JSON409.AsTransitionError()
	must(err, why.Code == "illegal_transition" && len(why.AvailableActions) == 0, refused.Status(), refused.Body)

	absent, err := s.GetInvoiceWithResponse(s, uuid.MustParse("0190b7a0-0000-7000-8000-00000000dead"), nil)
	must(err, absent.JSON404 != nil && absent.JSON404.Code == "not_found", absent.Status(), absent.Body)
	must(nil, strings.HasPrefix(absent.Status(), "404"), absent.Status(), absent.Body)
}
