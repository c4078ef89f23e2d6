package kvtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"exante/storage/kv"
)

var isolation = []promise{
	{"ASnapshotStandsStill", testSnapshot},
	{"CountersLoseNothing", testCounters},
	{"NoWriteSkew", testWriteSkew},
	{"AFenceGuardsAnEmptyRange", testFenceGuards},
	{"OneWinsAnInsert", testInsertRace},
	{"OwnWritesLieOverThoseOfNeighbours", testLayers},
	{"AFailingNeighbourHarmsNobody", testNeighbours},
	{"ARefusalIsAsDurableAsItsReason", testRefusalIsDurable},
	{"HooksRunInCommitOrder", testHookOrder},
	{"ViewSeesACommittedPrefix", testPrefix},
	{"WhatIsAcknowledgedIsVisible", testVisible},
}

func testSnapshot(t *testing.T, s *store) {
	s.put("a", "1", "b", "1")
	s.view(func(r kv.Reader) error {
		for i := range 20 {
			s.update(func(tx kv.Txn) error {
				return errors.Join(putAll(tx, "a", strconv.Itoa(i), "c"+strconv.Itoa(i), "1"), tx.Delete([]byte("b")))
			})
			wantGet(t, r, "a", "1")
			wantGet(t, r, "b", "1")
			wantGet(t, r, "c0", "-")
			checkScan(t, r, kv.Range{}, []string{"a=1", "b=1"})
		}
		return nil
	})
}

// together runs fn on so many goroutines at once, each with its number.
func together(clients int, fn func(client int)) {
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() { fn(client) })
	}
	wg.Wait()
}

func number(r kv.Reader, key string) (uint64, error) {
	value, err := r.Get([]byte(key))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(value), nil
}

func setNumber(tx kv.Txn, key string, n uint64) error {
	return tx.Put([]byte(key), binary.BigEndian.AppendUint64(nil, n))
}

func testCounters(t *testing.T, s *store) {
	const clients, each = 64, 20
	together(clients, func(int) {
		for range each {
			s.update(func(tx kv.Txn) error {
				n, err := number(tx, "n")
				if err != nil {
					return err
				}
				return setNumber(tx, "n", n+1)
			})
		}
	})
	s.view(func(r kv.Reader) error {
		if n, err := number(r, "n"); n != clients*each || err != nil {
			t.Errorf("%d increments left %d, %v", clients*each, n, err)
		}
		return nil
	})
}

// testWriteSkew: two are on call, and each may leave if the other stays.
func testWriteSkew(t *testing.T, s *store) {
	for round := range 10 {
		s.put("a", "on", "b", "on")
		left := atomic.Int32{}
		together(2, func(client int) {
			me := []string{"a", "b"}[client]
			s.update(func(tx kv.Txn) error {
				values, err := tx.GetMany([][]byte{[]byte("a"), []byte("b")})
				if err != nil || string(values[0]) != "on" || string(values[1]) != "on" {
					return err
				}
				tx.OnCommit(func() { left.Add(1) })
				return putAll(tx, me, "off")
			})
		})
		if left.Load() != 1 {
			t.Errorf("round %d: %d left", round, left.Load())
		}
	}
}

func testFenceGuards(t *testing.T, s *store) {
	winners := atomic.Int32{}
	together(16, func(client int) {
		s.update(func(tx kv.Txn) error {
			n, err := tx.Count(kv.Prefix([]byte("seat/")))
			if err != nil || n > 0 {
				return err
			}
			tx.OnCommit(func() { winners.Add(1) })
			return errors.Join(tx.Fence([]byte("seats")), tx.Put(fmt.Appendf(nil, "seat/%d", client), nil))
		})
	})
	if winners.Load() != 1 {
		t.Errorf("%d found the range empty and filled it", winners.Load())
	}
}

func testInsertRace(t *testing.T, s *store) {
	won, lost := atomic.Int32{}, atomic.Int32{}
	together(32, func(client int) {
		err := s.Update(context.Background(), func(tx kv.Txn) error {
			return tx.Insert([]byte("name"), []byte{byte(client)})
		})
		switch {
		case err == nil:
			won.Add(1)
		case errors.Is(err, kv.ErrExists):
			lost.Add(1)
		default:
			t.Error(err)
		}
	})
	if won.Load() != 1 || lost.Load() != 31 {
		t.Errorf("%d won and %d lost", won.Load(), lost.Load())
	}
}

