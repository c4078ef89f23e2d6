// Package demo makes a throw-away store with made-up business in it, through
// the same methods that requests go through.
package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// Store is the place of one demonstration.
type Store struct {
	Dir string     // the data directory
	Key auth.Token // full access; set by Fill

	parent string // of Dir; removed with it
}

// New makes a temporary directory for a demonstration.
func New() (*Store, error) {
	parent, err := os.MkdirTemp("", "exante-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the demonstration: %w", err)
	}
	return &Store{parent: parent, Dir: filepath.Join(parent, "data")}, nil
}

// Remove removes all that the demonstration has on the disk.
func (d *Store) Remove() error { return os.RemoveAll(d.parent) }

const (
	invoices = 500
	writers  = 64 // at once, so that the store commits them in batches
)

// Fill makes one organization with its clients and their invoices, and a key.
func (d *Store) Fill(ctx context.Context, store *storage.Store) error {
	shell := auth.Principal{Shell: true, LocalUID: os.Getuid()}
	org, owner, err := store.CreateOrg(ctx, shell, storage.OrgDraft{Name: "Tidewater Works", OwnerEmail: "owner@tidewater.example"})
	if err != nil {
		return err
	}
	by := shell.In(org.ID)
	_, d.Key, err = store.CreateKey(ctx, by, storage.KeyDraft{Name: "demo", UserID: owner.ID, Scopes: auth.FullAccess})
	if err != nil {
		return err
	}
	var parties []uid.ID
	for _, c := range clients {
		party, err := store.CreateParty(ctx, by, billing.PartyPatch{Name: &c.name, Address: &c.address, Contact: ptr(&c.contact)})
		if err != nil {
			return err
		}
		parties = append(parties, party.ID)
	}
	return fillInvoices(ctx, store, by, plan(parties, time.Now().UTC()))
}

// fillInvoices writes the planned invoices, many at once.
func fillInvoices(ctx context.Context, store *storage.Store, by auth.Principal, stories []story) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	slots := make(chan struct{}, writers)
	for _, st := range stories {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := st.tell(ctx, store, by); err != nil {
				cancel(fmt.Errorf("make an invoice of the demonstration: %w", err))
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}

// story is the life of one invoice.
type story struct {
	draft   billing.InvoicePatch
	becomes []billing.Status // one after the other
	pays    int64            // percent of the total, paid once it is sent
	paidOn  time.Time
}

// tell makes the invoice and leads it through its life.
func (st story) tell(ctx context.Context, store *storage.Store, by auth.Principal) error {
	inv, err := store.CreateInvoice(ctx, by, st.draft)
	if err != nil {
		return err
	}
	for _, status := range st.becomes {
		if inv, err = store.UpdateInvoice(ctx, by, inv.ID, billing.InvoicePatch{Status: &status}, 0); err != nil {
			return err
		}
	}
	if amount := inv.Total * billing.Cents(st.pays) / 100; amount > 0 {
		_, _, err = store.RecordPayment(ctx, by, inv.ID, amount, st.paidOn, "bank transfer", 0)
	}
	return err
}

// plan makes up the stories: the same for the same clients and day, with every
// status that an invoice can have.
func plan(parties []uid.ID, now time.Time) []story {
	random := rand.New(rand.NewPCG(2026, 11))
	stories := make([]story, 0, invoices)
	for _, mix := range mixes {
		for range mix.count {
			stories = append(stories, plot(random, parties, now, mix))
		}
	}
	random.Shuffle(len(stories), func(i, j int) { stories[i], stories[j] = stories[j], stories[i] })
	return stories
}

func plot(random *rand.Rand, parties []uid.ID, now time.Time, mix mix) story {
	n := random.IntN(len(parties))
	issued := now.Truncate(24*time.Hour).AddDate(0, 0, -mix.youngest-random.IntN(mix.oldest-mix.youngest+1))
	due := issued.AddDate(0, 0, 30)
	paidOn := issued.Add(time.Duration(random.Int64N(int64(min(due.Sub(issued), now.Sub(issued))) + 1)))
	lines := make([]billing.LinePatch, 1+random.IntN(4))
	for i, item := range random.Perm(len(items))[:len(lines)] {
		lines[i] = items[item].line(random)
	}
	return story{
		draft: billing.InvoicePatch{
			PartyID: &parties[n], Currency: &clients[n].currency,
			IssueDate: &issued, DueDate: &due, Lines: &lines,
		},
		becomes: mix.becomes, pays: mix.paysPercent, paidOn: paidOn,
	}
}

func (it item) line(random *rand.Rand) billing.LinePatch {
	quantity := billing.Quantity(1+random.IntN(it.most)) * 1_000_000
	if it.halves && random.IntN(2) == 0 {
		quantity += 500_000
	}
	return billing.LinePatch{Type: ptr(billing.Product), SKU: &it.sku, Quantity: &quantity, UnitPrice: &it.price}
}

func ptr[T any](v T) *T { return &v }
