package kvtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"exante/storage/kv"
)

var reading = []promise{
	{"GetFindsWhatWasPut", testGet},
	{"ReadValuesAreCopies", testCopies},
	{"GetManyKeepsTheOrder", testGetMany},
	{"ScanTakesARangeInEitherDirection", testScan},
	{"ScanStopsWhenTold", testScanStops},
	{"AnyBytesMakeAKey", testAnyBytes},
	{"ViewReturnsTheErrorOfItsFunction", testViewError},
	{"ViewMayBeNested", testNestedView},
}

func testGet(t *testing.T, s *store) {
	s.put("a", "1", "empty", "", "b", strings.Repeat("x", kv.MaxValue))
	s.view(func(r kv.Reader) error {
		wantGet(t, r, "a", "1")
		wantGet(t, r, "empty", "")
		wantGet(t, r, "b", strings.Repeat("x", kv.MaxValue))
		wantGet(t, r, "absent", "-")
		wantGet(t, r, "", "-")
		wantGet(t, r, strings.Repeat("k", kv.MaxKey+1), "-")
		return nil
	})
	s.put("a", "2")
	s.update(func(tx kv.Txn) error { return tx.Delete([]byte("b")) })
	s.wantContents("a=2 empty=")
}

func testCopies(t *testing.T, s *store) {
	s.put("a", "1")
	read := func(r kv.Reader) error {
		value, err := r.Get([]byte("a"))
		if err == nil {
			value[0] = 'X'
		}
		values, err2 := r.GetMany([][]byte{[]byte("a")})
		if err2 == nil {
			values[0][0] = 'Y'
		}
		wantGet(t, r, "a", "1")
		return errors.Join(err, err2)
	}
	s.view(read)
	s.update(func(tx kv.Txn) error { return errors.Join(read(tx), tx.Put([]byte("a"), []byte("1")), read(tx)) })
	s.wantContents("a=1")
}

func testGetMany(t *testing.T, s *store) {
	s.put("a", "1", "b", "", "c", "3")
	check := func(r kv.Reader) error {
		values, err := r.GetMany([][]byte{[]byte("c"), []byte("x"), []byte("b"), []byte("a"), []byte("c")})
		if err != nil {
			return err
		}
		if len(values) != 5 || string(values[0]) != "3" || values[1] != nil ||
			values[2] == nil || len(values[2]) != 0 || string(values[3]) != "1" || string(values[4]) != "3" {
			t.Errorf("GetMany(c, x, b, a, c) = %q", values)
		}
		none, err := r.GetMany(nil)
		if len(none) != 0 {
			t.Errorf("GetMany() = %q", none)
		}
		return err
	}
	s.view(check)
	s.update(func(tx kv.Txn) error { return check(tx) })
}

func testScan(t *testing.T, s *store) {
	s.put("a", "1", "ab", "2", "ac", "3", "b", "4", "b\xff", "5", "b\xff\xff", "6", "\xff", "7", "\xff\xff", "8")
	span := func(start, end string) kv.Range { return kv.Range{Start: []byte(start), End: []byte(end)} }
	from := func(start string) kv.Range { return kv.Range{Start: []byte(start)} }
	tests := []struct {
		r    kv.Range
		want string
	}{
		{kv.Range{}, "a=1 ab=2 ac=3 b=4 b\xff=5 b\xff\xff=6 \xff=7 \xff\xff=8"},
		{from("ac"), "ac=3 b=4 b\xff=5 b\xff\xff=6 \xff=7 \xff\xff=8"},
		{from("\xff\xff\xff"), ""},
		{kv.Range{End: []byte("ac")}, "a=1 ab=2"},
		{span("ab", "b"), "ab=2 ac=3"},
		{span("ab", "ac"), "ab=2"},
		{span("aa", "ad"), "ab=2 ac=3"},
		{span("ab", "ab"), ""},
		{span("b", "a"), ""},
		{span("", ""), ""},
		{span("\x00", "a"), ""},
		{kv.Prefix([]byte("a")), "a=1 ab=2 ac=3"},
		{kv.Prefix([]byte("ab")), "ab=2"},
		{kv.Prefix([]byte("b\xff")), "b\xff=5 b\xff\xff=6"},
		{kv.Prefix([]byte("\xff")), "\xff=7 \xff\xff=8"},
		{kv.Prefix(nil), "a=1 ab=2 ac=3 b=4 b\xff=5 b\xff\xff=6 \xff=7 \xff\xff=8"},
		{kv.Prefix([]byte("x")), ""},
	}
	for _, tt := range tests {
		check := func(r kv.Reader) error {
			checkScan(t, r, tt.r, strings.Fields(tt.want))
			return nil
		}
		s.view(check)
		s.update(func(tx kv.Txn) error { return check(tx) })
	}
}

