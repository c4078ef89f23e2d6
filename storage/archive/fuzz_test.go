package archive_test

import (
	"fmt"
	"testing"
)

// Any bytes are read in bounded memory, to an error or to entries that make the
// same backup again.
func FuzzReader(f *testing.F) {
	for _, key := range [][]byte{nil, secret} {
		whole := pack(f, header, key, small())
		f.Add(whole, key != nil)
		f.Add(whole[:len(whole)-1], key != nil)
	}
	f.Add(pack(f, header, nil, nil), false)
	f.Add([]byte("EXANTE\x1a\n\x00\x01"), false)
	head := frames(f, pack(f, header, nil, nil))[0]
	f.Add(forge(head[:len(head)-32], []byte{0, 1, 0, 0, 0, 0, 'k'}, make([]byte, 24)), false)
	f.Fuzz(func(t *testing.T, b []byte, marked bool) {
		var key []byte
		if marked {
			key = secret
		}
		h, totals, entries, err := unpack(b, key)
		if err != nil {
			return
		}
		again, totals2, entries2, err := unpack(pack(t, h, key, entries), key)
		if err != nil || again != h || totals2.Entries != totals.Entries || fmt.Sprint(entries) != fmt.Sprint(entries2) {
			t.Errorf("written again it differs: %v", err)
		}
	})
}

// A good backup in which something was changed is refused, whatever it was.
func FuzzChangedBackup(f *testing.F) {
	f.Add(uint16(0), byte(1), uint16(0))
	f.Add(uint16(200), byte(0), uint16(3))
	f.Fuzz(func(t *testing.T, at uint16, flip byte, drop uint16) {
		whole := pack(t, header, secret, small())
		i := int(at) % len(whole)
		changed := append([]byte{}, whole...)
		changed[i] ^= flip
		changed = append(changed[:i:i], changed[min(len(changed), i+int(drop)):]...)
		if string(changed) == string(whole) {
			return
		}
		if _, _, _, err := unpack(changed, secret); err == nil {
			t.Errorf("flipping %#x of byte %d and dropping %d was not missed", flip, i, drop)
		}
	})
}
