package billing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exante/storage/billing"
)

func TestNamesAreReadBack(t *testing.T) {
	for _, s := range billing.Statuses() {
		for _, text := range []string{s.String(), strings.ToLower(s.String())} {
			if got, ok := billing.ParseStatus(text); !ok || got != s {
				t.Errorf("ParseStatus(%q) = %v, %v, want %v", text, got, ok, s)
			}
		}
	}
	for _, in := range []string{"", "OPEN", "SENT ", "ſENT", "0", "PARTIALLY PAID"} {
		if got, ok := billing.ParseStatus(in); ok {
			t.Errorf("ParseStatus(%q) = %v, want it refused", in, got)
		}
	}
	if got := billing.Status(200).String(); got != "" {
		t.Errorf("Status(200).String() = %q, want nothing", got)
	}
	for _, in := range []billing.InvoiceType{billing.Receivable, billing.Payable} {
		if got, ok := billing.ParseInvoiceType(in.String()); !ok || got != in {
			t.Errorf("ParseInvoiceType(%q) = %v, %v", in, got, ok)
		}
	}
	for _, in := range []billing.CollectionMethod{billing.SendInvoice, billing.ChargeAutomatically} {
		if got, ok := billing.ParseCollectionMethod(in.String()); !ok || got != in {
			t.Errorf("ParseCollectionMethod(%q) = %v, %v", in, got, ok)
		}
	}
	for _, in := range []billing.ContextType{billing.Product, billing.Discount} {
		if got, ok := billing.ParseContextType(in.String()); !ok || got != in {
			t.Errorf("ParseContextType(%q) = %v, %v", in, got, ok)
		}
	}
	if got, ok := billing.ParseContextType(""); ok {
		t.Errorf(`ParseContextType("") = %v, want it refused`, got)
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestOverdueFollowsTheUTCDate(t *testing.T) {
	due := at("2026-11-23T09:30:00Z")
	for _, c := range []struct {
		status billing.Status
		now    string
		want   billing.Status
		days   int
	}{
		{billing.Sent, "2026-11-22T00:00:00Z", billing.Sent, 0},
		{billing.Sent, "2026-11-23T23:59:59Z", billing.Sent, 0},
		{billing.Sent, "2026-11-24T00:00:00Z", billing.Overdue, 1},
		{billing.Sent, "2026-11-24T01:00:00+02:00", billing.Sent, 0},
		{billing.Sent, "2026-11-23T23:00:00-02:00", billing.Overdue, 1},
		{billing.Sent, "2026-12-03T12:00:00Z", billing.Overdue, 10},
		{billing.PartiallyPaid, "2026-11-25T00:00:00Z", billing.Overdue, 2},
		{billing.Draft, "2026-12-03T12:00:00Z", billing.Draft, 0},
		{billing.Approved, "2026-12-03T12:00:00Z", billing.Approved, 0},
		{billing.Scheduled, "2026-12-03T12:00:00Z", billing.Scheduled, 0},
		{billing.Paid, "2026-12-03T12:00:00Z", billing.Paid, 0},
		{billing.Disputed, "2026-12-03T12:00:00Z", billing.Disputed, 0},
		{billing.Void, "2026-12-03T12:00:00Z", billing.Void, 0},
		{billing.Cancelled, "2026-12-03T12:00:00Z", billing.Cancelled, 0},
	} {
		inv := billing.Invoice{Status: c.status, DueDate: due}
		if got := inv.StatusAt(at(c.now)); got != c.want {
			t.Errorf("%s at %s reads %s, want %s", c.status, c.now, got, c.want)
		}
		if got := inv.OverdueDays(at(c.now)); got != c.days {
			t.Errorf("%s at %s is %d days overdue, want %d", c.status, c.now, got, c.days)
		}
	}
}

func TestAgeCountsWholeDays(t *testing.T) {
	inv := billing.Invoice{IssueDate: at("2026-11-23T09:30:00Z")}
	for now, want := range map[string]int{
		"2026-11-20T00:00:00Z": 0, "2026-11-23T09:30:00Z": 0, "2026-11-24T09:29:59Z": 0,
		"2026-11-24T09:30:00Z": 1, "2027-11-23T09:30:00Z": 365,
	} {
		if got := inv.Age(at(now)); got != want {
			t.Errorf("age at %s = %d, want %d", now, got, want)
		}
	}
	inv.IssueDate = at("1000-01-01T00:00:00Z")
	if got, want := inv.Age(at("2026-01-01T00:00:00Z")), 374739; got != want {
		t.Errorf("age since the year 1000 = %d, want %d", got, want)
	}
}

// computed is all of an invoice that depends on the clock.
func computed(inv *billing.Invoice, now time.Time) [3]int {
	return [3]int{int(inv.StatusAt(now)), inv.OverdueDays(now), inv.Age(now)}
}

func TestTrueUntilIsTheNextChangeAndNoLater(t *testing.T) {
	start := at("2026-11-23T09:30:00Z")
	for _, s := range billing.Statuses() {
		for hours := -60; hours < 60 && s != billing.Overdue; hours += 7 {
			inv := billing.Invoice{Status: s, IssueDate: start, DueDate: start.Add(time.Duration(hours) * time.Hour)}
			for minutes := -5000; minutes < 5000; minutes += 611 {
				now := start.Add(time.Duration(minutes) * time.Minute)
				until := inv.TrueUntil(now)
				if !until.After(now) {
					t.Fatalf("%s due %s: true until %s at %s", s, inv.DueDate, until, now)
				}
				if computed(&inv, now) != computed(&inv, until.Add(-time.Nanosecond)) {
					t.Fatalf("%s due %s: changes between %s and %s", s, inv.DueDate, now, until)
				}
				if computed(&inv, now) == computed(&inv, until) {
					t.Fatalf("%s due %s: nothing changes at %s", s, inv.DueDate, until)
				}
			}
		}
	}
}

func TestActionsAreTheLegalMoves(t *testing.T) {
	for _, c := range []struct {
		inv  billing.Invoice
		want string
	}{
		{billing.Invoice{Status: billing.Draft}, "APPROVED SCHEDULED SENT CANCELLED DELETE"},
		{billing.Invoice{Status: billing.Approved}, "DRAFT SCHEDULED SENT CANCELLED"},
		{billing.Invoice{Status: billing.Scheduled}, "APPROVED SENT CANCELLED"},
		{billing.Invoice{Status: billing.Sent, Total: 5}, "PAID DISPUTED VOID"},
		{billing.Invoice{Status: billing.Sent, Total: 5, Paid: 2}, "PARTIALLY_PAID PAID DISPUTED VOID"},
		{billing.Invoice{Status: billing.PartiallyPaid, Total: 5, Paid: 2}, "PAID DISPUTED VOID"},
		{billing.Invoice{Status: billing.Disputed, Total: 5}, "SENT PAID VOID"},
		{billing.Invoice{Status: billing.Disputed, Total: 5, Paid: 2}, "SENT PARTIALLY_PAID PAID VOID"},
		{billing.Invoice{Status: billing.Paid}, ""},
		{billing.Invoice{Status: billing.Void}, ""},
		{billing.Invoice{Status: billing.Cancelled}, ""},
	} {
		if got := c.inv.Actions(); !slices.Equal(got, strings.Fields(c.want)) || got == nil {
			t.Errorf("actions of %s = %v, want %s", c.inv.Status, got, c.want)
		}
	}
}
