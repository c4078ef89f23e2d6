package storage

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/auth"
)

// newCopied is a wreck whose audit chain is copied.
func newCopied(t *testing.T) *wreck {
	t.Helper()
	w := newWreck(t)
	w.must(w.store.Close())
	w.options.AuditCopy = filepath.Join(t.TempDir(), "data.audit")
	w.open()
	w.must(w.store.copy.hold(8))
	return w
}

// lines are those of the copy, without their breaks.
func (w *wreck) lines() []string {
	w.Helper()
	text, err := os.ReadFile(w.options.AuditCopy)
	w.must(err)
	all := strings.Split(string(text), "\n")
	if len(text) > 0 && all[len(all)-1] != "" {
		w.Errorf("the copy ends in %q", all[len(all)-1])
	}
	return all[:len(all)-1]
}

func (w *wreck) setLines(lines []string) {
	w.Helper()
	w.must(os.WriteFile(w.options.AuditCopy, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func (w *wreck) revoke() {
	w.Helper()
	_, err := w.store.RevokeKey(w.Context(), principalIn(w.org.ID), w.next.ID, 0)
	w.must(err)
}

// inStep checks that the copy tells what the store does.
func (w *wreck) inStep() {
	w.Helper()
	report, err := w.store.VerifyAudit(w.Context(), "", nil)
	if err != nil || len(report.Findings) > 0 || report.Lines-report.Superseded != report.Records {
		w.Errorf("%+v, %v", report, err)
	}
}

func TestAuditCopyHasEveryRecord(t *testing.T) {
	w := newCopied(t)
	w.inStep()
	w.revoke()
	lines := w.lines() // at once: the answer waits for it
	if len(lines) != 9 || !strings.Contains(lines[8], `"action":"key.revoke"`) {
		t.Fatalf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
	entries, err := w.store.Audit(t.Context(), AuditQuery{})
	w.must(err)
	n := 0
	_, err = ReadAuditCopy(w.options.AuditCopy, func(e AuditEntry, superseded bool) error {
		if want := entries[n]; superseded || fmt.Sprint(e) != fmt.Sprint(want) {
			t.Errorf("line %d is\n%v, want\n%v", n+1, e, want)
		}
		n++
		return nil
	})
	w.must(err)
	info, err := os.Stat(w.options.AuditCopy)
	if err != nil || info.Mode().Perm() != 0o600 || n != 9 {
		t.Errorf("mode %v, %d lines, %v", info.Mode(), n, err)
	}
}

// A record with every field goes through a line and back.
func TestAuditLineHasEveryField(t *testing.T) {
	rec := fullAudit(t)
	line, err := rec.line()
	if err != nil {
		t.Fatal(err)
	}
	back, err := recordOfLine(line)
	if err != nil || fmt.Sprint(*back) != fmt.Sprint(*rec) {
		t.Errorf("got %+v, %v\nwant %+v\nby %s", back, err, rec, line)
	}
	for at := range line {
		damaged := bytes.Clone(line)
		damaged[at] ^= 1
		if _, err := recordOfLine(damaged); err == nil {
			t.Errorf("byte %d may be changed: %s", at, damaged)
		}
	}
}

func TestAuditCopyIsTakenUpAtStart(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *wreck)
	}{
		{"absent", func(w *wreck) { w.must(os.Remove(w.options.AuditCopy)) }},
		{"empty", func(w *wreck) { w.must(os.Truncate(w.options.AuditCopy, 0)) }},
		{"behind", func(w *wreck) { w.setLines(w.lines()[:3]) }},
		{"torn", func(w *wreck) { w.must(os.Truncate(w.options.AuditCopy, w.size()-40)) }},
		{"torn before the line break", func(w *wreck) { w.must(os.Truncate(w.options.AuditCopy, w.size()-1)) }},
		{"torn at its first byte", func(w *wreck) { w.must(os.Truncate(w.options.AuditCopy, 1)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newCopied(t)
			w.must(w.store.Close())
			want := w.lines()
			c.do(w)
			w.open()
			w.inStep()
			if got := w.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("the copy has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func (w *wreck) size() int64 {
	w.Helper()
	info, err := os.Stat(w.options.AuditCopy)
	w.must(err)
	return info.Size()
}

// The copy is the witness of a store that was rolled back with its anchor.
func TestStoreBehindItsAuditCopyIsRefused(t *testing.T) {
	w := newCopied(t)
	w.must(w.store.Close())
	earlier := copyOf(t, w.options.Dir)
	w.open()
	w.revoke()
	w.must(w.store.Close())
	w.options.Dir = earlier
	refusesUntouched(t, w.options, "the copy has record 9, and the store does not")

	w.must(os.Truncate(w.options.AuditCopy, w.size()-40))
	refusesUntouched(t, w.options, "the copy has the beginning of record 9, and the store has nothing of it")
	w.must(os.RemoveAll(w.options.Dir))
	_, err := Open(w.options)
	refuses(t, err, ErrCorrupt, "there is no store, but its audit copy "+w.options.AuditCopy+" is there")
	if _, err := os.Stat(w.options.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused store left its directory: %v", err)
	}
}

// A restored store goes on from the backup, and the copy keeps what came after it.
func TestRestoredStoreBeginsABranch(t *testing.T) {
	for _, torn := range []int64{0, 1, 40, 250} {
		t.Run(fmt.Sprint(torn, " bytes torn off"), func(t *testing.T) {
			w := newCopied(t)
			w.must(w.store.Close())
			backup := copyOf(t, w.options.Dir)
			w.open()
			for range 2 {
				_, _, err := w.store.CreateOrg(t.Context(), auth.Principal{Shell: true}, OrgDraft{Name: "Late"})
				w.must(err)
			}
			w.revoke()
			w.must(w.store.Close())
			w.must(os.Truncate(w.options.AuditCopy, w.size()-torn))
			w.options.Dir, w.options.Restored = backup, true
			w.open()
			last, err := w.store.Audit(t.Context(), AuditQuery{Newest: true, Limit: 1})
			if err != nil || last[0].Action != storeRestore || last[0].Seq != 9 || last[0].Detail[supersededSeq] == "" {
				t.Errorf("the first record of the restored store is %+v, %v", last, err)
			}
			w.inStep()
			w.options.Restored = false
			w.must(w.reopen())
			w.revoke()
			w.inStep()
			kept, gone := 0, 0
			_, err = ReadAuditCopy(w.options.AuditCopy, func(e AuditEntry, superseded bool) error {
				if kept++; superseded {
					gone++
				}
				return nil
			})
			w.must(err)
			if want := map[bool]int{true: 5, false: 4}[torn <= 1]; gone != want || kept != 8+want+2 {
				t.Errorf("%d lines, %d of them superseded, want %d", kept, gone, want)
			}
		})
	}
}

// A crash may come between the first record of a restored store and its copy.
func TestBranchIsCopiedAfterACrash(t *testing.T) {
	w := newCopied(t)
	w.must(w.store.Close())
	backup := copyOf(t, w.options.Dir)
	w.open()
	w.revoke()
	w.must(w.store.Close())
	ahead := w.lines()
	w.options.Dir, w.options.Restored = backup, true
	w.open()
	w.must(w.store.Close())
	w.setLines(ahead)
	w.options.Restored = false
	w.open()
	w.inStep()
	if got := len(w.lines()); got != len(ahead)+1 {
		t.Errorf("%d lines, want %d", got, len(ahead)+1)
	}
}

// What can't be copied is not done, but for what takes a right away.
func TestWithoutAuditCopyNothingChanges(t *testing.T) {
	w := newCopied(t)
	away := filepath.Dir(w.options.AuditCopy) + ".away"
	w.must(os.Rename(filepath.Dir(w.options.AuditCopy), away))
	w.store.copy.nudge()
	for w.store.copy.refusal() == nil {
		_ = w.store.copy.hold(99) // returns with the outcome of an attempt
	}
	create := func() error {
		_, _, err := w.store.CreateOrg(t.Context(), auth.Principal{Shell: true}, OrgDraft{Name: "Late"})
		return err
	}
	refuses(t, create(), ErrAuditUnavailable, "no such file or directory")
	if errors.Is(create(), ErrCorrupt) || w.store.Health() != nil {
		t.Errorf("the store has failed: %v", w.store.Health())
	}
	if got := w.store.Troubles(); len(got) != 1 || got[0] != "audit_copy" {
		t.Errorf("troubles are %q", got)
	}
	if _, err := w.store.Orgs(t.Context()); err != nil {
		t.Errorf("read: %v", err)
	}
	w.revoke()
	w.must(os.Rename(away, filepath.Dir(w.options.AuditCopy)))
	w.must(w.store.copy.hold(9))
	w.must(create())
	w.inStep()
}

// A file that was put in the place of the copy, cut short or removed while the
// store is open is noticed.
func TestAuditCopyThatIsReplaced(t *testing.T) {
	t.Run("removed", func(t *testing.T) {
		w := newCopied(t)
		w.must(os.Remove(w.options.AuditCopy))
		w.revoke()
		w.inStep()
	})
	t.Run("cut short", func(t *testing.T) {
		w := newCopied(t)
		w.must(os.Truncate(w.options.AuditCopy, 0))
		w.revoke()
		w.inStep()
	})
	t.Run("another store's", func(t *testing.T) {
		w, other := newCopied(t), newCopied(t)
		w.setLines(other.lines())
		w.revoke()
		_, _, err := w.store.CreateOrg(t.Context(), auth.Principal{Shell: true}, OrgDraft{Name: "Late"})
		refuses(t, err, ErrAuditUnavailable, "the audit copy and the store differ in record 1")
		if w.store.Health() != nil {
			t.Errorf("the store has failed: %v", w.store.Health())
		}
	})
}
