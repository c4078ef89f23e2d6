package server_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"exante/storage"
)

const documentFile = "openapi/openapi.json"

// step is one request of the story that gives the document its examples. Its
// answer becomes the example called name, its body the one called nameRequest.
type step struct {
	name, method, path, body string
	status                   int
	key                      string   // "": the organization's
	headers                  []string // name, value, …
}

// story visits every operation once, and every refusal that the document shows.
// $name stands for the uid that the step of that name answered. Beside those there
// are $acme, the key, $org, its organization, and two invoices, $other and $spare.
var story = []step{
	{name: "createParty", method: "POST", path: "/api/parties", status: 201, body: `{"name":"Globex","address":"742 Evergreen Terrace\nSpringfield","billing_contact":{"name":"Hank Scorpio","email":"hank@globex.example"}}`},
	{name: "getParty", method: "GET", path: "/api/parties/$createParty", status: 200},
	{name: "updateParty", method: "PUT", path: "/api/parties/$createParty", status: 200, body: `{"billing_contact":{"name":"Hank Scorpio","title":"Accounts payable","email":"hank@globex.example","phone":"+1 555 0100"}}`},
	{name: "listParties", method: "GET", path: "/api/parties?search=glo&sort=name", status: 200},
	{name: "createInvoice", method: "POST", path: "/api/invoices", status: 201, body: `{"target_party_uid":"$createParty","currency":"EUR","due_date":"2026-12-31","tax_cents":950,"invoice_fields":{"po":"4711","urgent":true},"line_items":[{"context_type":"PRODUCT","sku":"seat","quantity":2.5,"unit_price":1999}]}`},
	{name: "addLineItems", method: "POST", path: "/api/invoices/$createInvoice/line_items", status: 201, body: `{"context_type":"DISCOUNT","sku":"welcome","unit_price":500}`},
	{name: "updateLineItems", method: "PUT", path: "/api/invoices/$createInvoice/line_items", status: 200, body: `[{"uid":"$addLineItems","unit_price":400}]`},
	{name: "deleteLineItems", method: "DELETE", path: "/api/invoices/$createInvoice/line_items", status: 200, body: `["$addLineItems"]`},
	{name: "updateInvoice", method: "PUT", path: "/api/invoices/$createInvoice", status: 200, body: `{"status":"SENT"}`},
	{name: "getInvoice", method: "GET", path: "/api/invoices/$createInvoice", status: 200},
	{name: "recordPayment", method: "POST", path: "/api/invoices/$createInvoice/payments", status: 201, body: `{"amount_cents":1500,"paid_at":"2026-11-23","reference":"wire 4711"}`, headers: []string{"Idempotency-Key", "4711"}},
	{name: "listPayments", method: "GET", path: "/api/invoices/$createInvoice/payments", status: 200},
	{name: "addAttachments", method: "POST", path: "/api/invoices/$createInvoice/attachment", status: 201, body: formOf(upload{"files", "contract.pdf", "%PDF-1.7"}), headers: []string{"Content-Type", formMedia}},
	{name: "listAttachments", method: "GET", path: "/api/invoices/$createInvoice/attachments", status: 200},
	{name: "deleteAttachment", method: "DELETE", path: "/api/invoices/$createInvoice/attachment", status: 200, body: `{"attachment_uid":"$addAttachments"}`},
	{name: "listInvoices", method: "GET", path: "/api/invoices?status=PARTIALLY_PAID,OVERDUE&sort=-due_date", status: 200},
	{name: "walkInvoices", method: "GET", path: "/api/invoices?cursor=&per_page=100&search=glob", status: 200},
	{name: "bulkUpdateInvoices", method: "PUT", path: "/api/invoices", status: 200, body: `[{"uid":"$createInvoice","due_date":"2027-01-15"},{"uid":"$other","status":"APPROVED"}]`},
	{name: "bulkDeleteInvoices", method: "DELETE", path: "/api/invoices", status: 200, body: `["$spare"]`},
	{name: "getInvoiceStats", method: "GET", path: "/api/organization/$org/invoices/stats?currency=EUR", status: 200},
	{name: "getInvoiceFilterOptions", method: "GET", path: "/api/organization/$org/invoices/filter-options", status: 200},

	{name: "createApiKey", method: "POST", path: "/api/api-keys", status: 201, body: `{"name":"Zapier","scopes":["invoices:read","parties:read"],"expires_in_days":90}`},
	{name: "getApiKey", method: "GET", path: "/api/api-keys/$createApiKey", status: 200},
	{name: "getCurrentApiKey", method: "GET", path: "/api/api-keys/current", status: 200},
	{name: "rotateApiKey", method: "POST", path: "/api/api-keys/$createApiKey/rotate", status: 201, body: `{"grace_days":7}`},
	{name: "listApiKeys", method: "GET", path: "/api/api-keys?state=active,retiring", status: 200},
	{name: "getApiKeyActivity", method: "GET", path: "/api/api-keys/$acme/activity?from=2026-11-23", status: 200},
	{name: "revokeApiKey", method: "DELETE", path: "/api/api-keys/$createApiKey", status: 200},

	{name: "errorMalformedJson", method: "POST", path: "/api/parties", status: 400, body: `{"name":"Globex"`},
	{name: "errorMalformedForm", method: "POST", path: "/api/invoices/$createInvoice/attachment", status: 400, body: "files=contract.pdf", headers: []string{"Content-Type", formMedia}},
	{name: "errorMissingAuthorization", method: "GET", path: "/api/invoices", status: 401, key: "none"},
	{name: "errorInvalidApiKey", method: "GET", path: "/api/invoices", status: 401, key: "ex_live_mistyped"},
	{name: "errorInsufficientScope", method: "GET", path: "/api/parties", status: 403, key: "narrow"},
	{name: "errorNotFound", method: "GET", path: "/api/invoices/" + absent, status: 404},
	{name: "errorNumberTaken", method: "POST", path: "/api/invoices", status: 409, body: `{"target_party_uid":"$createParty","invoice_number":"2026/17"}`},
	{name: "errorIllegalTransition", method: "PUT", path: "/api/invoices/$createInvoice", status: 409, body: `{"status":"DRAFT"}`},
	{name: "errorInvoiceLocked", method: "PUT", path: "/api/invoices/$createInvoice", status: 409, body: `{"currency":"USD","tax_cents":0}`},
	{name: "errorAddToLocked", method: "POST", path: "/api/invoices/$createInvoice/line_items", status: 409, body: `{"context_type":"PRODUCT","sku":"seat"}`},
	{name: "errorNotPayable", method: "POST", path: "/api/invoices/$other/payments", status: 409, body: `{"amount_cents":1}`},
	{name: "errorIdempotencyKeyReused", method: "POST", path: "/api/invoices/$createInvoice/payments", status: 422, body: `{"amount_cents":1501}`, headers: []string{"Idempotency-Key", "4711"}},
	{name: "errorLinesLocked", method: "DELETE", path: "/api/invoices/$createInvoice/line_items", status: 409, body: `["` + absent + `"]`},
	{name: "errorKeyNotActive", method: "POST", path: "/api/api-keys/$createApiKey/rotate", status: 409},
	{name: "errorNotDeletable", method: "DELETE", path: "/api/invoices", status: 409, body: `["$createInvoice"]`},
	{name: "errorPreconditionFailed", method: "PUT", path: "/api/parties/$createParty", status: 412, body: `{"name":"Globex Corporation"}`, headers: []string{"If-Match", `"1"`}},
	{name: "errorUnsupportedMediaType", method: "POST", path: "/api/parties", status: 415, body: `name=Globex`, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}},
	{name: "errorInvalid", method: "POST", path: "/api/invoices", status: 422, body: `{"tax_cents":"19","due_date":"tomorrow","nope":true}`},
	{name: "errorInvalidUpdate", method: "PUT", path: "/api/parties/$createParty", status: 422, body: `{"name":"","address":742}`},
	{name: "errorInvalidParameter", method: "GET", path: "/api/invoices?status=LATE&verbose=1", status: 422},
	{name: "errorRateLimited", method: "GET", path: "/api/invoices", status: 429, key: "limited"},

	{name: "getLiveness", method: "GET", path: "/livez", status: 200, key: "none"},
	{name: "getReadiness", method: "GET", path: "/readyz", status: 200, key: "none"},
}

