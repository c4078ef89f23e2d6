package dashboard_test

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// client makes a party of c.
func (s *site) client(c company, name string) billing.Party {
	s.tb.Helper()
	p, err := s.store.CreateParty(s.tb.Context(), c.by, billing.PartyPatch{Name: &name})
	s.must(err)
	return p
}

// bill makes a draft of one line, and moves it on.
func (s *site) bill(c company, client billing.Party, cents billing.Cents, to ...billing.Status) billing.Invoice {
	s.tb.Helper()
	return s.billAs(c, billing.InvoicePatch{PartyID: &client.ID, Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("work"), UnitPrice: &cents}}}, to...)
}

func (s *site) billAs(c company, patch billing.InvoicePatch, to ...billing.Status) billing.Invoice {
	s.tb.Helper()
	inv, err := s.store.CreateInvoice(s.tb.Context(), c.by, patch)
	s.must(err)
	for _, status := range to {
		inv, err = s.store.UpdateInvoice(s.tb.Context(), c.by, inv.ID, billing.InvoicePatch{Status: &status}, 0)
		s.must(err)
	}
	return inv
}

// invoice is one as it is now.
func (s *site) invoice(was billing.Invoice) billing.Invoice {
	s.tb.Helper()
	inv, err := s.store.Invoice(s.tb.Context(), was.OrgID, was.ID)
	s.must(err)
	return inv
}

func pathOf(inv billing.Invoice) string { return "/invoices/" + inv.ID.String() }

func TestWithoutInvoicesThePageSaysHowToMakeOne(t *testing.T) {
	s := open(t)
	s.as(s.acme.owner).get("/invoices").shows(200, "No invoices yet", "curl "+s.url+"/api/invoices", "exante import", "API keys").hides(`id="list"`)
	s.as(s.acme.viewer).get("/invoices").shows(200, "No invoices yet").hides("that you can make")
}

func TestTheListShowsWhatIsOwed(t *testing.T) {
	s := open(t)
	acorn, birch := s.client(s.acme, "Acorn Ltd"), s.client(s.acme, "Birch GmbH")
	s.bill(s.acme, acorn, 12050)
	paid := s.bill(s.acme, acorn, 20000, billing.Sent, billing.Paid)
	late := s.bill(s.acme, birch, 30000, billing.Sent)
	s.bill(s.rival, s.client(s.rival, "Secret client"), 99900, billing.Sent)
	s.clock.Set(late.DueDate.AddDate(0, 0, 12))
	v := s.as(s.acme.viewer)
	v.get("/invoices").shows(200, "3 invoices", "No number", "Draft", "120.50 USD", paid.Number, "Paid", "0.00 USD",
		late.Number, "Birch GmbH", "Overdue", "overdue by 12 days", "300.00 USD").hides("Secret client", "999.00")
	v.get("/invoices?status=OVERDUE").shows(200, "1 invoice matches", late.Number).hides(paid.Number)
	totals := v.get("/invoices").shows(200, "Totals by status", "1 · 120.50 USD", "1 · 300.00 USD", "As a table", "Overdue 1 300.00 USD")
	for _, link := range []string{`href="/invoices?status=DRAFT"`, `href="/invoices?status=OVERDUE"`, `href="/invoices?status=PAID"`} {
		if !strings.Contains(totals.body, link) {
			t.Errorf("no bar has %s", link)
		}
	}
}

// numbers are those in a list of the pages, and of the API, in their order.
var (
	rowLink    = regexp.MustCompile(`<th scope="row" class="name" data-label="Number"><a href="/invoices/([0-9a-f-]+)"`)
	itemUID    = regexp.MustCompile(`\{"uid":"([0-9a-f-]{36})","parent_contract"`)
	apiAddress = regexp.MustCompile(`<code>GET ([^<]+)</code>`)
)

