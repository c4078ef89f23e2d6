package dashboard_test

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"exante/storage/billing"
)

// hidden is the value of a hidden field of a page.
func (r reply) hidden(name string) string {
	r.tb.Helper()
	m := regexp.MustCompile(`<input type="hidden" name="` + name + `" value="([^"]*)">`).FindStringSubmatch(r.body)
	if m == nil {
		r.tb.Fatalf("%s has no hidden %s:\n%s", r.what, name, r.body)
	}
	return m[1]
}

func version(inv billing.Invoice) string { return strconv.FormatUint(inv.Version, 10) }

func TestADraftIsSent(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 12345)
	v := s.as(s.acme.admin)
	v.get(pathOf(inv)).shows(200, "Send").hides("/void", "/payment")
	page := v.get(pathOf(inv)+"/send").shows(200, "Send the invoice", "Acorn", "123.45 USD", "gets the next number")
	v.post(pathOf(inv)+"/send", "version", page.hidden("version")).leadsTo(pathOf(inv))
	v.get(pathOf(inv)).shows(200, "The invoice is sent.", "Invoice INV-2026-000001", "Sent", "by "+s.acme.admin.Email).hides(pathOf(inv) + "/send")
	if now := s.invoice(inv); now.Status != billing.Sent || now.Number != "INV-2026-000001" {
		t.Errorf("it is %v, number %q", now.Status, now.Number)
	}
	v.get(pathOf(inv)+"/send").shows(409, "This invoice can't be sent: it is sent.")
}

func TestAnInvoiceIsMadeVoid(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 12345, billing.Sent)
	v := s.as(s.acme.owner)
	page := v.get(pathOf(inv)+"/void").shows(200, "Void invoice INV-2026-000001", "Nothing is owed on a void invoice", "There is no way back")
	if s.invoice(inv).Status != billing.Sent {
		t.Fatal("looking at the question made it void")
	}
	v.post(pathOf(inv)+"/void", "version", page.hidden("version")).leadsTo(pathOf(inv))
	v.get(pathOf(inv)).shows(200, "The invoice is void.", "Void").hides(pathOf(inv)+"/void", pathOf(inv)+"/payment")
	v.get(pathOf(inv)+"/void").shows(409, "This invoice can't be made void: it is void.").hides("for good")
	draft := s.bill(s.acme, s.client(s.acme, "Birch"), 100)
	v.get(pathOf(draft)+"/void").shows(409, "This invoice can't be made void: it is draft.")
	v.post(pathOf(draft)+"/void", "version", version(draft)).shows(409, "it is draft")
}

// What a person was shown is what he decides on.
func TestAnActionOnWhatHasChangedAsksAgain(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000, billing.Sent)
	v := s.as(s.acme.admin)
	void, payment := v.get(pathOf(inv)+"/void"), v.get(pathOf(inv)+"/payment")
	_, _, err := s.store.RecordPayment(t.Context(), s.acme.by, inv.ID, 2500, s.clock.Now(), "", 0)
	s.must(err)
	again := v.post(pathOf(inv)+"/void", "version", void.hidden("version")).shows(409, "It has changed meanwhile", "Paid 25.00 USD", "is not paid back")
	if s.invoice(inv).Status != billing.PartiallyPaid {
		t.Fatal("it was made void all the same")
	}
	paid := v.post(pathOf(inv)+"/payment", "version", payment.hidden("version"), "once", payment.hidden("once"), "amount", "60", "reference", "typed").
		shows(409, "It has changed meanwhile", "75.00 USD remain")
	if !strings.Contains(paid.body, `value="60"`) || !strings.Contains(paid.body, `value="typed"`) {
		t.Error("what was typed is gone")
	}
	for _, wrong := range []string{"", "0", "x", "-1", "99999999999999999999"} {
		v.post(pathOf(inv)+"/void", "version", wrong).shows(422, "It has changed meanwhile")
	}
	v.post(pathOf(inv)+"/payment", "version", paid.hidden("version"), "once", paid.hidden("once"), "amount", "60").leadsTo(pathOf(inv))
	v.post(pathOf(inv)+"/void", "version", again.hidden("version")).shows(409)
	if now := s.invoice(inv); now.Paid != 8500 {
		t.Errorf("%d are paid", now.Paid)
	}
}

