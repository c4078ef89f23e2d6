package archive_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"exante/storage/archive"
)

// frames cuts a backup into its header, its chunks and its footer, links included.
func frames(t testing.TB, b []byte) (parts [][]byte) {
	t.Helper()
	size := 8 + 2 + 1 + 16 + 24 + 1 + int(b[51]) + 32
	for {
		parts = append(parts, b[:size:size])
		if b = b[size:]; len(b) == 0 {
			return parts
		}
		size = 5 + int(binary.BigEndian.Uint32(b[1:])) + 32
	}
}

func TestACutBackupIsRefused(t *testing.T) {
	for _, key := range [][]byte{nil, secret} {
		whole := pack(t, header, key, small())
		for n := range whole {
			refused(t, fmt.Sprintf("first %d bytes", n), whole[:n], key, archive.ErrDamaged, "cut short")
		}
	}
	whole, at := pack(t, header, nil, large()), 0
	for _, f := range frames(t, whole) {
		at += len(f)
		for _, n := range []int{at - 1, at, at + 1} {
			if n < len(whole) {
				refused(t, fmt.Sprintf("first %d bytes", n), whole[:n], nil, archive.ErrDamaged, "cut short")
			}
		}
	}
	refused(t, "nothing", nil, nil, archive.ErrDamaged, "cut short")
}

func TestAFlippedBitIsRefused(t *testing.T) {
	for _, key := range [][]byte{nil, secret} {
		whole := pack(t, header, key, small())
		for bit := range 8 * len(whole) {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			if _, _, _, err := unpack(b, key); err == nil {
				t.Errorf("bit %d of byte %d was not missed", bit%8, bit/8)
			}
		}
	}
}

