// Package kvtest is the contract of kv.DB in executable form: every engine has
// to pass Run.
package kvtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"exante/storage/kv"
)

// Open opens the store in dir, which is absent at first, and there after that.
// The suite closes what it has opened.
type Open func(t testing.TB, dir string) kv.DB

// Run runs the whole suite against one engine.
func Run(t *testing.T, open Open) {
	for _, group := range [][]promise{reading, writing, isolation, lifecycle} {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) { p.test(t, newStore(t, open)) })
		}
	}
	t.Run("AgreesWithASortedMap", func(t *testing.T) { testModel(t, newStore(t, open)) })
}

type promise struct {
	name string
	test func(t *testing.T, s *store)
}

// reporter is what the checks need of a testing.TB or a rapid.T.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// store is an open DB with the calls that tests make over and over.
type store struct {
	kv.DB
	t    testing.TB
	dir  string
	open Open
}

func newStore(t testing.TB, open Open) *store {
	t.Helper()
	s := &store{t: t, dir: t.TempDir() + "/store", open: open}
	s.DB = open(t, s.dir)
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, kv.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// reopen closes the store and opens it again.
func (s *store) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatalf("Close: %v", err)
	}
	s.DB = s.open(s.t, s.dir)
}

func (s *store) update(fn func(tx kv.Txn) error) {
	s.t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		s.t.Fatalf("Update: %v", err)
	}
}

func (s *store) view(fn func(r kv.Reader) error) {
	s.t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		s.t.Fatalf("View: %v", err)
	}
}

// put writes pairs of key and value in one transaction.
func (s *store) put(pairs ...string) {
	s.t.Helper()
	s.update(func(tx kv.Txn) error { return putAll(tx, pairs...) })
}

func putAll(tx kv.Txn, pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := tx.Put([]byte(pairs[i]), []byte(pairs[i+1])); err != nil {
			return err
		}
	}
	return nil
}

// contents is everything a reader sees, as "a=1 b=2".
func contents(r kv.Reader) (string, error) { return scan(r, kv.Range{}, kv.ScanOptions{}) }

func scan(r kv.Reader, rng kv.Range, o kv.ScanOptions) (string, error) {
	var out []byte
	err := r.Scan(rng, o, func(key, value []byte) (bool, error) {
		if o.KeysOnly && value != nil {
			return false, fmt.Errorf("KeysOnly passed the value %q of %q", value, key)
		}
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(append(out, key...), '=')
		out = append(out, value...)
		return true, nil
	})
	return string(out), err
}

// wantContents compares what a new snapshot holds.
func (s *store) wantContents(want string) {
	s.t.Helper()
	s.view(func(r kv.Reader) error {
		wantScan(s.t, r, kv.Range{}, kv.ScanOptions{}, want)
		return nil
	})
}

func wantScan(t reporter, r kv.Reader, rng kv.Range, o kv.ScanOptions, want string) {
	t.Helper()
	got, err := scan(r, rng, o)
	if err != nil || got != want {
		t.Errorf("Scan(%q, %q, %+v) = %q, %v, want %q", rng.Start, rng.End, o, got, err, want)
	}
}

// wantGet compares one value; "-" stands for ErrNotFound.
func wantGet(t reporter, r kv.Reader, key, want string) {
	t.Helper()
	value, err := r.Get([]byte(key))
	switch {
	case errors.Is(err, kv.ErrNotFound):
		if want != "-" {
			t.Errorf("Get(%q): not found, want %q", key, want)
		}
	case err != nil || value == nil || string(value) != want:
		t.Errorf("Get(%q) = %q (nil: %t), %v, want %q", key, value, value == nil, err, want)
	}
}