func found(pattern *regexp.Regexp, text string) (all []string) {
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// The pages and the API find the same for the same parameters, and the page says
// how a program asks for what it shows.
func TestPagesFilterAsTheAPIDoes(t *testing.T) {
	s := open(t)
	acorn, birch := s.client(s.acme, "Acorn Ltd"), s.client(s.acme, "Birch GmbH")
	for i := range 24 {
		p := billing.InvoicePatch{PartyID: &acorn.ID, Currency: new(billing.Currency("USD")), DueDate: new(s.clock.Now().AddDate(0, 0, i))}
		if i%2 == 1 {
			p.PartyID, p.Currency, p.CollectionMethod = &birch.ID, new(billing.Currency("EUR")), new(billing.ChargeAutomatically)
		}
		p.Lines = &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("work"), UnitPrice: new(billing.Cents(1000 * (i%7 + 1)))}}
		s.billAs(s.acme, p, [][]billing.Status{{}, {billing.Approved}, {billing.Sent}, {billing.Sent, billing.Paid}, {billing.Sent, billing.Disputed}}[i%5]...)
		s.clock.Advance(1)
	}
	s.clock.Advance(8 * 24 * 3600e9)
	_, token, err := s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: "reader", UserID: s.acme.owner.ID, Scopes: auth.FullAccess})
	s.must(err)
	v := s.as(s.acme.viewer)
	for _, c := range []struct{ page, api string }{
		{"", ""},
		{"status=SENT&status=OVERDUE", "status=SENT,OVERDUE"},
		{"status=sent,overdue", "status=SENT,OVERDUE"},
		{"client=birch", "target_party_uid=" + birch.ID.String()},
		{"client=+r", "target_party_uid=" + acorn.ID.String() + "," + birch.ID.String()},
		{"target_party_uid=" + acorn.ID.String() + "&search=&client=", "target_party_uid=" + acorn.ID.String()},
		{"total_from=20&total_to=50.00", "total_from=2000&total_to=5000"},
		{"total_from=30&currency=EUR&sort=-total", "total_from=3000&currency=EUR&sort=-total"},
		{"due_date_from=2026-11-25&due_date_to=2026-12-01&sort=due_date", "due_date_from=2026-11-25&due_date_to=2026-12-01&sort=due_date"},
		{"overdue_days_from=3&overdue_days_to=6&sort=-overdue_days", "overdue_days_from=3&overdue_days_to=6&sort=-overdue_days"},
		{"collection_method=charge_automatically&sort=invoice_number", "collection_method=charge_automatically&sort=invoice_number"},
		{"paid_date_from=2026-11-01", "paid_date_from=2026-11-01"},
		{"issue_date_to=2026-11-22", "issue_date_to=2026-11-22"},
		{"invoice_number=INV-2026-000003", "invoice_number=INV-2026-000003"},
		{"updated_since=2026-11-23&search=acorn", "updated_since=2026-11-23&search=acorn"},
	} {
		page := v.get("/invoices?" + c.page).shows(200)
		api := v.send("GET", "/api/invoices?per_page=100&"+c.api, "", "Authorization", "Bearer "+token.Reveal()).shows(200)
		want := found(itemUID, api.body)
		if got := found(rowLink, page.body); !slices.Equal(got, want) {
			t.Errorf("%s finds %q, and the API for %s %q", c.page, got, c.api, want)
		}
		if shown := found(apiAddress, page.body); len(shown) == 1 {
			address := chars.Replace(shown[0])
			separator := "?"
			if strings.Contains(address, "?") {
				separator = "&"
			}
			again := v.send("GET", address+separator+"per_page=100", "", "Authorization", "Bearer "+token.Reveal()).shows(200)
			if got := found(itemUID, again.body); !slices.Equal(got, want) {
				t.Errorf("%s says that %s is the same: %q, want %q", c.page, address, got, want)
			}
		}
	}
}

