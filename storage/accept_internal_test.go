package storage

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
)

func accepting(w *wreck, confirm func(string) error) Acceptance {
	return Acceptance{By: principalIn(noID), Confirm: confirm}
}

func TestAcceptTakesTheStoreAsItIs(t *testing.T) {
	for _, c := range []struct {
		name, said string
		do         func(w *wreck)
	}{
		{"with its anchor lost", "missing", func(w *wreck) { w.must(os.Remove(w.anchorPath())) }},
		{"with its anchor cut short", "unreadable", func(w *wreck) { w.must(os.Truncate(w.anchorPath(), 99)) }},
		{"rolled back", "2 organizations, 2 keys, 8 audit records", func(w *wreck) { w.forgeAnchor(func(a *anchor) { a.Seq += 9 }) }},
		{"where damage was met that came from elsewhere", "8 audit records", func(w *wreck) {
			w.must(writeFile(w.options.Dir, damageFile, "a bit of memory fell over"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWreck(t)
			w.must(w.store.Close())
			c.do(w)
			refusesUntouched(t, w.options, "")
			asked := ""
			report, err := Accept(t.Context(), w.options, accepting(w, func(said string) error { asked = said; return nil }))
			if err != nil || report.Records == 0 || len(report.Findings) > 0 {
				t.Fatalf("%+v, %v", report, err)
			}
			w.open()
			last, err := w.store.Audit(t.Context(), AuditQuery{Newest: true, Limit: 1})
			if err != nil || last[0].Action != storeAccept || last[0].Detail["anchor"] != asked || last[0].Actor.Kind != ByShell {
				t.Errorf("the audit log ends with %+v, %v", last, err)
			}
			if !strings.Contains(asked, c.said) {
				t.Errorf("was asked about %q, want %q", asked, c.said)
			}
		})
	}
}

// Nothing is changed by a store that is not accepted.
func TestAcceptLeavesWhatItDoesNotTake(t *testing.T) {
	w := newWreck(t)
	w.remove(keyUser(w.org.ID, w.viewer.ID))
	w.must(w.store.Close())
	w.must(os.Remove(w.anchorPath()))
	before := filesOf(t, w.options.Dir)
	report, err := Accept(t.Context(), w.options, accepting(w, func(string) error { t.Error("asked, with findings"); return nil }))
	if err != nil || len(report.Findings) == 0 {
		t.Errorf("%+v, %v, want findings", report, err)
	}
	if !maps.Equal(filesOf(t, w.options.Dir), before) {
		t.Error("a store with findings was changed")
	}

	w = newWreck(t)
	w.must(w.store.Close())
	before = filesOf(t, w.options.Dir)
	no := errors.New("no")
	if _, err := Accept(t.Context(), w.options, accepting(w, func(string) error { return no })); !errors.Is(err, no) {
		t.Errorf("got %v, want the answer", err)
	}
	if !maps.Equal(filesOf(t, w.options.Dir), before) {
		t.Error("a store was changed against the answer")
	}
}