// testLayers lets transactions that an engine may commit together write the
// same keys: each sees its own writes over those of the others, in any scan.
func testLayers(t *testing.T, s *store) {
	together(32, func(client int) {
		for i := range 8 {
			mine := fmt.Sprintf("%d/%d", client, i)
			s.update(func(tx kv.Txn) error {
				err := putAll(tx, "a", "gone", "b", mine, "d", mine)
				err = errors.Join(err, tx.Delete([]byte("a")))
				n, err2 := number(tx, "c")
				checkScan(t, tx, kv.Range{End: []byte("c")}, []string{"b=" + mine})
				checkScan(t, tx, kv.Range{Start: []byte("d")}, []string{"d=" + mine})
				wantScan(t, tx, kv.Range{}, kv.ScanOptions{KeysOnly: true, Reverse: true, Limit: 1}, "d=")
				if err := setNumber(tx, "c", n+1); err != nil {
					return err
				}
				if i%2 == 0 {
					err = errors.Join(err, tx.Delete([]byte("d")), putAll(tx, "a", mine))
				}
				return errors.Join(err, err2)
			})
		}
	})
	s.view(func(r kv.Reader) error {
		if n, err := number(r, "c"); n != 32*8 || err != nil {
			t.Errorf("%d transactions left %d, %v", 32*8, n, err)
		}
		return nil
	})
}

func testNeighbours(t *testing.T, s *store) {
	oops := errors.New("oops")
	together(64, func(client int) {
		for i := range 10 {
			err := s.Update(context.Background(), func(tx kv.Txn) error {
				if err := putAll(tx, fmt.Sprintf("%02d/%d", client, i), "1", "shared", "1"); err != nil {
					return err
				}
				switch client % 4 {
				case 1:
					return oops
				case 2:
					return tx.Put([]byte("big"), make([]byte, kv.MaxValue+1))
				case 3:
					return tx.Insert([]byte("shared"), nil)
				}
				return nil
			})
			want := []error{nil, oops, kv.ErrTooLarge, kv.ErrExists}[client%4]
			if !errors.Is(err, want) {
				t.Errorf("client %d: %v, want %v", client, err, want)
			}
		}
	})
	s.view(func(r kv.Reader) error {
		n, err := r.Count(kv.Range{})
		if n != 16*10+1 {
			t.Errorf("%d keys, want those of the 16 clients that succeed and the shared one", n)
		}
		return err
	})
}

func testHookOrder(t *testing.T, s *store) {
	const clients, each = 32, 10
	var order []uint64 // no lock: hooks run one after the other
	together(clients, func(int) {
		for range each {
			s.update(func(tx kv.Txn) error {
				n, err := number(tx, "n")
				if err != nil {
					return err
				}
				tx.OnCommit(func() { order = append(order, n) })
				return setNumber(tx, "n", n+1)
			})
		}
	})
	for i, n := range order {
		if uint64(i) != n {
			t.Fatalf("hook %d is that of transaction %d", i, n)
		}
	}
	if len(order) != clients*each {
		t.Errorf("%d hooks ran, want %d", len(order), clients*each)
	}
}

// testPrefix: transaction n writes key n and sets both ends of a pair to n. A
// snapshot may be old, but never shows a gap, a torn pair, or less than before.
func testPrefix(t *testing.T, s *store) {
	const writes = 160
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for before := uint64(0); !done.Load(); {
				s.view(func(r kv.Reader) error {
					left, err := number(r, "a/left")
					right, err2 := number(r, "z/right")
					n, err3 := r.Count(kv.Prefix([]byte("k/")))
					if left != right || uint64(n) != left || left < before {
						t.Errorf("after %d a snapshot shows the pair %d, %d and %d keys", before, left, right, n)
					}
					before = left
					return errors.Join(err, err2, err3)
				})
			}
		})
	}
	together(8, func(int) {
		for range writes / 8 {
			s.update(func(tx kv.Txn) error {
				n, err := number(tx, "a/left")
				key := binary.BigEndian.AppendUint64([]byte("k/"), n)
				return errors.Join(err, tx.Put(key, nil), setNumber(tx, "a/left", n+1), setNumber(tx, "z/right", n+1))
			})
		}
	})
	done.Store(true)
	readers.Wait()
}

func testVisible(t *testing.T, s *store) {
	together(32, func(client int) {
		key := fmt.Sprintf("k%d", client)
		for i := range 10 {
			hooked, value := false, strconv.Itoa(i)
			s.update(func(tx kv.Txn) error {
				tx.OnCommit(func() { hooked = true })
				return putAll(tx, key, value)
			})
			if !hooked {
				t.Error("Update returned before its hook had run")
			}
			s.view(func(r kv.Reader) error {
				wantGet(t, r, key, value)
				return nil
			})
		}
	})
}
