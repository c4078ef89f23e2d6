package dashboard_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// busySite is a site with 10,000 keys, all of which were used in the last day, and one
// of them in every hour of a month.
func busySite(b *testing.B) (*site, uid.ID) {
	b.Helper()
	s := open(b)
	const keys, makers = 10_000, 100
	ids := make([]uid.ID, keys)
	var wait sync.WaitGroup
	for m := range makers {
		wait.Go(func() {
			for i := m; i < keys; i += makers {
				k, _, err := s.store.CreateKey(b.Context(), s.acme.by, storage.KeyDraft{Name: fmt.Sprint("key ", i), Scopes: auth.FullAccess})
				if err != nil {
					b.Error(err)
					return
				}
				ids[i] = k.ID
			}
		})
	}
	wait.Wait()
	s.clock.Advance(40 * 24 * time.Hour)
	now := s.clock.Now()
	uses := make([]auth.Use, 0, keys)
	for i, id := range ids {
		u := auth.Use{KeyID: id, OrgID: s.acme.org.ID, Last: auth.LastUse{At: now.Add(-time.Duration(i) * 8 * time.Second), UserAgent: "bench", Scopes: 2, WatchedSince: now.AddDate(0, 0, -35)}}
		hours := 24
		if i == keys/2 {
			hours = 720
		}
		for h := range hours {
			u.Buckets = append(u.Buckets, auth.Bucket{Hour: now.Truncate(time.Hour).Add(-time.Duration(h) * time.Hour), Requests: 100, RateLimited: 3})
		}
		uses = append(uses, u)
	}
	s.must(s.store.RecordUse(b.Context(), uses))
	for _, u := range uses {
		s.store.Keyring().Restore(u, now)
	}
	return s, ids[keys/2]
}

// pages measures pages beside a trivial one of the same server.
func (s *site) pages(b *testing.B, paths map[string]string) {
	v := s.as(s.acme.owner)
	const trivial = 300
	stranger := s.visitor()
	stranger.get("/sign-in").shows(200)
	start := time.Now()
	for range trivial {
		stranger.get("/sign-in")
	}
	base := time.Since(start) / trivial
	for name, path := range paths {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if r := v.get(path); r.status != 200 {
					b.Fatalf("%s: %d", path, r.status)
				}
			}
			took := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(took.Microseconds())/1000, "ms/page")
			b.ReportMetric(float64(took)/float64(base), "x/sign-in")
		})
	}
}

func BenchmarkKeyPage(b *testing.B) {
	s, id := busySite(b)
	path := "/settings/api-keys/" + id.String()
	s.pages(b, map[string]string{"24 hours": path, "7 days": path + "?span=7d", "30 days": path + "?span=30d"})
}

func BenchmarkOverview(b *testing.B) {
	s, _ := busySite(b)
	s.pages(b, map[string]string{"10,000 active keys": "/overview"})
}
