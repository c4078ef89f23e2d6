package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/storagetest"
)

// onceModel is what a client may expect of idempotency keys: a map of what was
// answered to each, and until when.
type onceModel struct {
	*books
	options storage.Options
	answers map[string]modelAnswer
	made    int // parties
}

type modelAnswer struct {
	body   string
	ends   time.Time
	answer storage.Answer
}

// Ask sends a request that is carried out, unless its name is bad.
func (m *onceModel) Ask(t *rapid.T) {
	key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, "key")
	body := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "body")
	name := rapid.SampledFrom([]string{"Initech", "Initech", "Initech", ""}).Draw(t, "name")
	size := rapid.SampledFrom([]int{1, 1, 1, 200 << 10}).Draw(t, "size")
	once := named(key, body, func(p billing.Party) string {
		return partyText(p) + string(bytes.Repeat([]byte(p.ID.String()), size/36))
	})
	_, err := m.CreateParty(m.Context(), m.by, billing.PartyPatch{Name: &name}, once)
	was, known := m.answers[key]
	now := m.clock.Now()
	switch {
	case known && now.Before(was.ends) && was.body != body:
		if !errors.Is(err, storage.ErrReused) {
			t.Fatalf("%s %s: got %v, want ErrReused", key, body, err)
		}
	case known && now.Before(was.ends):
		wantReplay(m.TB, err, was.answer)
	case name == "":
		if !errors.Is(err, input.ErrInvalid) {
			t.Fatalf("%s %s: got %v, want a refusal", key, body, err)
		}
	case err != nil:
		t.Fatalf("%s %s: %v", key, body, err)
	default:
		m.made++
		m.answers[key] = modelAnswer{body: body, ends: now.Add(24 * time.Hour), answer: once.Kept()}
	}
}

func (m *onceModel) Wait(t *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
}

func (m *onceModel) Reopen(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "reopen") > 0 {
		t.Skip("seldom")
	}
	storagetest.Close(m.TB, m.Store)
	m.Store = storagetest.Reopen(m.TB, m.options)
}

func (m *onceModel) Check(t *rapid.T) {
	_, total, err := m.Parties(m.Context(), m.org.ID, storage.PartyQuery{PerPage: 1})
	if err != nil || total != m.made+1 {
		t.Fatalf("%d parties, %v, want %d", total, err, m.made+1)
	}
}

func TestRandomRequestsHaveOneEffectForOneKey(t *testing.T) {
	clock := storagetest.NewClock()
	options := storagetest.Options(t, clock)
	store := storagetest.Reopen(t, options)
	rapid.Check(t, func(rt *rapid.T) {
		m := &onceModel{books: booksOf(t, store, clock), options: options, answers: map[string]modelAnswer{}}
		defer func() { store = m.Store }()
		rt.Repeat(rapid.StateMachineActions(m))
	})
	report, err := store.Verify(t.Context(), nil)
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("%v, findings %s", err, fmt.Sprint(report.Findings))
	}
}