func TestABitFlippedInALargeBackupIsRefused(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	whole := pack(t, header, nil, large())
	for range 100 {
		at, bit := random.IntN(len(whole)), byte(1)<<random.IntN(8)
		whole[at] ^= bit
		if _, _, _, err := unpack(whole, nil); err == nil {
			t.Errorf("bit %#x of byte %d was not missed", bit, at)
		}
		whole[at] ^= bit
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestChunksOutOfPlaceAreRefused(t *testing.T) {
	f := frames(t, pack(t, header, nil, large()))
	if len(f) != 7 {
		t.Fatalf("%d frames, want a header, 5 chunks and a footer", len(f))
	}
	others := large()
	others[0].value = "another"
	later := header
	later.Sequence++
	other := frames(t, pack(t, later, nil, others))
	for what, b := range map[string][]byte{
		"dropped":                join(f[0], f[1], f[3], f[4], f[5], f[6]),
		"first dropped":          join(f[0], f[2], f[3], f[4], f[5], f[6]),
		"last dropped":           join(f[0], f[1], f[2], f[3], f[4], f[6]),
		"swapped":                join(f[0], f[2], f[1], f[3], f[4], f[5], f[6]),
		"twice":                  join(f[0], f[1], f[1], f[2], f[3], f[4], f[5], f[6]),
		"of another backup":      join(f[0], f[1], other[2], f[3], f[4], f[5], f[6]),
		"all of another backup":  join(f[0], other[1], other[2], other[3], other[4], other[5], other[6]),
		"header of another":      join(frames(t, pack(t, archive.Header{}, nil, nil))[0], f[1], f[2], f[3], f[4], f[5], f[6]),
		"footer of another":      join(f[0], f[1], f[2], f[3], f[4], f[5], other[6]),
		"footer in the middle":   join(f[0], f[1], f[6], f[2]),
		"two footers":            join(append(f, f[6])...),
		"a byte after the end":   append(join(f...), 0),
		"two backups":            join(join(f...), join(f...)),
		"an unknown frame":       join(f[0], []byte("X\x00\x00\x00\x01x"), f[1]),
		"an empty chunk":         join(f[0], []byte("C\x00\x00\x00\x00"), f[1]),
		"a chunk of 4 GiB":       join(f[0], []byte("C\xff\xff\xff\xff"), f[1]),
		"a footer that is short": join(f[0], []byte("F\x00\x00\x00\x08"), f[1]),
	} {
		refused(t, what, b, nil, archive.ErrDamaged, "")
	}
}

func TestAnotherStreamIsNoBackup(t *testing.T) {
	for _, text := range []string{"{", "age-encryption.org/v1\n-> X25519", strings.Repeat("\x00", 100), "EXANTF"} {
		refused(t, text, []byte(text), nil, archive.ErrNotBackup, "")
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	b := pack(t, header, nil, small())
	b[9]++
	refused(t, "next format", b, nil, archive.ErrNewer, "format 2, this one knows 1")
}

// forge writes what a writer with another idea of the format would: its links are good.
func forge(head []byte, payloads ...[]byte) []byte { return archive.Relink(head, payloads...) }

func TestAKeyTellsAForgery(t *testing.T) {
	plain, marked := pack(t, header, nil, small()), pack(t, header, secret, small())
	refused(t, "plain, with a key", plain, secret, archive.ErrNoMAC, "")
	refused(t, "marked, without a key", marked, nil, archive.ErrNeedsKey, "")
	refused(t, "marked, with another key", marked, another, archive.ErrForged, "")

	// Somebody changes an entry and makes all links anew, as he can without a key.
	fs := frames(t, marked)
	head := bytes.Clone(fs[0][:len(fs[0])-32])
	chunk, footer := bytes.Clone(fs[1][5:len(fs[1])-32]), bytes.Clone(fs[2][5:len(fs[2])-32])
	chunk[len(chunk)-1] = 'X'
	refused(t, "links made anew", forge(head, chunk, footer), secret, archive.ErrForged, "")
	head[10] = 0 // no longer marked
	forged := forge(head, chunk, footer)
	if _, _, _, err := unpack(forged, nil); err != nil {
		t.Fatalf("the forgery is not a good backup: %v", err)
	}
	refused(t, "mark removed", forged, secret, archive.ErrNoMAC, "")
}

func TestAGoodLinkExcusesNothing(t *testing.T) {
	f := frames(t, pack(t, header, nil, nil))
	head, none := f[0][:len(f[0])-32], make([]byte, 24)
	one := func(key, value string) []byte {
		b := binary.BigEndian.AppendUint16(nil, uint16(len(key)))
		return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), key+value...)
	}
	for what, c := range map[string]struct {
		chunks [][]byte
		words  string
	}{
		"counts":         {[][]byte{one("a", "1"), none}, "the footer counts other entries"},
		"order":          {[][]byte{append(one("b", "1"), one("a", "1")...), none}, "out of order"},
		"order over two": {[][]byte{one("a", "1"), one("a", "1"), none}, "out of order"},
		"no key":         {[][]byte{one("", "1"), none}, "does not fit"},
		"short head":     {[][]byte{{0, 1, 0}, none}, "cut short"},
		"long key":       {[][]byte{{0xff, 0xff, 0, 0, 0, 0, 1}, none}, "does not fit"},
		"long value":     {[][]byte{{0, 1, 0xff, 0xff, 0xff, 0xff, 1}, none}, "does not fit"},
	} {
		refused(t, what, forge(head, c.chunks...), nil, archive.ErrDamaged, c.words)
	}
	flags := bytes.Clone(head)
	flags[10] = 2
	refused(t, "unknown flag", forge(flags, none), nil, archive.ErrDamaged, "unknown flags 0x2")
	zero := bytes.Clone(head)
	zero[9] = 0
	refused(t, "format 0", forge(zero, none), nil, archive.ErrDamaged, "format 0")
}

func TestReadingNeedsTheMemoryOfOneChunk(t *testing.T) {
	in, out := io.Pipe()
	const n = 4000 // of 60 KiB each: 240 MB
	go func() {
		w, err := archive.NewWriter(out, header, nil)
		value := make([]byte, 60<<10)
		for i := range n {
			if err == nil {
				err = w.Add(binary.BigEndian.AppendUint32(nil, uint32(i)), value)
			}
		}
		if err == nil {
			_, err = w.Close()
		}
		out.CloseWithError(err)
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := archive.NewReader(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = r.Next()
	}
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.EOF) || r.Totals().Entries != n {
		t.Errorf("read %d entries, then %v", r.Totals().Entries, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("writing and reading 240 MB allocated %d bytes", used)
	}
}

func TestDigestTellsEntriesApart(t *testing.T) {
	sum := func(es ...entry) [32]byte {
		d := archive.NewDigest()
		for _, e := range es {
			d.Add([]byte(e.key), []byte(e.value))
		}
		return d.Sum()
	}
	seen := map[[32]byte]int{}
	for i, es := range [][]entry{
		nil, {{"a", ""}}, {{"", "a"}}, {{"a", "b"}}, {{"ab", ""}}, {{"a", ""}, {"b", ""}}, {{"b", ""}, {"a", ""}},
	} {
		if j, known := seen[sum(es...)]; known {
			t.Errorf("entries %d and %d have the same digest", i, j)
		}
		seen[sum(es...)] = i
	}
	if first, again := sum(small()...), sum(small()...); first != again {
		t.Error("the same entries have two digests")
	}
}
