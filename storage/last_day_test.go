package storage_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

// daysOf is LastDay, held against what Activity has of each key.
func (v *vault) daysOf(keys ...uid.ID) []storage.Day {
	v.tb.Helper()
	now := v.clock.Now()
	days, err := v.LastDay(v.tb.Context(), v.org.ID, keys, now)
	if err != nil || len(days) != len(keys) {
		v.tb.Fatalf("the last day of %d keys: %d, %v", len(keys), len(days), err)
	}
	for i, key := range keys {
		want := storage.Day{Begin: now.Truncate(time.Hour).Add(-23 * time.Hour)}
		for _, b := range v.activity(key, want.Begin, now).Buckets {
			want.Hours[b.Hour.Sub(want.Begin)/time.Hour] = storage.Tally{
				Requests: b.Requests, Unauthorized: b.Unauthorized, Forbidden: b.Forbidden, RateLimited: b.RateLimited, ServerErrors: b.ServerErrors,
			}
		}
		if days[i] != want {
			v.tb.Errorf("key %d: %+v, want %+v", i, days[i], want)
		}
	}
	return days
}

func TestLastDayOfManyKeysIsThatOfEach(t *testing.T) {
	v := openVault(t, nil)
	now := v.clock.Now()
	var ids []uid.ID
	for n := range 20 {
		k := v.mint(full("x"))
		ids = append(ids, k.ID)
		for h := 0; h <= 30; h += n + 1 {
			b := auth.Bucket{Hour: now.Add(-time.Duration(h) * time.Hour).Truncate(time.Hour), Requests: uint64(100*n + h),
				Unauthorized: 1, Forbidden: 2, RateLimited: 4, ServerErrors: uint64(n)}
			v.record(use(k, b))
		}
	}
	unused := v.mint(full("unused"))
	days := v.daysOf(append(ids, unused.ID, ids[3])...)
	if got := days[0].Hours[0]; got != (storage.Tally{Requests: 23, Unauthorized: 1, Forbidden: 2, RateLimited: 4}) {
		t.Errorf("the oldest hour of the first key: %+v", got)
	}
	if got := days[2].Hours[23]; got != (storage.Tally{Requests: 200, Unauthorized: 1, Forbidden: 2, RateLimited: 4, ServerErrors: 2}) {
		t.Errorf("this hour of the third key: %+v", got)
	}
	if days[20].Hours != [24]storage.Tally{} || days[21] != days[3] {
		t.Errorf("a key that was not used: %+v; one that was asked for twice: %+v", days[20], days[21])
	}
	v.daysOf()
}

// What was counted a moment ago is there, in place of what is stored for its hour,
// and each request once while the hours go by and are written.
func TestLastDayShowsWhatMemoryCountedAMomentAgo(t *testing.T) {
	v := openVault(t, nil)
	key, token, err := v.CreateKey(t.Context(), v.by, full("x"))
	if err != nil {
		t.Fatal(err)
	}
	a := v.limited("1000000/1m")
	request := auth.Request{Token: []byte(token.Reveal()), Addr: netip.MustParseAddr("192.0.2.1")}
	want := [24]uint64{}
	for step := range 40 {
		for range step % 5 {
			if _, err := a.Admit(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			want[23]++
		}
		if step%3 == 0 {
			if err := a.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for h, tally := range v.daysOf(key.ID)[0].Hours {
			if tally.Requests != want[h] {
				t.Fatalf("step %d: %d requests in hour %d, want %d", step, tally.Requests, h, want[h])
			}
		}
		if step%2 == 1 {
			v.clock.Advance(time.Hour)
			copy(want[:], want[1:])
			want[23] = 0
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := v.daysOf(key.ID)
	v.reopen()
	if after := v.daysOf(key.ID); after[0] != before[0] {
		t.Errorf("after a restart %+v, want %+v", after, before)
	}
}

// While hours leave the memory for the disk, a reader misses none and counts none twice.
func TestLastDayWhileHoursAreWritten(t *testing.T) {
	v := openVault(t, nil)
	key, token, err := v.CreateKey(t.Context(), v.by, full("x"))
	if err != nil {
		t.Fatal(err)
	}
	a := v.limited("1000000/1s")
	quit, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-quit:
				ended <- nil
				return
			default:
				if err := a.Flush(context.Background()); err != nil {
					ended <- err
					return
				}
			}
		}
	}()
	request := auth.Request{Token: []byte(token.Reveal())}
	for n := range uint64(2300) {
		if _, err := a.Admit(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if n%100 == 0 && n > 0 {
			v.clock.Advance(time.Hour)
		}
		days, err := v.LastDay(t.Context(), v.org.ID, []uid.ID{key.ID}, v.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		sum := uint64(0)
		for _, hour := range days[0].Hours {
			sum += hour.Requests
		}
		if sum != n+1 {
			t.Fatalf("%d requests read as %d", n+1, sum)
		}
	}
	close(quit)
	if err := errors.Join(<-ended, a.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestLastDayIsOfTheKeysOfOneOrganization(t *testing.T) {
	v := openVault(t, nil)
	k := v.mint(full("x"))
	rival, _ := storagetest.Org(t, v.Store, "Rival")
	for _, c := range []struct {
		org  uid.ID
		keys []uid.ID
		want error
		text string
	}{
		{rival.ID, []uid.ID{k.ID}, storage.ErrNotFound, "no such record"},
		{v.org.ID, []uid.ID{k.ID, {9}}, storage.ErrNotFound, "no such record"},
		{v.org.ID, make([]uid.ID, 101), input.ErrInvalid, "invalid: [keys: must be at most 100]"},
	} {
		_, err := v.LastDay(t.Context(), c.org, c.keys, v.clock.Now())
		refused(t, err, c.want, c.text)
	}
}
