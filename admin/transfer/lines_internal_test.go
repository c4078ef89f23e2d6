package transfer

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"exante/storage"
)

// split reads a whole text, one byte at a time where slow.
func split(t *testing.T, text string, csv, slow bool) (lines []line, s *splitter) {
	t.Helper()
	var in io.Reader = strings.NewReader(text)
	if slow {
		in = iotest.OneByteReader(in)
	}
	s = newSplitter(in, csv)
	for {
		l, err := s.next()
		if err == io.EOF {
			return lines, s
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
}

func TestFileIsSplitIntoLines(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, c := range []struct {
		text  string
		csv   bool
		want  []string // number:text
		lines uint64
	}{
		{"", false, nil, 0},
		{"\n\n", false, nil, 2},
		{"a\nb\n", false, []string{"1:a", "2:b"}, 2},
		{"a\r\n\r\n  \nb", false, []string{"1:a", "4:b"}, 4},
		{long + "\nb", false, []string{"1:" + long, "2:b"}, 2},
		{"\"a\nb\"\n", false, []string{"1:\"a", "2:b\""}, 2},
		{"a,\"b\nc\"\nd\n", true, []string{"1:a,\"b\nc\"", "3:d"}, 3},
		{"\"a\"\"\n\",b\r\nc", true, []string{"1:\"a\"\"\n\",b", "3:c"}, 3},
		{"5\" pipe,a\nb\n", true, []string{"1:5\" pipe,a", "2:b"}, 2},
		{"a,\"b\nc", true, []string{"1:a,\"b\nc"}, 2},
		{"a,\"b\nc\n", true, []string{"1:a,\"b\nc"}, 2},
	} {
		for _, slow := range []bool{false, true} {
			lines, s := split(t, c.text, c.csv, slow)
			var got []string
			for _, l := range lines {
				got = append(got, fmt.Sprintf("%d:%s", l.number, l.text))
			}
			if !slices.Equal(got, c.want) || s.at != (storage.ImportMark{Lines: c.lines, Bytes: uint64(len(c.text))}) {
				t.Errorf("%.40q: %.60q at %+v, want %.60q, %d lines", c.text, got, s.at, c.want, c.lines)
			}
		}
	}
}

func TestLongLineIsCutInBoundedMemory(t *testing.T) {
	const size = 256 << 20
	in := io.MultiReader(strings.NewReader("a\n"), io.LimitReader(endless('x'), size), strings.NewReader("\nb\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := newSplitter(in, false)
	var got []string
	for {
		l, err := s.next()
		if err == io.EOF {
			break
		}
		got = append(got, fmt.Sprint(l.number, l.tooLong, len(l.text)))
	}
	runtime.ReadMemStats(&after)
	if !slices.Equal(got, []string{"1 false 1", fmt.Sprint("2 true ", keptText), "3 false 1"}) {
		t.Errorf("lines %q", got)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d MiB were allocated for a line of %d MiB", grown>>20, size>>20)
	}
	exact, _ := split(t, strings.Repeat("y", MaxLine)+"\r\n"+strings.Repeat("z", MaxLine+1), false, false)
	if exact[0].tooLong || !exact[1].tooLong {
		t.Error("the limit is not 1 MiB")
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestFileIsKnownAgain(t *testing.T) {
	const text = "one\ntwo\nthree\n"
	_, s := split(t, text[:8], false, false)
	state := storage.ImportState{Done: s.at, Proof: *s.proof()}
	again := func(text string) error {
		s := newSplitter(strings.NewReader(text), false)
		if err := s.skip(&state); err != nil {
			return err
		}
		if l, err := s.next(); err != nil || l.number != 3 || string(l.text) != "three" {
			t.Errorf("goes on with %d %q, %v", l.number, l.text, err)
		}
		return nil
	}
	if err := again(text); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"ONE\ntwo\nthree\n", "one\n", ""} {
		if err := again(other); !errors.Is(err, ErrOtherFile) {
			t.Errorf("%q: %v", other, err)
		}
	}
}
