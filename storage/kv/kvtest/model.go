package kvtest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"exante/storage/kv"
)

// model is what a store should hold, in the plainest way.
type model map[string]string

func (m model) within(r kv.Range) []string {
	var entries []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		k := []byte(key)
		if bytes.Compare(k, r.Start) >= 0 && (r.End == nil || bytes.Compare(k, r.End) < 0) {
			entries = append(entries, key+"="+m[key])
		}
	}
	return entries
}

// Keys are short and of few letters, so that operations meet: the lowest byte,
// the highest, and neighbours.
var (
	keys   = rapid.StringOfN(rapid.RuneFrom([]rune{0, 'a', 'b', 0x7f}), 1, 3, -1)
	values = rapid.StringMatching(`[xyz]{0,2}`)
)

// testModel plays random transactions and readings against a sorted map. A
// store serves all rounds, emptied between them.
func testModel(t *testing.T, s *store) {
	rapid.Check(t, func(rt *rapid.T) {
		m := model{}
		s.update(func(tx kv.Txn) error {
			return tx.Scan(kv.Range{}, kv.ScanOptions{}, func(key, _ []byte) (bool, error) {
				return true, tx.Delete(key)
			})
		})
		rt.Repeat(map[string]func(*rapid.T){
			"update": func(rt *rapid.T) { m = randomUpdate(rt, s, m) },
			"read": func(rt *rapid.T) {
				s.view(func(r kv.Reader) error { randomReads(rt, r, m); return nil })
			},
			"reopen": func(rt *rapid.T) {
				if rapid.IntRange(0, 19).Draw(rt, "seldom") == 0 {
					s.reopen()
				}
			},
			"": func(rt *rapid.T) {
				s.view(func(r kv.Reader) error {
					wantScan(rt, r, kv.Range{}, kv.ScanOptions{}, strings.Join(m.within(kv.Range{}), " "))
					return nil
				})
			},
		})
	})
}

// randomUpdate returns the model after a transaction that may fail.
func randomUpdate(rt *rapid.T, s *store, before model) model {
	after, oops := maps.Clone(before), errors.New("oops")
	fails := rapid.IntRange(0, 4).Draw(rt, "fails") == 0
	err := s.Update(context.Background(), func(tx kv.Txn) error {
		for range rapid.IntRange(1, 6).Draw(rt, "writes") {
			randomWrite(rt, tx, after)
			randomReads(rt, tx, after)
		}
		if fails {
			return oops
		}
		return nil
	})
	switch {
	case fails && err == oops:
		return before
	case err != nil:
		rt.Fatalf("Update = %v", err)
	}
	return after
}

func randomWrite(rt *rapid.T, tx kv.Txn, m model) {
	key, value := keys.Draw(rt, "key"), values.Draw(rt, "value")
	var err error
	switch op := rapid.SampledFrom([]string{"put", "put", "delete", "insert", "fence"}).Draw(rt, "op"); op {
	case "put":
		err, m[key] = tx.Put([]byte(key), []byte(value)), value
	case "delete":
		err = tx.Delete([]byte(key))
		delete(m, key)
	case "fence":
		err = tx.Fence([]byte(key))
	case "insert":
		err = tx.Insert([]byte(key), []byte(value))
		if _, there := m[key]; there != errors.Is(err, kv.ErrExists) {
			rt.Fatalf("Insert(%q) = %v, there: %t", key, err, there)
		} else if there {
			err = nil
		} else {
			m[key] = value
		}
	}
	if err != nil {
		rt.Fatalf("write of %q: %v", key, err)
	}
}

func randomReads(rt *rapid.T, r kv.Reader, m model) {
	key := keys.Draw(rt, "get")
	want, there := m[key]
	if !there {
		want = "-"
	}
	wantGet(rt, r, key, want)
	rng := kv.Range{Start: []byte(keys.Draw(rt, "start"))}
	switch rapid.SampledFrom([]string{"prefix", "span", "open"}).Draw(rt, "range") {
	case "prefix":
		rng = kv.Prefix(rng.Start)
	case "span":
		rng.End = []byte(keys.Draw(rt, "end"))
	}
	o := kv.ScanOptions{Limit: rapid.IntRange(0, 4).Draw(rt, "limit"), Reverse: rapid.Bool().Draw(rt, "reverse")}
	entries := m.within(rng)
	if n, err := r.Count(rng); n != len(entries) || err != nil {
		rt.Fatalf("Count(%q, %q) = %d, %v, want %d", rng.Start, rng.End, n, err, len(entries))
	}
	if o.Reverse {
		slices.Reverse(entries)
	}
	if o.Limit > 0 && o.Limit < len(entries) {
		entries = entries[:o.Limit]
	}
	wantScan(rt, r, rng, o, strings.Join(entries, " "))
}
