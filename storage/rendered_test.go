package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/storage/billing"
)

// render writes what a body shows that can change.
func render(inv *billing.Invoice, now time.Time) ([]byte, error) {
	return fmt.Appendf(nil, "%d %s %d %s %d", inv.Version, inv.StatusAt(now), inv.OverdueDays(now), inv.Client.Name, inv.Client.Version), nil
}

// body is what RenderedInvoice answers, and whether it had to render.
func (b *books) body(inv billing.Invoice) (text string, rendered bool) {
	b.Helper()
	r, err := b.RenderedInvoice(b.Context(), b.org.ID, inv.ID, func(i *billing.Invoice, now time.Time) ([]byte, error) {
		rendered = true
		return render(i, now)
	})
	if err != nil {
		b.Fatalf("render: %v", err)
	}
	if !strings.HasPrefix(string(r.Body), strconv.FormatUint(r.Version, 10)+" ") {
		b.Errorf("the body %q is answered as version %d", r.Body, r.Version)
	}
	return string(r.Body), rendered
}

func (b *books) wantBody(inv billing.Invoice, want string) {
	b.Helper()
	for _, fresh := range []bool{true, false} {
		if got, rendered := b.body(inv); got != want || rendered != fresh {
			b.Errorf("the body is %q, rendered: %v, want %q, rendered: %v", got, rendered, want, fresh)
		}
	}
}

func TestBodyIsRenderedAgainAfterEveryChange(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	b.wantBody(inv, "1 DRAFT 0 Globex 1")
	b.update(inv.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))})
	b.wantBody(inv, "2 DRAFT 0 Globex 1")
	b.addLines(inv.ID, product("x", 1))
	b.wantBody(inv, "3 DRAFT 0 Globex 1")
	b.move(inv.ID, billing.Sent)
	b.wantBody(inv, "4 SENT 0 Globex 1")
	b.pay(inv.ID, 1)
	b.wantBody(inv, "5 PARTIALLY_PAID 0 Globex 1")
	b.update(inv.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))}) // no change
	if _, rendered := b.body(inv); rendered {
		t.Error("an update without a change cost the body")
	}
}

func TestBodyFollowsTheClock(t *testing.T) {
	b := openBooks(t)
	inv := b.move(b.draft(100).ID, billing.Sent)
	b.wantBody(inv, "2 SENT 0 Globex 1")
	b.clock.Set(inv.DueDate.Truncate(24 * time.Hour).Add(24 * time.Hour))
	b.wantBody(inv, "2 OVERDUE 1 Globex 1")
	b.clock.Advance(24 * time.Hour)
	b.wantBody(inv, "2 OVERDUE 2 Globex 1")
	b.clock.Advance(-48 * time.Hour)
	b.wantBody(inv, "2 SENT 0 Globex 1")
}

func TestBodyOfAnUnsentInvoiceFollowsItsParty(t *testing.T) {
	b := openBooks(t)
	draft, sent := b.draft(100), b.reading(billing.Sent)
	b.wantBody(draft, "1 DRAFT 0 Globex 1")
	b.wantBody(sent, "2 SENT 0 Globex 1")
	if _, err := b.UpdateParty(t.Context(), b.by, b.party.ID, billing.PartyPatch{Name: new("New")}, 0); err != nil {
		t.Fatal(err)
	}
	b.wantBody(draft, "1 DRAFT 0 New 2")
	if text, rendered := b.body(sent); text != "2 SENT 0 Globex 1" || rendered {
		t.Errorf("the body of the sent invoice is %q, rendered: %v, want it as it was", text, rendered)
	}
	other := b.newParty("Other")
	b.update(draft.ID, billing.InvoicePatch{PartyID: &other.ID})
	b.wantBody(draft, "2 DRAFT 0 Other 1")
}

func TestRenderErrorIsPassedOnAndNotRemembered(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	broken := errors.New("broken")
	_, err := b.RenderedInvoice(t.Context(), b.org.ID, inv.ID, func(*billing.Invoice, time.Time) ([]byte, error) { return nil, broken })
	if err != broken {
		t.Errorf("got %v, want the error of render", err)
	}
	b.wantBody(inv, "1 DRAFT 0 Globex 1")
}

func TestNoReaderSeesABodyOlderThanWhatWasAcknowledged(t *testing.T) {
	b := openBooks(t)
	const invoices, writes = 4, 60
	var list [invoices]billing.Invoice
	var acknowledged [invoices]atomic.Uint64
	var party atomic.Uint64
	for i := range list {
		list[i] = b.draft(1)
		acknowledged[i].Store(1)
	}
	party.Store(1)
	ctx, stop := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	read := func(n int) {
		version, client := acknowledged[n].Load(), party.Load()
		r, err := b.RenderedInvoice(context.Background(), b.org.ID, list[n].ID, render)
		if err != nil {
			t.Errorf("render: %v", err)
			return
		}
		fields := strings.Fields(string(r.Body))
		if shown, _ := strconv.ParseUint(fields[len(fields)-1], 10, 64); r.Version < version || shown < client {
			t.Errorf("answered version %d with party %d after %d and %d were acknowledged", r.Version, shown, version, client)
		}
	}
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				read(rand.IntN(invoices))
			}
		})
	}
	for n := range list {
		writers.Go(func() {
			for i := range writes {
				inv, err := b.UpdateInvoice(ctx, b.by, list[n].ID, billing.InvoicePatch{Tax: new(billing.Cents(i + 1))}, 0)
				if err != nil {
					t.Errorf("update: %v", err)
					return
				}
				acknowledged[n].Store(inv.Version)
			}
		})
	}
	writers.Go(func() {
		for i := range writes {
			p, err := b.UpdateParty(ctx, b.by, b.party.ID, billing.PartyPatch{Name: new(fmt.Sprint("p", i))}, 0)
			if err != nil {
				t.Errorf("update party: %v", err)
				return
			}
			party.Store(p.Version)
		}
	})
	writers.Wait()
	stop()
	readers.Wait()
}
