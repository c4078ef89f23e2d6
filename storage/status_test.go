package storage_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exante/storage"
)

func TestNamesAreReadBack(t *testing.T) {
	for _, s := range storage.Statuses() {
		for _, text := range []string{s.String(), strings.ToLower(s.String())} {
			if got, ok := storage.ParseStatus(text); !ok || got != s {
				t.Errorf("ParseStatus(%q) = %v, %v, want %v", text, got, ok, s)
			}
		}
	}
	for _, in := range []string{"", "OPEN", "SENT ", "ſENT", "0", "PARTIALLY PAID"} {
		if got, ok := storage.ParseStatus(in); ok {
			t.Errorf("ParseStatus(%q) = %v, want it refused", in, got)
		}
	}
	if got := storage.Status(200).String(); got != "" {
		t.Errorf("Status(200).String() = %q, want nothing", got)
	}
	for _, in := range []storage.InvoiceType{storage.Receivable, storage.Payable} {
		if got, ok := storage.ParseInvoiceType(in.String()); !ok || got != in {
			t.Errorf("ParseInvoiceType(%q) = %v, %v", in, got, ok)
		}
	}
	for _, in := range []storage.CollectionMethod{storage.SendInvoice, storage.ChargeAutomatically} {
		if got, ok := storage.ParseCollectionMethod(in.String()); !ok || got != in {
			t.Errorf("ParseCollectionMethod(%q) = %v, %v", in, got, ok)
		}
	}
	for _, in := range []storage.ContextType{storage.Product, storage.Discount} {
		if got, ok := storage.ParseContextType(in.String()); !ok || got != in {
			t.Errorf("ParseContextType(%q) = %v, %v", in, got, ok)
		}
	}
	if got, ok := storage.ParseContextType(""); ok {
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
		status storage.Status
		now    string
		want   storage.Status
		days   int
	}{
		{storage.Sent, "2026-11-22T00:00:00Z", storage.Sent, 0},
		{storage.Sent, "2026-11-23T23:59:59Z", storage.Sent, 0},
		{storage.Sent, "2026-11-24T00:00:00Z", storage.Overdue, 1},
		{storage.Sent, "2026-11-24T01:00:00+02:00", storage.Sent, 0},
		{storage.Sent, "2026-11-23T23:00:00-02:00", storage.Overdue, 1},
		{storage.Sent, "2026-12-03T12:00:00Z", storage.Overdue, 10},
		{storage.PartiallyPaid, "2026-11-25T00:00:00Z", storage.Overdue, 2},
		{storage.Draft, "2026-12-03T12:00:00Z", storage.Draft, 0},
		{storage.Approved, "2026-12-03T12:00:00Z", storage.Approved, 0},
		{storage.Scheduled, "2026-12-03T12:00:00Z", storage.Scheduled, 0},
		{storage.Paid, "2026-12-03T12:00:00Z", storage.Paid, 0},
		{storage.Disputed, "2026-12-03T12:00:00Z", storage.Disputed, 0},
		{storage.Void, "2026-12-03T12:00:00Z", storage.Void, 0},
		{storage.Cancelled, "2026-12-03T12:00:00Z", storage.Cancelled, 0},
	} {
		inv := storage.Invoice{Status: c.status, DueDate: due}
		if got := inv.StatusAt(at(c.now)); got != c.want {
			t.Errorf("%s at %s reads %s, want %s", c.status, c.now, got, c.want)
		}
		if got := inv.OverdueDays(at(c.now)); got != c.days {
			t.Errorf("%s at %s is %d days overdue, want %d", c.status, c.now, got, c.days)
		}
	}
}

func TestAgeCountsWholeDays(t *testing.T) {
	inv := storage.Invoice{IssueDate: at("2026-11-23T09:30:00Z")}
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
func computed(inv *storage.Invoice, now time.Time) [3]int {
	return [3]int{int(inv.StatusAt(now)), inv.OverdueDays(now), inv.Age(now)}
}

func TestTrueUntilIsTheNextChangeAndNoLater(t *testing.T) {
	start := at("2026-11-23T09:30:00Z")
	for _, s := range storage.Statuses() {
		for hours := -60; hours < 60 && s != storage.Overdue; hours += 7 {
			inv := storage.Invoice{Status: s, IssueDate: start, DueDate: start.Add(time.Duration(hours) * time.Hour)}
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
		inv  storage.Invoice
		want string
	}{
		{storage.Invoice{Status: storage.Draft}, "APPROVED SCHEDULED SENT CANCELLED DELETE"},
		{storage.Invoice{Status: storage.Approved}, "DRAFT SCHEDULED SENT CANCELLED"},
		{storage.Invoice{Status: storage.Scheduled}, "APPROVED SENT CANCELLED"},
		{storage.Invoice{Status: storage.Sent, Total: 5}, "PAID DISPUTED VOID"},
		{storage.Invoice{Status: storage.Sent, Total: 5, Paid: 2}, "PARTIALLY_PAID PAID DISPUTED VOID"},
		{storage.Invoice{Status: storage.PartiallyPaid, Total: 5, Paid: 2}, "PAID DISPUTED VOID"},
		{storage.Invoice{Status: storage.Disputed, Total: 5}, "SENT PAID VOID"},
		{storage.Invoice{Status: storage.Disputed, Total: 5, Paid: 2}, "SENT PARTIALLY_PAID PAID VOID"},
		{storage.Invoice{Status: storage.Paid}, ""},
		{storage.Invoice{Status: storage.Void}, ""},
		{storage.Invoice{Status: storage.Cancelled}, ""},
	} {
		if got := c.inv.Actions(); !slices.Equal(got, strings.Fields(c.want)) || got == nil {
			t.Errorf("actions of %s = %v, want %s", c.inv.Status, got, c.want)
		}
	}
}
