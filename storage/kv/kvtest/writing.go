package kvtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"exante/storage/kv"
)

var writing = []promise{
	{"UpdateSeesItsOwnWrites", testOwnWrites},
	{"ScanInUpdateIsUnmovedByWritesInIt", testScanWhileWriting},
	{"InsertRefusesWhatExists", testInsert},
	{"FenceWritesNothing", testFence},
	{"LimitsAreTheSameEverywhere", testLimits},
	{"ARefusedWriteAbandonsTheTransaction", testRefusalSticks},
	{"TheLargestTransactionsFit", testLargest},
	{"AFailedUpdateLeavesNothing", testFailedUpdate},
	{"APanicIsTheCallersAlone", testPanic},
	{"HooksRunOnceInOrderAfterSuccess", testHooks},
}

func testOwnWrites(t *testing.T, s *store) {
	s.put("a", "old", "b", "old", "c", "old", "e", "old")
	s.update(func(tx kv.Txn) error {
		err := putAll(tx, "a", "new", "d", "new", "z", "new")
		err = errors.Join(err, tx.Delete([]byte("b")), tx.Delete([]byte("d")), tx.Delete([]byte("x")))
		err = errors.Join(err, putAll(tx, "d", "again", "aa", ""))
		wantGet(t, tx, "a", "new")
		wantGet(t, tx, "aa", "")
		wantGet(t, tx, "b", "-")
		wantGet(t, tx, "c", "old")
		checkScan(t, tx, kv.Range{}, []string{"a=new", "aa=", "c=old", "d=again", "e=old", "z=new"})
		checkScan(t, tx, kv.Prefix([]byte("a")), []string{"a=new", "aa="})
		checkScan(t, tx, kv.Range{Start: []byte("b"), End: []byte("e")}, []string{"c=old", "d=again"})
		values, getErr := tx.GetMany([][]byte{[]byte("b"), []byte("d"), []byte("c")})
		if getErr != nil || values[0] != nil || string(values[1]) != "again" || string(values[2]) != "old" {
			t.Errorf("GetMany(b, d, c) = %q, %v", values, getErr)
		}
		return err
	})
	s.wantContents("a=new aa= c=old d=again e=old z=new")
}

func testScanWhileWriting(t *testing.T, s *store) {
	s.put("a", "1", "b", "2")
	s.update(func(tx kv.Txn) error {
		if err := putAll(tx, "c", "3"); err != nil {
			return err
		}
		var seen []string
		err := tx.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			seen = append(seen, string(key)+"="+string(value))
			err := errors.Join(tx.Delete(key), tx.Put(append([]byte("x"), key...), value))
			clear(key) // whose memory it may be
			clear(value)
			return true, err
		})
		if got := strings.Join(seen, " "); got != "a=1 b=2 c=3" {
			t.Errorf("the scan saw %q", got)
		}
		return err
	})
	s.wantContents("xa=1 xb=2 xc=3")
}

func testInsert(t *testing.T, s *store) {
	s.put("there", "1", "gone", "1")
	insert := func(tx kv.Txn, key string, want error) {
		t.Helper()
		if err := tx.Insert([]byte(key), []byte("2")); !errors.Is(err, want) {
			t.Errorf("Insert(%q) = %v, want %v", key, err, want)
		}
	}
	s.update(func(tx kv.Txn) error {
		insert(tx, "there", kv.ErrExists)
		insert(tx, "new", nil)
		insert(tx, "new", kv.ErrExists)
		if err := tx.Delete([]byte("gone")); err != nil {
			return err
		}
		insert(tx, "gone", nil)
		return nil
	})
	s.wantContents("gone=2 new=2 there=1")
}

func testFence(t *testing.T, s *store) {
	s.put("a", "1")
	s.update(func(tx kv.Txn) error {
		err := errors.Join(tx.Fence([]byte("a")), tx.Fence([]byte("b")), tx.Put([]byte("b"), []byte("2")),
			tx.Fence([]byte("b")), tx.Fence([]byte("c")))
		wantGet(t, tx, "a", "1")
		wantGet(t, tx, "c", "-")
		checkScan(t, tx, kv.Range{}, []string{"a=1", "b=2"})
		return err
	})
	s.wantContents("a=1 b=2")
}

func testLimits(t *testing.T, s *store) {
	key, value := make([]byte, kv.MaxKey+1), make([]byte, kv.MaxValue+1)
	writes := map[string]func(tx kv.Txn, key, value []byte) error{
		"Insert": func(tx kv.Txn, key, value []byte) error { return tx.Insert(key, value) },
		"Put":    func(tx kv.Txn, key, value []byte) error { return tx.Put(key, value) },
		"Delete": func(tx kv.Txn, key, _ []byte) error { return tx.Delete(key) },
		"Fence":  func(tx kv.Txn, key, _ []byte) error { return tx.Fence(key) },
	}
	for name, write := range writes {
		tests := []struct {
			key, value []byte
			want       error
			text       string
		}{
			{key[:kv.MaxKey], value[:kv.MaxValue], nil, ""},
			{key, value[:1], kv.ErrTooLarge, "key of 513 bytes, at most 512: over the size limit"},
			{nil, value[:1], kv.ErrInvalidKey, "key is empty"},
		}
		if name == "Put" || name == "Insert" {
			tests = append(tests, tests[0])
			tests[3].key, tests[3].value = key[:1], value
			tests[3].want, tests[3].text = kv.ErrTooLarge, "value of 65537 bytes, at most 65536: over the size limit"
		}
		for _, tt := range tests {
			err := s.Update(context.Background(), func(tx kv.Txn) error {
				return errors.Join(tx.Delete(key[:kv.MaxKey]), write(tx, tt.key, tt.value))
			})
			if !errors.Is(err, tt.want) || err != nil && err.Error() != tt.text {
				t.Errorf("%s of a key of %d and a value of %d bytes: %v, want %q", name, len(tt.key), len(tt.value), err, tt.text)
			}
		}
	}
}

