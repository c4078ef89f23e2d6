package storage_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/storagetest"
)

func TestEveryChangeIsAudited(t *testing.T) {
	v := openVault(t, nil)
	user, err := v.CreateUser(t.Context(), v.by, storage.UserDraft{Email: "ann@example.com", Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	key, token, err := v.CreateKey(t.Context(), v.by, storage.KeyDraft{Name: "erp", Scopes: auth.FullAccess, UserID: user.ID, Limits: limits(t, "5/1s")})
	if err != nil {
		t.Fatal(err)
	}
	by := using(&key)
	by.Addr, by.RequestID = netip.MustParseAddr("192.0.2.1"), "req-1"
	child, _, err := v.CreateKey(t.Context(), by, full("child"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.RevokeKey(t.Context(), by, child.ID, 0); err != nil {
		t.Fatal(err)
	}
	next, _, err := v.RotateKey(t.Context(), v.by, key.ID, day, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.UpgradeHash(t.Context(), next.ID, 1, key.Hash); err != nil {
		t.Fatal(err)
	}

	var got strings.Builder
	for i, e := range v.trail(0) {
		if e.Seq != uint64(i+1) || !e.At.Equal(v.clock.Now()) || e.Outcome != storage.Done {
			t.Errorf("record %d: %+v", i, e)
		}
		got.WriteString(string(e.Action) + " " + e.Action.Kind() + " by " + string(e.Actor.Kind))
		if e.Addr.IsValid() {
			got.WriteString(" from " + e.Addr.String() + " in " + e.RequestID)
		}
		for _, name := range []string{"role", "scopes", "rate_limits", "successor"} {
			if e.Detail[name] != "" {
				got.WriteString(" " + name + "=" + strings.ReplaceAll(e.Detail[name], next.ID.String(), "NEXT"))
			}
		}
		got.WriteString("\n")
	}
	want := `store.create store by system
org.create org by shell
user.create user by shell role=owner
user.create user by shell role=viewer
key.create key by shell scopes=* rate_limits=5/1s
key.create key by key from 192.0.2.1 in req-1 scopes=* rate_limits=5/1s
key.revoke key by key from 192.0.2.1 in req-1
key.rotate key by shell successor=NEXT
key.rehash key by system
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	trail := v.trail(0)
	if e := trail[5]; e.Actor.KeyID != key.ID || e.Actor.UserID != user.ID || e.Target != child.ID || e.OrgID != v.org.ID {
		t.Errorf("creation by a key: %+v", e)
	}
	if e := trail[4]; e.Actor.LocalUID != storagetest.Shell.LocalUID || e.Target != key.ID {
		t.Errorf("creation by the shell: %+v", e)
	}
	for _, e := range trail {
		for _, value := range e.Detail {
			for _, private := range []string{token.Reveal(), "ann@", "Ann", "erp", "$argon2id$"} {
				if strings.Contains(value, private) {
					t.Errorf("%s shows %q", e.Action, value)
				}
			}
		}
	}
}

func TestAuditIsPagedAndNarrowed(t *testing.T) {
	v := openVault(t, nil)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	for range 5 {
		v.mint(full("x"))
	}
	list := func(q storage.AuditQuery) (seqs []uint64) {
		entries, err := v.Audit(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			seqs = append(seqs, e.Seq)
		}
		return seqs
	}
	for _, c := range []struct {
		q    storage.AuditQuery
		want []uint64
	}{
		{storage.AuditQuery{Limit: 2}, []uint64{1, 2}},
		{storage.AuditQuery{Limit: 2, After: 2}, []uint64{3, 4}},
		{storage.AuditQuery{OrgID: rival.OrgID}, []uint64{4, 5}},
		{storage.AuditQuery{OrgID: v.org.ID, After: 3, Limit: 3}, []uint64{6, 7, 8}},
		{storage.AuditQuery{OrgID: uid.ID{1}}, nil},
		{storage.AuditQuery{After: 10}, nil},
		{storage.AuditQuery{After: 1<<64 - 1}, nil},
	} {
		if got := list(c.q); !slices.Equal(got, c.want) {
			t.Errorf("Audit(%+v) = %v, want %v", c.q, got, c.want)
		}
	}
}
