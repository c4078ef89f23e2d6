package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/storagetest"
)

// keyModel is what one organization's keys should be: the rules of the contract
// again, without a database. It shares the key's own judgement of its state.
type keyModel struct {
	*vault
	keys    map[uid.ID]*auth.Key
	ids     []uid.ID // by creation
	records uint64   // of the audit log,
	after   uint64   // after this one
}

// some draws a key that exists, or one that does not.
func (m *keyModel) some(t *rapid.T) uid.ID {
	return rapid.SampledFrom(append(slices.Clone(m.ids), uid.ID{0xFF})).Draw(t, "key")
}

// caller draws who acts: the shell, or a key as it was admitted.
func (m *keyModel) caller(t *rapid.T) auth.Principal {
	if len(m.ids) == 0 || rapid.Bool().Draw(t, "shell") {
		return m.by
	}
	return using(m.key(rapid.SampledFrom(m.ids).Draw(t, "caller")))
}

// mayGrant is why by gets no such key.
func (m *keyModel) mayGrant(by auth.Principal, k *auth.Key) error {
	if by.Key == nil {
		return nil
	}
	asks := m.keys[by.Key.ID]
	if err := asks.Usable(m.clock.Now()); err != nil {
		return err
	}
	return asks.MayGrant(auth.Grant{Scopes: k.Scopes, ExpiresAt: k.ExpiresAt})
}

func (m *keyModel) create(t *rapid.T) {
	by := m.caller(t)
	want := &auth.Key{Scopes: rapid.SampledFrom([]auth.Scopes{auth.FullAccess, scopes(m.tb, "invoices:read"), scopes(m.tb, "invoices:write", "api_keys:write")}).Draw(t, "scopes")}
	if days := rapid.IntRange(0, 5).Draw(t, "days"); days > 0 {
		want.ExpiresAt = m.clock.Now().Add(time.Duration(days) * day)
	}
	refusal := m.mayGrant(by, want)
	got, _, err := m.CreateKey(m.tb.Context(), by, storage.KeyDraft{Name: "x", Scopes: want.Scopes, ExpiresAt: want.ExpiresAt})
	m.agree(t, "create", err, refusal)
	if refusal == nil {
		want.ID, want.CreatedAt, want.UpdatedAt, want.Version = got.ID, m.clock.Now(), m.clock.Now(), 1
		m.add(want)
	}
}

func (m *keyModel) revoke(t *rapid.T) {
	id := m.some(t)
	_, err := m.RevokeKey(m.tb.Context(), m.by, id, 0)
	k, known := m.keys[id]
	if !known {
		m.agree(t, "revoke", err, storage.ErrNotFound)
		return
	}
	m.agree(t, "revoke", err, nil)
	if now := m.clock.Now(); k.RevokedBy(now).IsZero() {
		k.RevokedAt, k.UpdatedAt = now, now
		k.Version++
		m.records++
	}
}

func (m *keyModel) rotate(t *rapid.T) {
	by, id, now := m.caller(t), m.some(t), m.clock.Now()
	grace := time.Duration(rapid.IntRange(0, 3).Draw(t, "grace")) * day
	old, known := m.keys[id]
	refusal := storage.ErrNotFound
	var want auth.Key
	if known {
		want = auth.Key{Scopes: old.Scopes, CreatedAt: now, UpdatedAt: now, RotatedFrom: id, Version: 1}
		if !old.ExpiresAt.IsZero() {
			want.ExpiresAt = now.Add(old.ExpiresAt.Sub(old.CreatedAt))
		}
		if by.Key != nil {
			asks := m.keys[by.Key.ID]
			for _, end := range []time.Time{asks.ExpiresAt, asks.RetiresAt} {
				if !end.IsZero() && (want.ExpiresAt.IsZero() || end.Before(want.ExpiresAt)) {
					want.ExpiresAt = end
				}
			}
		}
		if refusal = m.mayGrant(by, &want); old.State(now) != auth.Active {
			refusal = storage.ErrKeyNotActive
		}
	}
	got, _, err := m.RotateKey(m.tb.Context(), by, id, grace, 0)
	m.agree(t, "rotate", err, refusal)
	if refusal != nil {
		return
	}
	want.ID = got.ID
	m.add(&want)
	old.RotatedTo, old.UpdatedAt, old.RetiresAt = want.ID, now, now.Add(grace)
	if grace == 0 {
		old.RevokedAt = now
	}
	old.Version++
}

func (m *keyModel) add(k *auth.Key) {
	m.keys[k.ID] = k
	m.ids = append(m.ids, k.ID)
	m.records++
}

// agree fails unless the store refused as the model does.
func (m *keyModel) agree(t *rapid.T, what string, got, want error) {
	t.Helper()
	var scope *auth.ScopeError
	if errors.As(want, &scope) {
		want = auth.ErrScope
	}
	if !errors.Is(got, want) || (got == nil) != (want == nil) {
		t.Fatalf("%s: the store says %v, the model %v", what, got, want)
	}
}

// check compares all keys, and what the audit log has of them.
func (m *keyModel) check(t *rapid.T) {
	live := m.Keys(m.org.ID)
	if len(live) != len(m.ids) {
		t.Fatalf("the store has %d keys, the model %d", len(live), len(m.ids))
	}
	now := m.clock.Now()
	for i, k := range live {
		want := *m.keys[m.ids[i]]
		if k.State(now) != want.State(now) {
			t.Fatalf("key %s is %s, in the model %s", k.ID, k.State(now), want.State(now))
		}
		want.OrgID, want.UserID, want.Name, want.Snippet, want.Tag, want.Hash = k.OrgID, k.UserID, k.Name, k.Snippet, k.Tag, k.Hash
		if show(k) != show(&want) {
			t.Fatalf("the store has\n%s\nthe model\n%s", show(k), show(&want))
		}
	}
	entries, err := m.Audit(m.tb.Context(), storage.AuditQuery{After: m.after, Limit: 1 << 20})
	if err != nil || uint64(len(entries)) != m.records {
		t.Fatalf("the audit log has %d records (%v), the model %d", len(entries), err, m.records)
	}
}

func TestKeysDoWhatTheModelDoes(t *testing.T) {
	v := openVault(t, nil)
	written := uint64(len(v.trail(0)))
	rapid.Check(t, func(t *rapid.T) {
		m := &keyModel{vault: v, keys: map[uid.ID]*auth.Key{}, after: written, records: 2} // the organization and its owner
		defer func() { written += m.records }()
		m.org, m.by = storagetest.Org(v.tb, v.Store, "Acme")
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"create":  m.create,
			"revoke":  m.revoke,
			"rotate":  m.rotate,
			"advance": func(t *rapid.T) { m.clock.Advance(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour) },
			"reopen": func(t *rapid.T) {
				if rapid.IntRange(0, 19).Draw(t, "luck") == 0 {
					m.reopen()
					m.clock.Advance(time.Millisecond) // uids are in order within one process
				}
			},
		})
	})
}
