package storage_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/storagetest"
)

// named is a request with an idempotency key and a body, of which show is what it
// answers.
func named[T any](key, body string, show func(T) string) *storage.Once[T] {
	return &storage.Once[T]{
		ID: sha256.Sum256([]byte(key)), Fingerprint: sha256.Sum256([]byte(body)),
		Render: func(made T) storage.Answer {
			return storage.Answer{Status: 201, Body: []byte(show(made)), Version: 7}
		},
	}
}

func partyText(p billing.Party) string { return p.ID.String() + " " + p.Name }

// wantReplay checks that err is the replay of an answer.
func wantReplay(tb testing.TB, err error, want storage.Answer) {
	tb.Helper()
	var replay *storage.ReplayError
	if !errors.As(err, &replay) || replay.Status != want.Status || replay.Version != want.Version || !bytes.Equal(replay.Body, want.Body) {
		tb.Fatalf("got %v, want a replay of %d %.60q", err, want.Status, want.Body)
	}
}

// Each method that makes something makes one thing for one key, and says the same
// of it the second time; the same key with another body is refused.
func TestEveryMakingMethodIsCarriedOutOnce(t *testing.T) {
	b := openBooks(t)
	ctx := t.Context()
	draft, sent := b.draft(100).ID, b.reading(billing.Sent).ID
	key, _, err := b.CreateKey(ctx, b.by, full("old"))
	if err != nil {
		t.Fatal(err)
	}
	owner, err := b.OwnerOf(ctx, b.by.OrgID)
	if err != nil {
		t.Fatal(err)
	}
	keyText := func(k auth.Key) string { return k.ID.String() }
	for name, do := range map[string]func(body string) (storage.Answer, error){
		"invoice": func(body string) (storage.Answer, error) {
			o := named("invoice", body, func(i billing.Invoice) string { return i.ID.String() })
			_, err := b.CreateInvoice(ctx, b.by, billing.InvoicePatch{PartyID: &b.party.ID}, o)
			return o.Kept(), err
		},
		"lines": func(body string) (storage.Answer, error) {
			o := named("lines", body, func(a storage.AddedLines) string { return fmt.Sprint(a.Lines[0].ID, a.Invoice.Version) })
			_, _, err := b.AddLines(ctx, b.by, draft, []billing.LinePatch{product("a", 5)}, 1, o)
			return o.Kept(), err
		},
		"payment": func(body string) (storage.Answer, error) {
			o := named("payment", body, func(p storage.RecordedPayment) string { return fmt.Sprint(p.Payment.ID, p.Invoice.Paid) })
			_, _, err := b.RecordPayment(ctx, b.by, sent, 100, time.Time{}, "", 2, o)
			return o.Kept(), err
		},
		"party": func(body string) (storage.Answer, error) {
			o := named("party", body, partyText)
			_, err := b.CreateParty(ctx, b.by, billing.PartyPatch{Name: new("Hooli")}, o)
			return o.Kept(), err
		},
		"key": func(body string) (storage.Answer, error) {
			o := named("key", body, keyText)
			_, _, err := b.CreateKey(ctx, b.by, full("new"), o)
			return o.Kept(), err
		},
		"rotation": func(body string) (storage.Answer, error) {
			o := named("rotation", body, keyText)
			_, _, err := b.RotateKey(ctx, b.by, key.ID, time.Hour, 0, o)
			return o.Kept(), err
		},
		"setup link": func(body string) (storage.Answer, error) {
			o := named("setup link", body, func(n auth.SetupName) string { return n.ID.String() })
			_, _, err := b.MintSetup(ctx, b.by, owner.ID, o)
			return o.Kept(), err
		},
	} {
		kept, err := do("body")
		if err != nil || len(kept.Body) < 36 {
			t.Fatalf("%s: %v, kept %q", name, err, kept.Body)
		}
		before := trailLength(t, b.Store)
		_, err = do("body")
		wantReplay(t, err, kept)
		if _, err := do("other"); !errors.Is(err, storage.ErrReused) {
			t.Errorf("%s: with another body: %v", name, err)
		}
		if after := trailLength(t, b.Store); after != before {
			t.Errorf("%s: %d changes by replays", name, after-before)
		}
	}
}

func trailLength(t *testing.T, s *storage.Store) int {
	t.Helper()
	all, err := s.Audit(t.Context(), storage.AuditQuery{Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestRefusedRequestMayBeTriedAgainWithItsKey(t *testing.T) {
	b := openBooks(t)
	_, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("")}, named("k", "bad", partyText))
	if !errors.Is(err, input.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	if _, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("x")}, named("k", "good", partyText)); err != nil {
		t.Errorf("corrected: %v", err)
	}
}

func TestAnswerIsKeptForADay(t *testing.T) {
	clock := storagetest.NewClock()
	o := storagetest.Options(t, clock)
	b := booksOf(t, storagetest.Reopen(t, o), clock)
	create := func() (storage.Answer, error) {
		once := named("k", "body", partyText)
		_, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("x")}, once)
		return once.Kept(), err
	}
	first, err := create()
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(24*time.Hour - time.Millisecond)
	storagetest.Close(t, b.Store)
	b.Store = storagetest.Reopen(t, o)
	_, err = create()
	wantReplay(t, err, first)
	clock.Advance(time.Millisecond)
	second, err := create()
	if err != nil || bytes.Equal(second.Body, first.Body) {
		t.Fatalf("after a day: %v, %q", err, second.Body)
	}
	clock.Advance(-25 * time.Hour) // the clock was set back, and what is kept is kept
	_, err = create()
	wantReplay(t, err, second)
}