func TestAPaymentIsRecorded(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000, billing.Sent)
	v := s.as(s.acme.admin)
	page := v.get(pathOf(inv)+"/payment").shows(200, "Record a payment on invoice INV-2026-000001", "100.00 USD remain", "Amount in USD")
	for _, value := range []string{`value="100.00"`, `value="2026-11-23"`} {
		if !strings.Contains(page.body, value) {
			t.Errorf("the form does not begin with %s", value)
		}
	}
	v.post(pathOf(inv)+"/payment", "version", page.hidden("version"), "once", page.hidden("once"),
		"amount", " 40.50 ", "paid_at", "2026-11-20", "reference", "wire 4711").leadsTo(pathOf(inv))
	v.get(pathOf(inv)).shows(200, "The payment is recorded.", "Partially paid", "2026-11-20 wire 4711 40.50 USD", "Remaining 59.50 USD")
	page = v.get(pathOf(inv) + "/payment")
	v.post(pathOf(inv)+"/payment", "version", page.hidden("version"), "once", page.hidden("once"), "amount", "59.50").leadsTo(pathOf(inv))
	v.get(pathOf(inv)).shows(200, "Paid", "Remaining 0.00 USD").hides(pathOf(inv) + "/payment")
	v.get(pathOf(inv)+"/payment").shows(409, "This invoice takes no payment: it is paid.")
	v.post(pathOf(inv)+"/payment", "version", version(s.invoice(inv)), "once", "0123456789abcdef", "amount", "1").shows(409, "takes no payment")
}

func TestABadPaymentIsNamedAtItsField(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000, billing.Sent)
	v := s.as(s.acme.admin)
	for _, c := range []struct{ field, value, want string }{
		{"amount", "", `id="amount-help">Say how much came in.`},
		{"amount", "ten", `id="amount-help">Must be a number such as 123.45.`},
		{"amount", "1,50", `id="amount-help">Must be a number such as 123.45.`},
		{"amount", "1.505", `id="amount-help">Has more than the 2 decimals of USD.`},
		{"amount", "0.00", `id="amount-help">Must be more than nothing.`},
		{"amount", "-5", `id="amount-help">Must be a number`},
		{"amount", "100.01", `id="amount-help">Only 100.00 USD remain.`},
		{"amount", "99999999999999999999", `id="amount-help">Is more than 90071992547409.91.`},
		{"paid_at", "soon", `id="paid_at-help">Must be a date such as 2026-11-23.`},
		{"paid_at", "0000-01-01", `id="paid_at-help">Must be a date`},
		{"reference", strings.Repeat("x", 201), `id="reference-help">Must have 0 to 200 characters.`},
		{"once", "short", "This form is not complete."},
		{"once", strings.Repeat("x", 65), "This form is not complete."},
		{"version", "", "It has changed meanwhile."},
	} {
		form := map[string]string{"version": version(inv), "once": "0123456789abcdef", "amount": "50", "paid_at": "2026-11-23", "reference": "r"}
		form[c.field] = c.value
		var pairs []string
		for name, value := range form {
			pairs = append(pairs, name, value)
		}
		if r := v.post(pathOf(inv)+"/payment", pairs...).shows(422); !strings.Contains(r.body, c.want) {
			t.Errorf("%s %q does not show %s:\n%s", c.field, c.value, c.want, r.text())
		}
	}
	if now := s.invoice(inv); now.Version != inv.Version {
		t.Error("something was recorded")
	}
}

// Sent twice, at once or one after the other, a form is one payment.
func TestAPaymentFormCountsOnce(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000, billing.Sent)
	v := s.as(s.acme.admin)
	page := v.get(pathOf(inv) + "/payment")
	form := []string{"version", page.hidden("version"), "once", page.hidden("once"), "amount", "10", "paid_at", "2026-11-23", "reference", "r"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r := v.post(pathOf(inv)+"/payment", form...); r.status != 303 {
				t.Errorf("%d: %s", r.status, r.text())
			}
		})
	}
	all.Wait()
	if now := s.invoice(inv); now.Paid != 1000 || now.Payments != 1 {
		t.Fatalf("%d payments of %d", now.Payments, now.Paid)
	}
	form[5] = "20"
	r := v.post(pathOf(inv)+"/payment", form...).shows(409, "This form was sent before")
	form[1], form[3] = r.hidden("version"), r.hidden("once")
	v.post(pathOf(inv)+"/payment", form...).leadsTo(pathOf(inv))
	if now := s.invoice(inv); now.Paid != 3000 || now.Payments != 2 {
		t.Errorf("%d payments of %d", now.Payments, now.Paid)
	}
}

func TestAViewerChangesNoInvoice(t *testing.T) {
	s := open(t)
	draft := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000)
	sent := s.bill(s.acme, s.client(s.acme, "Birch"), 10000, billing.Sent)
	v := s.as(s.acme.viewer)
	for _, inv := range []billing.Invoice{draft, sent} {
		v.get(pathOf(inv)).shows(200, "Lines").hides("/send", "/void", "/payment")
		for _, end := range []string{"/send", "/void", "/payment"} {
			v.get(pathOf(inv) + end).shows(403)
			v.post(pathOf(inv)+end, "version", version(inv), "once", "0123456789abcdef", "amount", "1").shows(403)
			s.visitor().post(pathOf(inv)+end, "version", version(inv)).leadsTo("/sign-in")
		}
		if now := s.invoice(inv); now.Version != inv.Version {
			t.Error("it was changed")
		}
	}
}