func TestABadFilterIsNamedAtItsField(t *testing.T) {
	s := open(t)
	s.bill(s.acme, s.client(s.acme, "Acorn"), 1000)
	v := s.as(s.acme.viewer)
	for query, want := range map[string]string{
		"due_date_from=soon":          `id="due_date_from-help">Must be a time such as`,
		"total_from=1,50":             `id="total_from-help">Must be a number such as 123.45.`,
		"total_to=1.505":              `id="total_to-help">Has more than the 2 decimals of USD.`,
		"total_to=-1":                 `id="total_to-help">Must be a number`,
		"status=LATE":                 `id="status-help">Must be one of DRAFT`,
		"overdue_days_from=x":         `id="overdue_days_from-help">Must be an integer`,
		"currency=dollars":            `id="currency-help">Must be`,
		"collection_method=cash":      `id="collection_method-help">Must be`,
		"sort=secret":                 `id="sort-help">Must be one of`,
		"updated_since=1":             `id="updated_since-help">Must be a time`,
		"invoice_number=a%E2%80%AEb":  `id="invoice_number-help">`,
		"client=%00":                  `id="client-help">`,
		"search=" + rep("x", 201):     `id="search-help">Must have at most 200 characters.`,
		"client=a&target_party_uid=x": "This list is of one client already.",
		"target_party_uid=x":          "Target_party_uid must be a uid.",
		"page=0":                      "Page must be an integer from 1 to",
		"per_page=100":                "Per_page is always 50 here.",
		"organization_uid=x":          "Organization_uid is not a known parameter.",
		"cursor=":                     "",
		"sort=total&sort=status":      `id="sort-help">Is given twice.`,
	} {
		if want == "" {
			v.get("/invoices?"+query).shows(200, "1 invoice")
			continue
		}
		r := v.get("/invoices?"+query).shows(422, "Nothing is listed")
		if !strings.Contains(r.body, want) || len(found(rowLink, r.body)) > 0 {
			t.Errorf("%s does not show %q, or lists:\n%s", query, want, r.body)
		}
	}
	v.get("/invoices?client=nobody").shows(200, "No invoice matches")
	if r := v.get("/invoices?due_date_from=soon"); !strings.Contains(r.body, `value="soon"`) {
		t.Error("what was typed is gone")
	}
}

func rep(s string, n int) string { return strings.Repeat(s, n) }

func TestPagesOfTheListLeadToEachOther(t *testing.T) {
	s := open(t)
	acorn := s.client(s.acme, "Acorn")
	for range 120 {
		s.bill(s.acme, acorn, 1000)
	}
	v := s.as(s.acme.viewer)
	seen := map[string]bool{}
	next := "/invoices?search=acorn&sort=created_at"
	for n := 1; n <= 3; n++ {
		r := v.get(next).shows(200, "120 invoices match", fmt.Sprintf("%d to %d of 120", (n-1)*50+1, min(n*50, 120)))
		for _, id := range found(rowLink, r.body) {
			seen[id] = true
		}
		next = ""
		if m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(r.body); m != nil {
			next = chars.Replace(m[1])
		}
	}
	if len(seen) != 120 || next != "" {
		t.Errorf("%d invoices on three pages, then %q", len(seen), next)
	}
	v.get("/invoices?page=4").shows(200, "no more pages")
	v.get("/invoices?page=1000000000").shows(200, "no more pages")
	if got := v.get("/invoices?search=acorn&client=&status=&due_date_to=").header.Get("HX-Push-Url"); got != "/invoices?search=acorn" {
		t.Errorf("the browser is to show %q", got)
	}
}