// What one organization keeps is nobody else's.
func TestAnswersOfOrganizationsAreApart(t *testing.T) {
	b := openBooks(t)
	rival := booksOf(t, b.Store, b.clock)
	for _, of := range []*books{b, rival} {
		if _, err := of.CreateParty(t.Context(), of.by, billing.PartyPatch{Name: new("x")}, named("k", of.org.ID.String(), partyText)); err != nil {
			t.Error(err)
		}
	}
}

func TestParallelRequestsWithOneKeyMakeOneRecord(t *testing.T) {
	b := openBooks(t)
	var made, replayed atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			_, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("x")}, named("k", "body", partyText))
			var replay *storage.ReplayError
			switch {
			case err == nil:
				made.Add(1)
			case errors.As(err, &replay):
				replayed.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || replayed.Load() != 63 {
		t.Errorf("%d made, %d replayed", made.Load(), replayed.Load())
	}
}

func TestReservedIDIsInProgressUntilReleased(t *testing.T) {
	b := openBooks(t)
	id := named("k", "", partyText).ID
	release, err := b.Reserve(b.org.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reserve(b.org.ID, id); !errors.Is(err, storage.ErrInProgress) {
		t.Errorf("a second one: %v", err)
	}
	for _, other := range []func() (func(), error){
		func() (func(), error) { return b.Reserve(uid.ID{1}, id) },
		func() (func(), error) { return b.Reserve(b.org.ID, storage.OnceID{1}) },
	} {
		if release, err := other(); err != nil {
			t.Errorf("another one: %v", err)
		} else {
			release()
		}
	}
	release()
	if release, err = b.Reserve(b.org.ID, id); err != nil {
		t.Errorf("after the first: %v", err)
	}
	release()
}

// Answers come back to the byte, whether they fit into a value or not.
func TestLongAnswersComeBackWhole(t *testing.T) {
	b := openBooks(t)
	noise := rand.NewChaCha8([32]byte{1})
	for _, size := range []int{0, 1, 48 << 10, 48<<10 + 1, 64<<10 - 6, 64<<10 - 5, 300 << 10, 1 << 20} {
		body, key := make([]byte, size), fmt.Sprint(size)
		noise.Read(body)
		_, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("x")}, named(key, "", func(billing.Party) string { return string(body) }))
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		once := named(key, "", partyText)
		wantReplay(t, b.Answered(t.Context(), b.org.ID, once.ID, once.Fingerprint), storage.Answer{Status: 201, Version: 7, Body: body})
	}
}

// The longest invoice, each of its lines new to the catalogue, has room for an
// answer with all of them, and for the deletion of others' long answers.
func TestLongestInvoiceIsCarriedOutOnce(t *testing.T) {
	b := openBooks(t)
	noise := rand.NewChaCha8([32]byte{2})
	for n := range 6 {
		body := make([]byte, 2<<20-4<<10)
		noise.Read(body)
		_, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("x")}, named(fmt.Sprint(n), "", func(billing.Party) string { return string(body) }))
		if err != nil {
			t.Fatal(err)
		}
	}
	b.clock.Advance(25 * time.Hour)
	lines := make([]billing.LinePatch, 1000)
	for n := range lines {
		lines[n] = product(fmt.Sprintf("%d %s", n, strings.Repeat("s", 50)), 100)
	}
	show := func(i billing.Invoice) string {
		var text strings.Builder
		for _, l := range i.Lines {
			fmt.Fprintf(&text, `{"uid":%q,"invoice_uid":%q,"context_type_uid":%q,"context_type":"PRODUCT","context_name":%q,"currency":"USD","quantity":1,"unit_price":100,"line_total":100},`,
				l.ID, i.ID, l.TypeID, l.SKU)
		}
		return text.String()
	}
	once := named("long", "", show)
	if _, err := b.CreateInvoice(t.Context(), b.by, billing.InvoicePatch{PartyID: &b.party.ID, Lines: &lines}, once); err != nil {
		t.Fatal(err)
	}
	kept := once.Kept()
	if len(kept.Body) < 200_000 {
		t.Fatalf("only %d bytes", len(kept.Body))
	}
	_, err := b.CreateInvoice(t.Context(), b.by, billing.InvoicePatch{PartyID: &b.party.ID, Lines: &lines}, named("long", "", show))
	wantReplay(t, err, kept)
}

// An answer that does not fit beside its write takes the write with it.
func TestAnswerThatDoesNotFitRefusesTheRequest(t *testing.T) {
	b := openBooks(t)
	body := make([]byte, 3<<20)
	rand.NewChaCha8([32]byte{3}).Read(body)
	before := trailLength(t, b.Store)
	_, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("x")}, named("k", "", func(billing.Party) string { return string(body) }))
	if !errors.Is(err, storage.ErrTooLarge) || trailLength(t, b.Store) != before {
		t.Errorf("got %v and %d new audit records", err, trailLength(t, b.Store)-before)
	}
}
