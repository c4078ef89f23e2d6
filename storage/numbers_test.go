package storage_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/storagetest"
)

func TestSendingGivesTheNextNumber(t *testing.T) {
	b := openBooks(t)
	b.clock.Set(time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC))
	first := b.reading(billing.Sent)
	b.clock.Advance(time.Second)
	own := b.create(billing.InvoicePatch{Number: new("OWN-1"), Status: new(billing.Sent)})
	second := b.create(billing.InvoicePatch{Status: new(billing.Sent)})
	if first.Number != "INV-2026-000001" || own.Number != "OWN-1" || second.Number != "INV-2027-000002" {
		t.Errorf("numbers are %q, %q, %q", first.Number, own.Number, second.Number)
	}
	for _, to := range []billing.Status{billing.Disputed, billing.Sent, billing.Void} {
		if got := b.move(first.ID, to); got.Number != first.Number {
			t.Errorf("%s: the number is %q, want still %q", to, got.Number, first.Number)
		}
	}
	if inv := b.draft(1); inv.Number != "" {
		t.Errorf("a draft has number %q", inv.Number)
	}
}

func TestNumberIsUniqueInItsOrganization(t *testing.T) {
	b := openBooks(t)
	rival := booksOf(t, b.Store, b.clock)
	inv := b.create(billing.InvoicePatch{Number: new("A")})
	_, err := b.tryCreate(billing.InvoicePatch{Number: new("A")})
	refused(t, err, storage.ErrExists, "invoice_number is taken")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, billing.InvoicePatch{Number: new(" A\t")}, 0)
	refused(t, err, storage.ErrExists, "invoice_number is taken")
	rival.create(billing.InvoicePatch{Number: new("A")})

	b.update(inv.ID, billing.InvoicePatch{Number: new("B")})
	b.create(billing.InvoicePatch{Number: new("A")})
	b.update(inv.ID, billing.InvoicePatch{Number: new("")})
	b.create(billing.InvoicePatch{Number: new("B")})
	sent := b.create(billing.InvoicePatch{Number: new("C"), Status: new(billing.Sent)})
	b.move(sent.ID, billing.Void)
	_, err = b.tryCreate(billing.InvoicePatch{Number: new("C")})
	refused(t, err, storage.ErrExists, "invoice_number is taken")
}

func TestOwnNumberOfTheSeriesFormIsRefused(t *testing.T) {
	b := openBooks(t)
	for _, number := range []string{"INV-2026-000001", "INV-1999-123456", "INV-2026-1234567", " INV-2026-000001 "} {
		_, err := b.tryCreate(billing.InvoicePatch{Number: &number})
		refused(t, err, input.ErrInvalid, "invalid: [invoice_number: is of the form that is kept for numbers given by the server]")
	}
	for _, number := range []string{"INV-2026-00001", "INV-2026-0000001", "INV-26-000001", "inv-2026-000001", "INV-2026-00000x", "XINV-2026-000001"} {
		b.create(billing.InvoicePatch{Number: &number})
	}
}

func TestSixtyFourSendersLeaveNoGap(t *testing.T) {
	b := openBooks(t)
	const senders, each = 64, 4
	drafts := make([]billing.Invoice, senders*each)
	for i := range drafts {
		drafts[i] = b.draft(1)
	}
	var wait sync.WaitGroup
	for s := range senders {
		wait.Go(func() {
			for _, d := range drafts[s*each : (s+1)*each] {
				if _, err := b.UpdateInvoice(t.Context(), b.by, d.ID, billing.InvoicePatch{Status: new(billing.Sent)}, 0); err != nil {
					t.Errorf("send: %v", err)
				}
				_, err := b.tryCreate(billing.InvoicePatch{Status: new(billing.Paid)})
				refused(t, err, billing.ErrTransition, "illegal transition from DRAFT to PAID") // takes no number with it
			}
		})
	}
	wait.Wait()
	var got, want []string
	for i, d := range drafts {
		got = append(got, b.invoice(d.ID).Number)
		want = append(want, fmt.Sprintf("INV-2026-%06d", i+1))
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("numbers are %v", got)
	}
}

func TestSeriesGoesOnAfterReopening(t *testing.T) {
	clock := storagetest.NewClock()
	options := storagetest.Options(t, clock)
	b := booksOf(t, storagetest.Reopen(t, options), clock)
	b.reading(billing.Sent)
	storagetest.Close(t, b.Store)
	options.NumberPattern = "{SEQ:3}/{YYYY}"
	b.Store = storagetest.Reopen(t, options)
	if inv := b.reading(billing.Sent); inv.Number != "002/2026" {
		t.Errorf("the number is %q, want the second, in the new form", inv.Number)
	}
}

// A number that a client chose under another pattern is not given twice, and
// nothing is skipped for it.
func TestSeriesStopsAtATakenNumber(t *testing.T) {
	clock := storagetest.NewClock()
	options := storagetest.Options(t, clock)
	b := booksOf(t, storagetest.Reopen(t, options), clock)
	own := b.create(billing.InvoicePatch{Number: new("1")})
	storagetest.Close(t, b.Store)
	options.NumberPattern = "{SEQ}"
	b.Store = storagetest.Reopen(t, options)
	_, err := b.tryCreate(billing.InvoicePatch{Status: new(billing.Sent)})
	refused(t, err, storage.ErrExists, "invoice_number is taken")
	b.update(own.ID, billing.InvoicePatch{Number: new("mine")})
	if inv := b.reading(billing.Sent); inv.Number != "1" {
		t.Errorf("the number is %q, want the first", inv.Number)
	}
}

func TestNumberPatternIsChecked(t *testing.T) {
	for pattern, text := range map[string]string{
		"INV":               "must have {SEQ} or {SEQ:n}, n from 1 to 12",
		"{SEQ:0}":           "must have {SEQ} or {SEQ:n}, n from 1 to 12",
		"{SEQ:13}":          "must have {SEQ} or {SEQ:n}, n from 1 to 12",
		"{SEQ:x}":           "must have {SEQ} or {SEQ:n}, n from 1 to 12",
		"{SEQUENCE}":        "must have {SEQ} or {SEQ:n}, n from 1 to 12",
		"{SEQ":              "must have {SEQ} or {SEQ:n}, n from 1 to 12",
		"{SEQ}{SEQ}":        "may have {YYYY} and {SEQ} once, and no other brace",
		"{YYYY}{SEQ}{YYYY}": "may have {YYYY} and {SEQ} once, and no other brace",
		"{MM}{SEQ}":         "may have {YYYY} and {SEQ} once, and no other brace",
		" {SEQ}":            "gives numbers that are no clean text of at most 64 characters",
		"a\n{SEQ}":          "gives numbers that are no clean text of at most 64 characters",
		"0123456789012345678901234567890123456789012345678901{SEQ}": "gives numbers that are no clean text of at most 64 characters",
	} {
		options := storagetest.Options(t, nil)
		options.NumberPattern = pattern
		_, err := storage.Open(options)
		if want := fmt.Sprintf("%q %s", pattern, text); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}