func TestAnInvoiceShowsAllThatBelongsToIt(t *testing.T) {
	s := open(t)
	name, address := "Acorn Ltd", "1 Oak Street\nOxford"
	client, err := s.store.CreateParty(t.Context(), s.acme.by, billing.PartyPatch{Name: &name, Address: &address,
		Contact: new(&billing.ContactDraft{Name: "Ann", Email: "ann@acorn.example", Phone: "123"})})
	s.must(err)
	inv := s.billAs(s.acme, billing.InvoicePatch{
		PartyID: &client.ID, Tax: new(billing.Cents(1900)), Fields: &[]billing.Field{{Key: "note", JSON: []byte(`"Thank you\nvery much"`)}, {Key: "po", JSON: []byte(`{"n":4711}`)}},
		Lines: &[]billing.LinePatch{
			{Type: new(billing.Product), SKU: new("consulting"), Quantity: new(billing.Quantity(2_500_000)), UnitPrice: new(billing.Cents(4000))},
			{Type: new(billing.Discount), SKU: new("loyalty"), UnitPrice: new(billing.Cents(500))},
		},
	}, billing.Sent)
	_, _, err = s.store.RecordPayment(t.Context(), s.acme.by, inv.ID, 400, s.clock.Now(), "wire 17", 0)
	s.must(err)
	files := []storage.File{{Name: "delivery note.txt", Content: strings.NewReader("delivered")}}
	added, _, err := s.store.AddAttachments(t.Context(), s.acme.by, inv.ID, 0, func() (storage.File, error) {
		if len(files) == 0 {
			return storage.File{}, io.EOF
		}
		defer func() { files = nil }()
		return files[0], nil
	})
	s.must(err)
	renamed := "Acorn Holding"
	_, err = s.store.UpdateParty(t.Context(), s.acme.by, client.ID, billing.PartyPatch{Name: &renamed}, 0)
	s.must(err)

	v := s.as(s.acme.viewer)
	r := v.get(pathOf(inv)).shows(200, "Invoice "+inv.Number, "Partially paid", "Acme", "Acorn Ltd", "1 Oak Street", "Ann", "ann@acorn.example",
		"consulting", "2.5", "40.00", "100.00", "loyalty", "Discount", "−5.00", "Subtotal 100.00 USD", "−5.00 USD", "Tax 19.00 USD", "Total 114.00 USD",
		"Paid 4.00 USD", "Remaining 110.00 USD", "wire 17", "note", "very much", `{"n":4711}`, "delivery note.txt", "9 bytes",
		"Created", "Changed: status, invoice number", "Payment recorded", "File attached", "by an operator").
		hides("Acorn Holding", "There may be older ones")
	if !strings.Contains(r.body, `href="/invoices?target_party_uid=`+client.ID.String()+`"`) {
		t.Error("no way to the other invoices of the client")
	}
	v.get("/invoices?target_party_uid="+client.ID.String()).shows(200, "Acorn Holding", "All clients", inv.Number)

	file := pathOf(inv) + "/attachments/" + added[0].ID.String()
	link := v.get(file).header.Get("Location")
	if got := s.visitor().get(link).shows(200); got.body != "delivered" || !strings.HasPrefix(link, "/files/") {
		t.Errorf("%q leads to %q", link, got.body)
	}
	s.visitor().get(file).leadsTo("/sign-in?next=" + strings.ReplaceAll(file, "/", "%2F"))
	s.as(s.rival.owner).get(file).shows(404)
	v.get(pathOf(inv) + "/attachments/" + inv.ID.String()).shows(404)
	v.get(pathOf(inv) + "/attachments/x").shows(404)
}

// Who is in another organization can't tell its invoice from none.
func TestAForeignInvoiceIsNone(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 1000, billing.Sent)
	v := s.as(s.rival.owner)
	requestID := regexp.MustCompile(`<code>[^<]*</code>`)
	for _, end := range []string{"", "/send", "/void", "/payment"} {
		var first string
		for _, id := range []string{inv.ID.String(), uid.ID{1}.String(), "x"} {
			page := requestID.ReplaceAllString(v.get("/invoices/"+id+end).shows(404).body, "")
			if first == "" {
				first = page
			}
			if page != first {
				t.Errorf("%s of %s is answered by another page", end, id)
			}
			if end != "" {
				v.post("/invoices/"+id+end, "version", "1", "once", "0123456789abcdef", "amount", "1").shows(404)
			}
		}
	}
	if now := s.invoice(inv); now.Version != inv.Version {
		t.Error("it was changed")
	}
}
