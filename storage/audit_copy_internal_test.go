package storage

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/auth"
	"exante/storage/kv"
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
	w.must(ReadAuditCopy(w.options.AuditCopy, func(e AuditEntry, superseded bool) error {
		if want := entries[n]; superseded || fmt.Sprint(e) != fmt.Sprint(want) {
			t.Errorf("line %d is\n%v, want\n%v", n+1, e, want)
		}
		n++
		return nil
	}))
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
			w.must(ReadAuditCopy(w.options.AuditCopy, func(e AuditEntry, superseded bool) error {
				if kept++; superseded {
					gone++
				}
				return nil
			}))
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

// rewrite changes record seq of the store and makes all hashes after it, and the
// head, right again.
func (w *wreck) rewrite(seq uint64, change func(*auditRecord)) {
	w.Helper()
	w.write(func(t kv.Txn) error {
		var head auditHeadRecord
		if err := get(t, keyAuditHead(), famAuditHead, &head); err != nil {
			return err
		}
		for at := seq; at <= head.Seq; at++ {
			var rec, before auditRecord
			if err := errors.Join(get(t, keyAudit(at), famAudit, &rec), get(t, keyAudit(at-1), famAudit, &before)); err != nil {
				return err
			}
			if at == seq {
				change(&rec)
			}
			rec.Prev = before.Hash
			rec.Hash, _ = rec.sum()
			head.Hash = rec.Hash
			if err := put(t, keyAudit(at), famAudit, &rec); err != nil {
				return err
			}
		}
		return put(t, keyAuditHead(), famAuditHead, &head)
	})
}

// chop removes the last records and makes the head right again.
func (w *wreck) chop(n uint64) {
	w.Helper()
	w.write(func(t kv.Txn) error {
		var head auditHeadRecord
		if err := get(t, keyAuditHead(), famAuditHead, &head); err != nil {
			return err
		}
		var last auditRecord
		if err := get(t, keyAudit(head.Seq-n), famAudit, &last); err != nil {
			return err
		}
		for at := last.Seq + 1; at <= head.Seq; at++ {
			if err := t.Delete(keyAudit(at)); err != nil {
				return err
			}
		}
		return put(t, keyAuditHead(), famAuditHead, &auditHeadRecord{last.Seq, last.Hash})
	})
}

func (w *wreck) swap(a, b uint64) {
	w.Helper()
	w.write(func(t kv.Txn) error {
		var one, two auditRecord
		return errors.Join(get(t, keyAudit(a), famAudit, &one), get(t, keyAudit(b), famAudit, &two),
			put(t, keyAudit(a), famAudit, &two), put(t, keyAudit(b), famAudit, &one))
	})
}

// splice puts the records of another store in the place of the first n.
func (w *wreck) splice(other *wreck, n uint64) {
	w.Helper()
	for at := uint64(1); at <= n; at++ {
		var rec auditRecord
		w.must(other.store.db.View(w.Context(), func(r kv.Reader) error { return get(r, keyAudit(at), famAudit, &rec) }))
		w.record(keyAudit(at), famAudit, &rec)
	}
}

func someoneElse(r *auditRecord) { r.Actor = actorRecord{Kind: ByShell, LocalUID: 4711} }

// Each way of rewriting the history of the store is named by a verification, with
// the first record that is concerned, and by the start where the copy shows it.
func TestRewrittenHistoryIsNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(w *wreck)
		first string // finding
		start string // part of the refusal
	}{
		{"edited", func(w *wreck) { edit(w, keyAudit(4), famAudit, someoneElse) },
			"audit record 4: does not have the hash that it claims", "differ in record 4"},
		{"edited, with its hash", func(w *wreck) {
			edit(w, keyAudit(4), famAudit, func(r *auditRecord) { someoneElse(r); r.Hash, _ = r.sum() })
		}, "audit record 4: says something else in the copy", "differ in record 4"},
		{"edited, with all later hashes and the head", func(w *wreck) { w.rewrite(4, someoneElse) },
			"audit record 4: says something else in the copy", "record 8 is not the one that exante.anchor names"},
		{"the last edited, with the head", func(w *wreck) { w.rewrite(8, someoneElse) },
			"audit record 8: says something else in the copy", "record 8 is not the one that exante.anchor names"},
		{"removed in the middle", func(w *wreck) { w.remove(keyAudit(4)) },
			"audit record 5: follows record 3: those between are missing", "the copy has record 4, and the store does not"},
		{"removed at the beginning", func(w *wreck) { w.remove(keyAudit(1)) },
			"audit record 2: follows record 0: those between are missing", "the copy has record 1, and the store does not"},
		{"cut off at the end, with the head", func(w *wreck) { w.chop(2) },
			"audit record 7: is in the copy, and not in the store", "audit record 8 is missing, which exante.anchor names"},
		{"out of order", func(w *wreck) { w.swap(4, 5) },
			"audit record 4: says that it is record 5", "differ in record 4"},
		{"of another store", func(w *wreck) { w.splice(newWreck(w.T), 5) },
			"audit record 1: says something else in the copy", "differ in record 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newCopied(t)
			w.must(w.store.Close())
			w.open()
			w.must(w.store.mooring.hold()) // so that the stop below has nothing to anchor
			w.store.anchored.Store(w.store.db.Seq())
			c.do(w)
			w.namesFirst(c.first)
			w.store.anchored.Store(w.store.db.Seq())
			w.must(w.store.Close())
			refusesUntouched(t, w.options, c.start)
			w.must(os.Remove(w.anchorPath())) // and if the anchor were made right again
			w.forgeAnchorAnew()
			refusesUntouched(t, w.options, "the audit copy and the store differ")
		})
	}
}

