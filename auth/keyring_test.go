package auth_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

func newID(tb testing.TB) uid.ID {
	tb.Helper()
	id, err := ids.New()
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func TestKeyringListsAnOrganizationByCreation(t *testing.T) {
	ring, one, two := auth.NewKeyring(), newID(t), newID(t)
	var want []uid.ID
	for range 50 {
		want = append(want, newID(t))
	}
	for i := range want { // loaded in any order
		ring.Put(auth.Key{ID: want[(i*37)%50], OrgID: one, Tag: auth.Tag{byte(i)}})
	}
	ring.Put(auth.Key{ID: newID(t), OrgID: two})
	ring.Put(auth.Key{ID: want[3], OrgID: one, Name: "renamed", RevokedAt: noon})
	var got []uid.ID
	for _, k := range ring.Of(one) {
		got = append(got, k.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Of lists %v, want %v", got, want)
	}
	if ring.Len() != 51 || len(ring.Of(two)) != 1 || len(ring.Of(newID(t))) != 0 {
		t.Errorf("%d keys, %d of the second organization", ring.Len(), len(ring.Of(two)))
	}
	if k, ok := ring.Get(want[3]); !ok || k.Name != "renamed" || ring.Of(one)[3] != k {
		t.Errorf("Get = %+v, %t after the record was replaced", k, ok)
	}
	if k, ok := ring.Get(newID(t)); ok || k != nil {
		t.Errorf("Get of no key = %v, %t", k, ok)
	}
}

// A record that was handed out never changes: Put replaces it whole.
func TestRecordsAreImmutable(t *testing.T) {
	ring, id := auth.NewKeyring(), newID(t)
	ring.Put(auth.Key{ID: id, Name: "before"})
	before, _ := ring.Get(id)
	ring.Put(auth.Key{ID: id, Name: "after"})
	if after, _ := ring.Get(id); before.Name != "before" || after.Name != "after" {
		t.Errorf("%s, then %s", before.Name, after.Name)
	}
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	ring, id := auth.NewKeyring(), newID(t)
	ring.Put(auth.Key{ID: id})
	if n := testing.AllocsPerRun(100, func() { ring.Get(id); ring.LastUse(id) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Two keys may share a tag: each token opens its own.
func TestKeysMayShareATag(t *testing.T) {
	b := newBench(t, nil)
	one, r := b.key(t, nil)
	var hashes []auth.Hash
	for range 3 {
		other, _ := b.key(t, func(k *auth.Key) { k.Tag = one.Tag })
		hashes = append(hashes, other.Hash)
	}
	if ad := b.admit(t, r); ad.Key.ID != one.ID {
		t.Errorf("admitted as another key")
	}
	// The record whose token this is comes last, behind others with its tag.
	ring := newBench(t, nil)
	for _, h := range hashes {
		ring.ring.Put(auth.Key{ID: newID(t), Tag: one.Tag, Hash: h, Scopes: auth.FullAccess})
	}
	if ad := ring.refuse(t, r, auth.ErrBadToken); ad.Key != nil {
		t.Error("another key's hash matched")
	}
	ring.ring.Put(one)
	if ad := ring.admit(t, r); ad.Key.ID != one.ID {
		t.Error("admitted as another key")
	}
}

func TestKeyringUnderConcurrency(t *testing.T) {
	ring, org := auth.NewKeyring(), newID(t)
	var known []uid.ID
	for range 20 {
		id := newID(t)
		known = append(known, id)
		ring.Put(auth.Key{ID: id, OrgID: org, Version: 1})
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 2000 {
			ring.Put(auth.Key{ID: known[i%20], OrgID: org, Version: uint64(i)})
			ring.Put(auth.Key{ID: newID(t), OrgID: org, Tag: auth.Tag{1}})
		}
	})
	for range 2 {
		wg.Go(func() {
			for i := range 2000 {
				if _, ok := ring.Get(known[i%20]); !ok {
					t.Error("a key was gone")
				}
				if i%100 == 0 && len(ring.Of(org)) < 20 {
					t.Error("keys were gone")
				}
				ring.LastUse(known[i%20])
				ring.Buckets(known[i%20])
			}
		})
	}
	wg.Wait()
}

func TestUseOfNoKeyIsEmpty(t *testing.T) {
	ring := auth.NewKeyring()
	ring.Restore(auth.Use{KeyID: newID(t)}, time.Now())
	if last := ring.LastUse(newID(t)); last != (auth.LastUse{}) || ring.Buckets(newID(t)) != nil {
		t.Errorf("LastUse = %+v", last)
	}
}

// A walk tells of each key what asking for it alone does.
func TestStandingsAreOfEveryKeyOfAnOrganization(t *testing.T) {
	b := newBench(t, nil)
	ann := newID(t)
	first, r := b.key(t, nil)
	second, _ := b.key(t, func(k *auth.Key) { k.UserID = ann })
	b.key(t, func(k *auth.Key) { k.OrgID = newID(t) })
	b.admit(t, r)
	b.ring.SetDisabled(ann, true)
	var got []auth.Standing
	for s := range b.ring.Standings(first.OrgID, noon) {
		got = append(got, *s)
		b.ring.Put(*s.Key) // holds no lock that a change needs
	}
	if len(got) != 2 || got[0].Key.ID != first.ID || got[0].Suspended || got[0].State != auth.Active || got[0].Last != b.ring.LastUse(first.ID) || got[0].Last.At.IsZero() ||
		got[1].Key.ID != second.ID || !got[1].Suspended || !got[1].Last.At.IsZero() {
		t.Errorf("got %+v", got)
	}
	for range b.ring.Standings(first.OrgID, noon) {
		break
	}
}