// checkScan compares what is in r, by all ways of asking.
func checkScan(t reporter, r kv.Reader, rng kv.Range, want []string) {
	t.Helper()
	if n, err := r.Count(rng); err != nil || n != len(want) {
		t.Errorf("Count(%q, %q) = %d, %v, want %d", rng.Start, rng.End, n, err, len(want))
	}
	for _, limit := range []int{0, 1, len(want) - 1, len(want) + 1} {
		limit = max(limit, 0)
		first, last, keys := want, want, []string{}
		if 0 < limit && limit < len(want) {
			first, last = want[:limit], want[len(want)-limit:]
		}
		for _, entry := range first {
			keys = append(keys, entry[:strings.Index(entry, "=")+1])
		}
		wantScan(t, r, rng, kv.ScanOptions{Limit: limit}, strings.Join(first, " "))
		wantScan(t, r, rng, kv.ScanOptions{Limit: limit, KeysOnly: true}, strings.Join(keys, " "))
		wantScan(t, r, rng, kv.ScanOptions{Limit: limit, Reverse: true}, strings.Join(reversed(last), " "))
	}
}

func reversed(list []string) []string {
	out := make([]string, 0, len(list))
	for i := range list {
		out = append(out, list[len(list)-1-i])
	}
	return out
}

func testScanStops(t *testing.T, s *store) {
	s.put("a", "1", "b", "2", "c", "3")
	s.view(func(r kv.Reader) error {
		seen, oops := 0, errors.New("oops")
		err := r.Scan(kv.Range{}, kv.ScanOptions{}, func(_, _ []byte) (bool, error) {
			seen++
			return seen < 2, nil
		})
		if err != nil || seen != 2 {
			t.Errorf("Scan told to stop at 2: saw %d, %v", seen, err)
		}
		err = r.Scan(kv.Range{}, kv.ScanOptions{}, func(_, _ []byte) (bool, error) { return true, oops })
		if err != oops {
			t.Errorf("Scan with a failing function: %v, want oops as it is", err)
		}
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	err := s.View(ctx, func(r kv.Reader) error {
		cancel()
		_, err := contents(r)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Scan in a View whose context has ended: %v", err)
	}
}

func testAnyBytes(t *testing.T, s *store) {
	keys := []string{"\x00", "\x00\x00", "!badger!head", "d", "e", "es", "k\x00", "\xff\xff\xff", strings.Repeat("\xff", kv.MaxKey)}
	for _, key := range keys {
		s.put(key, "v")
	}
	s.view(func(r kv.Reader) error {
		for _, key := range keys {
			wantGet(t, r, key, "v")
		}
		wantScan(t, r, kv.Range{}, kv.ScanOptions{KeysOnly: true}, strings.Join(keys, "= ")+"=")
		wantScan(t, r, kv.Range{}, kv.ScanOptions{KeysOnly: true, Reverse: true}, strings.Join(reversed(keys), "= ")+"=")
		return nil
	})
}

func testViewError(t *testing.T, s *store) {
	oops := errors.New("oops")
	if err := s.View(context.Background(), func(kv.Reader) error { return oops }); err != oops {
		t.Errorf("View: %v, want oops as it is", err)
	}
}

func testNestedView(t *testing.T, s *store) {
	s.put("a", "1")
	s.view(func(outer kv.Reader) error {
		s.put("a", "2")
		s.view(func(inner kv.Reader) error {
			wantGet(t, inner, "a", "2")
			return nil
		})
		wantGet(t, outer, "a", "1")
		return nil
	})
}