// namesFirst checks the first finding of a verification of the audit chain.
func (w *wreck) namesFirst(want string) {
	w.Helper()
	report, err := w.store.VerifyAudit(w.Context(), w.options.AuditCopy, nil)
	w.must(err)
	if len(report.Findings) == 0 {
		w.Fatalf("nothing is found, want %q", want)
	}
	if f := report.Findings[0]; !strings.HasPrefix(f.Key+": "+f.Problem, want) {
		w.Errorf("the first finding is %q: %q, want %q", f.Key, f.Problem, want)
	}
}

// forgeAnchorAnew writes the anchor that the database, as it is now, would have.
func (w *wreck) forgeAnchorAnew() {
	w.Helper()
	db, err := kv.Open(kv.Options{Dir: w.options.Dir})
	w.must(err)
	defer db.Close()
	w.must(db.View(w.Context(), func(r kv.Reader) error {
		a, err := w.store.standing(r, db.Seq(), w.store.keyring.Len())
		if err != nil {
			return err
		}
		return writeFile(w.options.Dir, anchorFile, a.text(w.store.signing))
	}))
}

// The same for the copy.
func TestRewrittenCopyIsNamed(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(w *wreck, lines []string) []string
		first string
		start string // "": a start takes it up
	}{
		{"edited", func(w *wreck, l []string) []string {
			l[3] = strings.Replace(l[3], `"shell"`, `"other"`, 1)
			return l
		}, "audit record 4: in the copy, does not have the hash that it claims", "differ in record 4"},
		{"edited, with its hash", func(w *wreck, l []string) []string { return w.editLine(l, 4, false) },
			"audit record 4: says something else in the copy", "record 5, line 5 of the audit copy, does not follow"},
		{"edited, with all later hashes", func(w *wreck, l []string) []string { return w.editLine(l, 4, true) },
			"audit record 4: says something else in the copy", "differ in record 4"},
		{"removed in the middle", func(w *wreck, l []string) []string { return append(l[:3:3], l[4:]...) },
			"audit record 4: in line 4 of the copy, is missing: record 5 follows 3", "record 4, line 4 of the audit copy, is missing"},
		{"removed at the beginning", func(w *wreck, l []string) []string { return l[1:] },
			"audit record 1: in line 1 of the copy, is missing: record 2 follows 0", "record 1, line 1 of the audit copy, is missing"},
		{"cut off at the end", func(w *wreck, l []string) []string { return l[:6] },
			"audit record 7: is not in the copy, whose end is missing", ""},
		{"out of order", func(w *wreck, l []string) []string { l[3], l[4] = l[4], l[3]; return l },
			"audit record 4: in line 4 of the copy, is missing: record 5 follows 3", "record 4, line 4 of the audit copy"},
		{"twice", func(w *wreck, l []string) []string { return append(l[:5:5], l[4:]...) },
			"audit record 5: in line 6 of the copy, follows record 5: it is out of order, or was there before", "record 5, line 6"},
		{"of another store", func(w *wreck, l []string) []string { return newCopied(w.T).lines() },
			"audit record 1: says something else in the copy", "differ in record 1"},
		{"no record", func(w *wreck, l []string) []string { l[3] = "{}"; return l },
			"audit copy: line 4 of the audit copy is no record", "line 4 of the audit copy is no record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newCopied(t)
			lines := w.lines()
			own := w.options.AuditCopy
			w.options.AuditCopy = filepath.Join(t.TempDir(), "other.audit")
			w.setLines(c.do(w, lines))
			w.namesFirst(c.first)
			w.must(w.store.Close())
			before := filesOf(t, filepath.Dir(w.options.AuditCopy))
			if c.start != "" {
				refusesUntouched(t, w.options, c.start)
			} else {
				w.open()
				w.inStep()
			}
			if c.start != "" && !maps.Equal(filesOf(t, filepath.Dir(w.options.AuditCopy)), before) {
				t.Error("the refusal changed the copy")
			}
			w.options.AuditCopy = own
		})
	}
}

// editLine changes a line and its hash, and those after it too if all is set.
func (w *wreck) editLine(lines []string, seq int, all bool) []string {
	w.Helper()
	for at := seq; at <= len(lines); at++ {
		rec, err := recordOfLine([]byte(lines[at-1]))
		w.must(err)
		if at == seq {
			someoneElse(rec)
		} else {
			before, err := recordOfLine([]byte(lines[at-2]))
			w.must(err)
			rec.Prev = before.Hash
		}
		rec.Hash, err = rec.sum()
		w.must(err)
		line, err := rec.line()
		w.must(err)
		if lines[at-1] = string(line); !all {
			break
		}
	}
	return lines
}
