package auth

import (
	"encoding/binary"
	"sync"
	"testing"
)

// aHash is some hash, as a store would hand it over.
func aHash(t *testing.T, n byte) Hash {
	t.Helper()
	h, err := ParseHash("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + string('A'+n*4))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func liveWith(h Hash) *liveKey {
	live := &liveKey{}
	live.record.Store(&Key{Hash: h})
	return live
}

func TestVerifiedIsBounded(t *testing.T) {
	v, live := newVerified(1000), liveWith(aHash(t, 0))
	for i := range 100_000 {
		var d digest
		binary.LittleEndian.PutUint64(d[:], uint64(i))
		d[31] = byte(i)
		v.remember(&d, live, aHash(t, 0))
		if v.find(&d) != live {
			t.Fatalf("entry %d is not found after it was remembered", i)
		}
	}
	n := 0
	for i := range v.shards {
		n += len(v.shards[i].entries)
	}
	if n > 1000 || n < 900 {
		t.Errorf("%d entries in a cache of 1000", n)
	}
}

// The cache compares whole digests: another token with the same tag is a miss.
func TestVerifiedComparesWholeDigests(t *testing.T) {
	v, live := newVerified(1000), liveWith(aHash(t, 0))
	d := digest{1, 2, 3, 31: 7}
	v.remember(&d, live, aHash(t, 0))
	for i := range d {
		other := d
		other[i] ^= 1
		if v.find(&other) != nil {
			t.Errorf("found by a digest that differs in byte %d", i)
		}
	}
}

// A match is worth nothing once the hash has been replaced, whether the
// replacement came before or after it was remembered.
func TestVerifiedForgetsAReplacedHash(t *testing.T) {
	v, live := newVerified(1000), liveWith(aHash(t, 0))
	d := digest{1}
	v.remember(&d, live, aHash(t, 0))
	live.record.Store(&Key{Hash: aHash(t, 0), Version: 2})
	if v.find(&d) != live {
		t.Error("a change that kept the hash cost a verification")
	}
	live.record.Store(&Key{Hash: aHash(t, 1)})
	if v.find(&d) != nil {
		t.Error("found under a hash that was replaced")
	}
	v.remember(&d, live, aHash(t, 0)) // the hash ran before the replacement
	if v.find(&d) != nil {
		t.Error("remembered under a hash that was replaced")
	}
}

func TestVerifiedUnderConcurrency(t *testing.T) {
	v := newVerified(128)
	keys := []*liveKey{liveWith(aHash(t, 0)), liveWith(aHash(t, 1))}
	hashes := []Hash{aHash(t, 0), aHash(t, 1)}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 20_000 {
				d := digest{byte(i % 7), byte(i % 2), 31: byte(i % 3)}
				if g%2 == 0 {
					v.remember(&d, keys[i%2], hashes[i%2])
				} else if live := v.find(&d); live != nil && live != keys[d[1]] {
					t.Error("one key's token found another key")
				}
			}
		})
	}
	wg.Wait()
}
