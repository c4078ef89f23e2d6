package storage

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// manyKeys is a store with n keys of which the first busy were used in every one of
// the last 30 days' hours, and the others in two.
func manyKeys(b *testing.B, n, busy int) (*Store, uid.ID, []uid.ID) {
	b.Helper()
	o := millionOptions(b, b.TempDir()+"/data")
	o.Now = func() time.Time { return wreckTime }
	s, err := Open(o)
	must(s, err)
	org, _, err := s.CreateOrg(b.Context(), auth.Principal{Shell: true}, OrgDraft{Name: "Acme"})
	must(org, err)
	var ids []uid.ID
	var uses []auth.Use
	for len(ids) < n {
		err := s.update(b.Context(), auth.System(org.ID), func(t *tx) error {
			for range min(200, n-len(ids)) {
				k := &auth.Key{ID: must(s.ids.New()), OrgID: org.ID, Name: fmt.Sprint("key ", len(ids)), Scopes: auth.FullAccess, Hash: must(auth.ParseHash(somePHC)), Version: 1}
				k.Tag = auth.Tag(k.ID[8:])
				if err := t.insertKey(k); err != nil {
					return err
				}
				ids = append(ids, k.ID)
				u := auth.Use{KeyID: k.ID, OrgID: org.ID, Last: auth.LastUse{At: wreckTime}}
				hours := 2
				if len(ids) <= busy {
					hours = 30 * 24
				}
				for h := range hours {
					at := hourOf(wreckTime).Add(-time.Duration(h) * time.Hour)
					u.Buckets = append(u.Buckets, auth.Bucket{Hour: at, Requests: uint64(1000 + h), RateLimited: 7})
				}
				uses = append(uses, u)
			}
			return nil
		})
		must(s, err)
	}
	must(s, s.RecordUse(b.Context(), uses))
	must(s, s.Close()) // what is in a table now is read as it will be for most of its life
	s, err = Open(o)
	must(s, err)
	b.Cleanup(func() { s.Close() })
	return s, org.ID, ids
}

// BenchmarkLastDay is what the list of API keys asks for: the last day of the 50 keys
// of a page, out of 10,000; and the 30 days of one key.
func BenchmarkLastDay(b *testing.B) {
	s, org, ids := manyKeys(b, 10_000, 50)
	rare := slices.Clone(ids[len(ids)-50:])
	for name, page := range map[string][]uid.ID{"50 busy keys": ids[:50], "50 others": rare} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				must(s.LastDay(context.Background(), org, page, wreckTime))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/page")
		})
	}
	b.Run("30 days of one", func(b *testing.B) {
		for b.Loop() {
			a := must(s.Activity(context.Background(), org, ids[7], wreckTime.AddDate(0, 0, -30), wreckTime))
			if len(a.Buckets) != 720 {
				b.Fatalf("%d hours", len(a.Buckets))
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/key")
	})
}
