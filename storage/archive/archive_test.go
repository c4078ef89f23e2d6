package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"exante/storage/archive"
)

var (
	header = archive.Header{
		Database: [16]byte{1, 2, 3}, Sequence: 4711, TakenAt: time.UnixMilli(1_800_000_000_123).UTC(), Schema: 2, Program: "v1.2.3",
	}
	secret  = []byte("0123456789abcdef0123456789abcdef")
	another = []byte("fedcba9876543210fedcba9876543210")
)

type entry struct{ key, value string }

// small has one chunk, large has five.
func small() (es []entry) {
	for i := range 9 {
		es = append(es, entry{fmt.Sprintf("k%d", i), strings.Repeat("v", i)})
	}
	return es
}

func large() (es []entry) {
	for i := range 70 {
		es = append(es, entry{fmt.Sprintf("key %03d", i), strings.Repeat(string(rune('a'+i%26)), 60<<10)})
	}
	return es
}

func pack(t testing.TB, h archive.Header, key []byte, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := archive.NewWriter(&out, h, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Add([]byte(e.key), []byte(e.value)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpack reads to the end; what was read before an error counts for nothing.
func unpack(b, key []byte) (archive.Header, archive.Totals, []entry, error) {
	r, err := archive.NewReader(bytes.NewReader(b), key)
	if err != nil {
		return archive.Header{}, archive.Totals{}, nil, err
	}
	var entries []entry
	for {
		k, v, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), r.Totals(), entries, nil
		}
		if err != nil {
			return r.Header(), r.Totals(), nil, err
		}
		entries = append(entries, entry{string(k), string(v)})
	}
}

func refused(t *testing.T, what string, b, key []byte, kind error, words string) {
	t.Helper()
	_, _, _, err := unpack(b, key)
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: error %v, want %q with %q", what, err, kind, words)
	}
}

func TestWhatIsReadIsWhatWasWritten(t *testing.T) {
	for name, entries := range map[string][]entry{"none": nil, "small": small(), "large": large(), "longest": {{"k", strings.Repeat("x", archive.MaxEntry-1)}, {"l", ""}}} {
		for _, key := range [][]byte{nil, secret} {
			h, totals, got, err := unpack(pack(t, header, key, entries), key)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := header
			want.Authenticated = key != nil
			if h != want || int(totals.Entries) != len(entries) || fmt.Sprint(got) != fmt.Sprint(entries) {
				t.Errorf("%s: read %+v, %+v and %d entries, not what was written", name, h, totals, len(got))
			}
		}
	}
}

func TestTheSameEntriesMakeTheSameBytes(t *testing.T) {
	if !bytes.Equal(pack(t, header, nil, large()), pack(t, header, nil, large())) {
		t.Error("two backups of the same differ")
	}
	later := header
	later.TakenAt = later.TakenAt.Add(time.Hour)
	a, b := frames(t, pack(t, header, nil, large())), frames(t, pack(t, later, nil, large()))
	for i := range a[1:] {
		if x, y := a[i+1], b[i+1]; !bytes.Equal(x[:len(x)-32], y[:len(y)-32]) {
			t.Errorf("chunk %d of the same state differs", i)
		}
	}
}

func TestTheWriterRefusesWhatCouldNotBeRead(t *testing.T) {
	w, err := archive.NewWriter(io.Discard, header, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, e := range map[string]entry{
		"no key": {"", "v"}, "long key": {strings.Repeat("k", 1<<16), ""}, "long value": {"k", strings.Repeat("v", archive.MaxEntry)},
	} {
		if err := w.Add([]byte(e.key), []byte(e.value)); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if err := w.Add([]byte("k"), nil); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"k", "j"} {
		if err := w.Add([]byte(k), nil); err == nil || !strings.Contains(err.Error(), "order") {
			t.Errorf("%s after k: error %v", k, err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Add([]byte("z"), nil); err == nil {
		t.Error("an entry after the footer was taken")
	}
	if _, err := archive.NewWriter(io.Discard, archive.Header{Program: strings.Repeat("v", 256)}, nil); err == nil {
		t.Error("a version of 256 bytes was taken")
	}
}

// full is a stream that takes so many bytes.
type full struct{ room int }

var errFull = errors.New("disk is full")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAFailedStreamIsNoBackup(t *testing.T) {
	for room := range len(pack(t, header, nil, small())) {
		w, err := archive.NewWriter(&full{room}, header, nil)
		for _, e := range small() {
			if err == nil {
				err = w.Add([]byte(e.key), []byte(e.value))
			}
		}
		if err == nil {
			_, err = w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("with room for %d bytes: error %v", room, err)
		}
	}
}
