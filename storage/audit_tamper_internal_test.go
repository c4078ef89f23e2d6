package storage

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/storage/kv"
)

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