// The examples in the document are what a real server answered, on a fixed clock
// with fixed randomness. With -update they are put there.
func TestExamplesInTheDocumentAreRealAnswers(t *testing.T) {
	played := play(t)
	text, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	want := layOut(t, text, played)
	if *update {
		if err := os.WriteFile(documentFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var document struct {
		Components struct {
			Examples map[string]struct{ Value any }
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for name, example := range document.Components.Examples {
		var real any
		if err := json.Unmarshal(played["/components/examples/"+name+"/value"], &real); err != nil {
			t.Errorf("nothing in the story is called %s", name)
		} else if !reflect.DeepEqual(real, example.Value) {
			t.Errorf("%s differs; run this test with -update:\n%v, the document says\n%v", name, real, example.Value)
		}
		delete(played, "/components/examples/"+name+"/value")
	}
	for pointer := range played {
		if !strings.HasPrefix(pointer, "/components/examples/error") || !strings.HasSuffix(pointer, "Request/value") {
			t.Errorf("the document has no %s", pointer)
		}
	}
	if !t.Failed() && string(text) != string(want) {
		t.Error("the document is not laid out as -update lays it out")
	}
}

var (
	firstUID = regexp.MustCompile(`"data":\[?\{"uid":"([0-9a-f-]{36})"`) // of what was made
	secret   = regexp.MustCompile(`"key":"ex_live_\w+"`)
)

// play tells the story and returns every value by the pointer where it belongs.
func play(t *testing.T) map[string]jsontext.Value {
	w := startWith(t, func(s *settings) {
		s.store.Rand = rand.NewChaCha8([32]byte{3})
		s.server.Rand = rand.NewChaCha8([32]byte{4})
		s.server.PublicURL = "https://billing.example.com"
		s.auth.Limits = limits(t, "600/1m")
	})
	w.clock.Advance(time.Second)
	other, spare := w.invoice(w.acme.key, `"invoice_number":"2026/17"`), w.invoice(w.acme.key, "")
	keys := map[string]string{"": w.acme.key, "none": ""}
	_, keys["narrow"] = w.mint(w.acme, storage.KeyDraft{Name: "Narrow", Scopes: scopes(t, "invoices:read")})
	_, keys["limited"] = w.mint(w.acme, storage.KeyDraft{Name: "Limited", Scopes: scopes(t, "invoices:read"), Limits: limits(t, "1/1m")})
	w.get("/api/invoices", keys["limited"])

	played := map[string]jsontext.Value{}
	uids := map[string]string{"acme": w.acme.id, "org": w.acme.org.ID.String(), "other": other["uid"].(string), "spare": spare["uid"].(string)}
	for _, s := range story {
		w.clock.Advance(time.Second)
		for name, uid := range uids {
			s.path, s.body = strings.ReplaceAll(s.path, "$"+name, uid), strings.ReplaceAll(s.body, "$"+name, uid)
		}
		key, named := keys[s.key]
		if !named {
			key = s.key
		}
		r := w.do(s.method, s.path, key, s.body, s.headers...)
		if r.status != s.status {
			t.Fatalf("%s: %d %s, want %d", s.name, r.status, r.body, s.status)
		}
		if made := firstUID.FindStringSubmatch(r.body); made != nil {
			uids[s.name] = made[1]
		}
		r.body = secret.ReplaceAllString(r.body, `"key":"ex_live_ThisIsShownOnceAndNeverAgain00000000"`)
		played["/components/examples/"+s.name+"/value"] = jsontext.Value(r.body)
		if jsontext.Value(s.body).IsValid() {
			played["/components/examples/"+s.name+"Request/value"] = jsontext.Value(s.body)
		}
	}
	return played
}
