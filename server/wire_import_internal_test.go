package server

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
)

var importOrg = uid.ID{1}

const somebody = "0190b7a0-0000-7000-8000-000000000001"

// One reader judges lines and bodies: what is wrong with the one is wrong with the
// other, in the same words.
func TestLineOfAnImportIsRefusedInTheWordsOfTheAPI(t *testing.T) {
	for _, body := range []string{
		``, `{`, `[]`, `null`, `"text"`, `{} {}`, "\ufeff{}", "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `{"a":"\u0000"}`, "{\"a\":\"\x00\"}",
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
		`{}`, `{"nope":1}`, `{"target_party_uid":"x"}`, `{"target_party_uid":null}`,
		`{"target_party_uid":"` + somebody + `","tax_cents":"1","due_date":"soon","status":"LOST","currency":"usd","colour":1}`,
		`{"target_party_uid":"` + somebody + `","tax_cents":1e3}`, `{"target_party_uid":"` + somebody + `","tax_cents":` + strings.Repeat("9", 400) + `}`,
		`{"target_party_uid":"` + somebody + `","line_items":{}}`, `{"target_party_uid":"` + somebody + `","line_items":[{"sku":"","quantity":1.0000001,"x":1}]}`,
		`{"target_party_uid":"` + somebody + `","invoice_fields":7,"collection_method":"cash","invoice_type":"X","owner_uid":7}`,
	} {
		_, err := readInvoice([]byte(body), true)
		l := Wire{}.ReadImport(importOrg, []byte(body))
		if err == nil || l.Refused == nil {
			t.Errorf("%.80q: %v by the API, %v in an import", body, err, l.Refused)
			continue
		}
		if got, want := (Wire{}).Reasons(l.Refused), details(err); !slices.Equal(sorted(got), sorted(want)) {
			t.Errorf("%.80q: %q, the API says %q", body, got, want)
		}
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestLineOfAnImportSaysMoreThanACreation(t *testing.T) {
	l := Wire{}.ReadImport(importOrg, []byte(`{"party":{"name":"Globex","address":"a\nb","billing_contact":{"name":"Ann","email":"a@b.c"}},
		"status":"paid","created_at":"2020-01-02","sent_at":"2020-01-03T00:00:00Z","paid_date":"2020-02-01","amount_paid_cents":90,
		"subtotal_cents":100,"discount_cents":10,"total_cents":90,"total":90,"line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":50,"quantity":2,"line_total":100}]}`))
	if l.Refused != nil {
		t.Fatal(l.Refused)
	}
	day := func(month time.Month, day int) *time.Time {
		return new(time.Date(2020, month, day, 0, 0, 0, 0, time.UTC))
	}
	cents := func(n billing.Cents) *billing.Cents { return &n }
	want := billing.History{CreatedAt: day(1, 2), SentAt: day(1, 3), PaidDate: day(2, 1), Paid: cents(90), Subtotal: cents(100), Discount: cents(10), Total: cents(90)}
	if !reflect.DeepEqual(l.Past, want) || *l.Patch.Status != billing.Paid || l.Patch.PaidDate != nil || *l.Party.Name != "Globex" || (*l.Party.Contact).Name != "Ann" {
		t.Errorf("read as %+v", l)
	}
	for line, want := range map[string]string{
		`{"party":{"name":"A"},"target_party_uid":"` + somebody + `"}`: "party: does not go with target_party_uid",
		`{"party":null}`:             "party: must be an object",
		`{"party":{"name":7,"x":1}}`: "party.name: must be a string;party.x: is not known here",
		`{"party":{"name":"A","billing_contact":{"name":"B","colour":1}}}`:                                           "party.billing_contact.colour: is not known here",
		`{"party":{"name":"A"},"amount_paid_cents":-1}`:                                                              "amount_paid_cents: must be 0 to 9007199254740991",
		`{"party":{"name":"A"},"created_at":null}`:                                                                   "created_at: must be a time such as 2026-11-23T09:30:00Z or a date such as 2026-11-23",
		`{"party":{"name":"A"},"total":1,"total_cents":2}`:                                                           "total: is not total_cents",
		`{"party":{"name":"A"},"line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":50,"line_total":51}]}`: "line_items[0].line_total: is not quantity times unit_price",
		`{"party":{"name":"A"},"line_items":[{"context_type":"PRODUCT","sku":"s","line_total":51}]}`:                 "line_items[0].line_total: is taken with unit_price alone",
		`{"party":{"name":"A"},"line_items":[{"context_type":"PRODUCT","sku":"s","context_name":"s"}]}`:              "line_items[0].context_name: is not known here",
		`{"organization_uid":"` + somebody + `"}`:                                                                    "parties: is required",
		`{"organization_uid":"` + somebody + `","parties":{"x":1}}`:                                                  "parties.client: is required;parties.x: is not known here",
		`{"organization_uid":"` + importOrg.String() + `","parties":{"client":{"name":"A"}}}`:                        "target_party_uid: is required",
		`{"party":{"name":"A"},"invoice_fields":[{"key":"a"},{"key":1,"value":{"value":1,"x":2}}]}`:                  "invoice_fields[0].value: is required;invoice_fields[1].key: must be a string;invoice_fields[1].value.x: is not known here",
	} {
		got := strings.Join(sorted(Wire{}.Reasons(Wire{}.ReadImport(importOrg, []byte(line)).Refused)), ";")
		if got != want {
			t.Errorf("%s: %s\nwant %s", line, got, want)
		}
	}
}

// What an export writes is a line of an import: of another organization without
// what means nothing here, of the same one with it.
func TestExportedInvoiceIsReadBack(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	inv := billing.NewInvoice(uid.ID{2}, uid.ID{3}, "EUR", now.Add(-time.Hour))
	inv.PartyID, inv.OwnerID, inv.DocumentID, inv.Number, inv.IssueDate, inv.DueDate = uid.ID{4}, uid.ID{5}, uid.ID{6}, "A-1", now, now
	inv.Client = billing.Party{ID: uid.ID{4}, Name: "Globex", Contact: &billing.Contact{ID: uid.ID{7}, Name: "Ann"}}
	inv.Lines = []billing.LineItem{{ID: uid.ID{8}, Type: billing.Product, TypeID: uid.ID{9}, SKU: "s", Quantity: billing.One / 2, UnitPrice: 50, Total: 25}}
	inv.Fields = []billing.Field{{Key: "a", JSON: []byte(`{"x":[1.50,"y"]}`)}, {Key: "", JSON: []byte(`null`)}}
	inv.Subtotal, inv.Total = 25, 25
	_, add := Wire{}.Export("ndjson")
	line := add(nil, &inv, now)

	foreign := Wire{}.ReadImport(importOrg, line)
	if foreign.Refused != nil {
		t.Fatal(foreign.Refused)
	}
	p := foreign.Patch
	if p.PartyID != nil || p.OwnerID != nil || *foreign.Party.Name != "Globex" || (*foreign.Party.Contact).Name != "Ann" || *p.DocumentID != inv.DocumentID {
		t.Errorf("read as %+v, %+v", p, foreign.Party)
	}
	if !reflect.DeepEqual(*p.Fields, inv.Fields) || *p.Number != "A-1" || (*p.Lines)[0].SKU == nil || *(*p.Lines)[0].SKU != "s" || *(*p.Lines)[0].Quantity != billing.One/2 {
		t.Errorf("read as %+v", p)
	}
	if *foreign.Past.Total != 25 || !foreign.Past.CreatedAt.Equal(inv.CreatedAt) {
		t.Errorf("its past is %+v", foreign.Past)
	}
	own := Wire{}.ReadImport(uid.ID{2}, line)
	if own.Refused != nil || *own.Patch.PartyID != inv.PartyID || *own.Patch.OwnerID != inv.OwnerID || own.Party != nil {
		t.Errorf("in its own organization: %+v, %v", own.Patch, own.Refused)
	}
}

func TestReasonsOfWhatTheStoreRefuses(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", &billing.TransitionError{From: billing.Paid, To: billing.Sent})
	if got := (Wire{}).Reasons(err); !slices.Equal(got, []string{"status: PAID can't become SENT"}) {
		t.Errorf("%q", got)
	}
	if got := (Wire{}).Reasons(errors.New("secret")); !slices.Equal(got, []string{internal.text}) {
		t.Errorf("%q", got)
	}
}

func BenchmarkReadImport(b *testing.B) {
	line := []byte(`{"party":{"name":"Client 7"},"invoice_number":"X-0000007","status":"SENT","issue_date":"2026-01-01","line_items":[{"context_type":"PRODUCT","sku":"work","quantity":1,"unit_price":1000}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if l := (Wire{}).ReadImport(importOrg, line); l.Refused != nil {
			b.Fatal(l.Refused)
		}
	}
}
