package auditcopy_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/storage/auditcopy"
)

// entry is a line of a made-up chain; the hash is that of what stands before it.
func entry(seq int, prev auditcopy.Hash, what string) (string, auditcopy.Hash) {
	text := fmt.Sprintf(`{"seq":%d,"what":%q,"prev":"%x"`, seq, what, prev)
	hash := sha256.Sum256([]byte(text))
	return fmt.Sprintf(`%s,"hash":"%x"}`, text, hash), hash
}

// chain makes lines from a list of numbers. One that does not go on from the line
// before it begins a branch.
func chain(seqs ...int) (lines []string) {
	hashes := map[int]auditcopy.Hash{}
	for i, seq := range seqs {
		what := "record"
		if i > 0 && seq <= seqs[i-1] {
			what = "branch"
		}
		line, hash := entry(seq, hashes[seq-1], fmt.Sprint(what, i))
		hashes[seq] = hash
		lines = append(lines, line)
	}
	return lines
}

func isBranch(text []byte, _ auditcopy.Line) bool {
	return bytes.Contains(text, []byte(`"what":"branch`))
}

func writeCopy(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll is what a Reader says of a file: numbers, those that are superseded in
// brackets, a torn line as a question mark, then what ended it.
func readAll(t testing.TB, path string, o auditcopy.Options) string {
	t.Helper()
	o.Branch = isBranch
	r, err := auditcopy.Open(path, o)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	var out []string
	for {
		l, err := r.Next()
		switch {
		case err == io.EOF:
			if len(r.Torn()) > 0 {
				out = append(out, fmt.Sprintf("+%d", len(r.Torn())))
			}
			if r.Unended() {
				out = append(out, "unended")
			}
			return strings.Join(out, " ")
		case err != nil:
			if !errors.Is(err, auditcopy.ErrBroken) {
				t.Errorf("%v is not ErrBroken", err)
			}
			return strings.Join(append(out, err.Error()), " ")
		case l.Torn:
			out = append(out, "?")
		case l.Superseded:
			out = append(out, fmt.Sprintf("(%d)", l.Seq))
		default:
			out = append(out, fmt.Sprint(l.Seq))
		}
	}
}

func TestReaderFollowsTheChain(t *testing.T) {
	file := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	whole := chain(1, 2, 3, 4)
	last, _ := entry(9, auditcopy.Hash{}, "record")
	branched := chain(1, 2, 3, 4, 3, 4, 5, 5, 6)
	foreign, _ := entry(3, auditcopy.Hash{7}, "branch")
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a chain", file(whole...), "1 2 3 4"},
		{"without the last break", strings.Join(whole, "\n"), "1 2 3 4 unended"},
		{"torn", file(whole[:3]...) + whole[3][:20], "1 2 3 +20"},
		{"branches", file(branched...), "1 2 (3) (4) 3 4 (5) 5 6"},
		{"a torn line before a branch", file(whole[0], whole[1], whole[2], whole[3][:30], branched[4]), "1 2 (3) ? 3"},
		{"a torn line before none", file(whole[0], whole[1][:30], whole[1]), "1 line 2 of the audit copy is no record"},
		{"removed", file(whole[0], whole[2]), "1 record 2, line 2 of the audit copy, is missing: record 3 follows 1"},
		{"begun late", file(whole[1:]...), "record 1, line 1 of the audit copy, is missing: record 2 follows 0"},
		{"out of order", file(whole[0], whole[1], whole[3], whole[2]), "1 2 record 3, line 3 of the audit copy, is missing: record 4 follows 2"},
		{"twice", file(whole[0], whole[1], whole[1]), "1 (2) record 2, line 3 of the audit copy, follows record 2: it is out of order, or was there before"},
		{"another before", file(whole[0], chain(1, 1, 2)[2]), "1 record 2, line 2 of the audit copy, does not follow the record before it: one of them was changed"},
		{"a branch from elsewhere", file(append(whole[:4:4], foreign)...), "1 2 (3) (4) record 3, line 5 of the audit copy, goes on from another record than there is"},
		{"a gap at the end", file(append(whole[:4:4], last)...), "1 2 3 4 record 5, line 5 of the audit copy, is missing: record 9 follows 4"},
		{"no JSON", file("hello"), "line 1 of the audit copy is no record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readAll(t, writeCopy(t, c.text), auditcopy.Options{}); got != c.want {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestReaderOfATail(t *testing.T) {
	lines := chain(1, 2, 3, 4, 5, 4, 5)
	path := writeCopy(t, strings.Join(lines, "\n")+"\n")
	for n, want := range []string{"", "5", "4 5", "(5) 4 5", "(4) (5) 4 5", "3 (4) (5) 4 5"} {
		if n == 0 {
			continue
		}
		tail := int64(5) // of the line before
		for _, l := range lines[len(lines)-n:] {
			tail += int64(len(l)) + 1
		}
		if got := readAll(t, path, auditcopy.Options{Tail: tail}); got != want {
			t.Errorf("the last %d lines are %q, want %q", n, got, want)
		}
	}
	if got := readAll(t, path, auditcopy.Options{Size: int64(len(lines[0]) + 1)}); got != "1" {
		t.Errorf("the first line is %q", got)
	}
}

// Whatever a file holds, reading it ends, with a chain or with an error.
func FuzzReader(f *testing.F) {
	f.Add([]byte(strings.Join(chain(1, 2, 3, 2, 3), "\n")), int64(0))
	f.Add([]byte(strings.Join(chain(1, 2, 3, 2, 3), "\n")+"\n"), int64(300))
	f.Add([]byte("{\"seq\":1,\n\n"), int64(1))
	f.Fuzz(func(t *testing.T, text []byte, tail int64) {
		readAll(t, writeCopy(t, string(text)), auditcopy.Options{Tail: max(0, tail)})
	})
}