func testRefusalSticks(t *testing.T, s *store) {
	tests := map[string]struct {
		writes func(tx kv.Txn)
		text   string
	}{
		"count": {func(tx kv.Txn) {
			for i := range kv.MaxTxnWrites + 1 {
				_ = tx.Fence(fmt.Appendf(nil, "%04d", i))
			}
		}, fmt.Sprintf("transaction of more than %d writes: over the size limit", kv.MaxTxnWrites)},
		"bytes": {func(tx kv.Txn) {
			for i := range kv.MaxTxnBytes/kv.MaxValue + 1 {
				_ = tx.Put(fmt.Appendf(nil, "%04d", i), make([]byte, kv.MaxValue))
			}
		}, "transaction of more than 2097152 bytes: over the size limit"},
		"value": {func(tx kv.Txn) {
			_ = tx.Put([]byte("big"), make([]byte, kv.MaxValue+1))
		}, "value of 65537 bytes, at most 65536: over the size limit"},
	}
	for name, tt := range tests {
		err := s.Update(context.Background(), func(tx kv.Txn) error {
			err := putAll(tx, "a", "1")
			tt.writes(tx)
			_ = putAll(tx, "z", "1")
			return err
		})
		if !errors.Is(err, kv.ErrTooLarge) || err.Error() != tt.text {
			t.Errorf("%s: Update = %v, want %q", name, err, tt.text)
		}
	}
	s.wantContents("")
}

// testLargest queues full transactions among smaller ones: together they are
// more than an engine may be able to commit at once.
func testLargest(t *testing.T, s *store) {
	const clients, full = 16, kv.MaxTxnBytes/kv.MaxTxnWrites - 8
	fill := func(tx kv.Txn, client int) error {
		size := full
		if client%4 > 0 {
			size = full / 3
		}
		for i := range kv.MaxTxnWrites {
			if err := tx.Put(fmt.Appendf(nil, "%02d%06d", client, i), make([]byte, size)); err != nil {
				return err
			}
		}
		return tx.Put(fmt.Appendf(nil, "%02d%06d", client, 0), []byte("written again, which counts once"))
	}
	together(clients, func(client int) {
		if err := s.Update(context.Background(), func(tx kv.Txn) error { return fill(tx, client) }); err != nil {
			t.Errorf("a transaction within the limits: %v", err)
		}
	})
	s.view(func(r kv.Reader) error {
		n, err := r.Count(kv.Range{})
		if n != clients*kv.MaxTxnWrites {
			t.Errorf("Count = %d, want %d", n, clients*kv.MaxTxnWrites)
		}
		return err
	})
}

func testFailedUpdate(t *testing.T, s *store) {
	s.put("a", "1")
	oops := errors.New("oops")
	err := s.Update(context.Background(), func(tx kv.Txn) error {
		return errors.Join(putAll(tx, "a", "2", "b", "2"), tx.Delete([]byte("a")))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(context.Background(), func(tx kv.Txn) error {
		if err := putAll(tx, "a", "3", "b", "3"); err != nil {
			return err
		}
		return oops
	})
	if err != oops {
		t.Errorf("Update = %v, want oops as it is", err)
	}
	s.wantContents("b=2")
}

func testPanic(t *testing.T, s *store) {
	for name, leave := range map[string]func(){
		"panic":  func() { panic("at the disco") },
		"Goexit": runtime.Goexit,
	} {
		left := make(chan any)
		go func() {
			defer func() { left <- recover() }()
			_ = s.Update(context.Background(), func(tx kv.Txn) error {
				_ = putAll(tx, name, "half done")
				leave()
				return nil
			})
		}()
		if got := <-left; name == "panic" && got != "at the disco" {
			t.Errorf("recovered %v, want what fn panicked with", got)
		}
	}
	s.put("a", "1")
	s.wantContents("a=1")
}

func testHooks(t *testing.T, s *store) {
	var ran []string
	note := func(what string) func() { return func() { ran = append(ran, what) } }
	s.update(func(tx kv.Txn) error {
		tx.OnCommit(note("first"))
		tx.OnCommit(note("second"))
		return putAll(tx, "a", "1")
	})
	err := s.Update(context.Background(), func(tx kv.Txn) error {
		tx.OnCommit(note("abandoned"))
		return errors.Join(putAll(tx, "a", "2"), tx.Insert([]byte("a"), nil))
	})
	if !errors.Is(err, kv.ErrExists) {
		t.Errorf("Update = %v", err)
	}
	s.update(func(tx kv.Txn) error {
		tx.OnCommit(note("wrote nothing"))
		return nil
	})
	if want := []string{"first", "second", "wrote nothing"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
}
