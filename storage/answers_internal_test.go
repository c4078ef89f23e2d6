package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage/billing"
	"exante/storage/kv"
)

func fullAnswer(t *testing.T) *answerRecord {
	t.Helper()
	r := &answerRecord{Fingerprint: [32]byte{1, 2}, Status: 201, Version: 3, Ends: stampOf(wreckTime), Chunks: 5, Body: []byte{6, 7}}
	wantEveryField(t, *r)
	return r
}

func TestAnswerRecordsOfVersionOneAreReadForEver(t *testing.T) {
	for name, c := range map[string]struct {
		kind         byte
		record, into any
	}{
		"answer":     {famAnswer, fullAnswer(t), &answerRecord{}},
		"answer_end": {famAnswerEnd, &answerEnd{5}, &answerEnd{}},
	} {
		key := []byte("key of " + name)
		value := must(seal(key, c.kind, c.record))
		golden := goldenBytes(t, name, value)
		if !bytes.Equal(value, golden) {
			t.Errorf("%s is written as %x\nwant %x", name, value, golden)
		}
		if err := open(key, c.kind, golden, c.into); err != nil || !reflect.DeepEqual(c.into, c.record) {
			t.Errorf("%s is read as %+v, %v\nwant %+v", name, c.into, err, c.record)
		}
	}
}

func TestEndOfAnAnswerIsInItsKey(t *testing.T) {
	id := OnceID(bytes.Repeat([]byte{7}, 32))
	for _, end := range []stamp{0, 1, stampOf(wreckTime)} {
		if back, backID, ok := answerEndAt(keyAnswerEnd(noID, end, id)); !ok || back != end || backID != id {
			t.Errorf("%d comes back as %d of %x, %t", end, back, backID, ok)
		}
	}
	if back, ok := answerAt(keyAnswerChunk(noID, id, 9)); !ok || back != id {
		t.Errorf("the chunk is of %x, %t", back, ok)
	}
	if bytes.Compare(keyAnswerEnd(noID, 255, id), keyAnswerEnd(noID, 256, OnceID{})) >= 0 {
		t.Error("what ends earlier does not come first")
	}
}

// desked is a store with a clock of its own, in which requests are carried out once.
type desked struct {
	*wreck
	by  auth.Principal
	now time.Time
}

func newDesked(t *testing.T) *desked {
	d := &desked{wreck: newWreck(t), now: wreckTime}
	d.must(d.store.Close())
	d.options.Now = func() time.Time { return d.now }
	d.open()
	d.by = auth.Principal{Shell: true, OrgID: d.org.ID}
	return d
}

// ask makes a party, answered with size bytes.
func (d *desked) ask(key string, size int) OnceID {
	d.Helper()
	var id OnceID
	copy(id[:], key)
	body := make([]byte, size)
	rand.NewChaCha8(id).Read(body)
	_, err := d.store.CreateParty(d.Context(), d.by, billing.PartyPatch{Name: new("x")},
		&Once[billing.Party]{ID: id, Render: func(billing.Party) Answer { return Answer{Status: 201, Body: body, Version: 1} }})
	if err != nil {
		d.Fatalf("%s: %v", key, err)
	}
	return id
}

// left counts the records of each family of answers.
func (d *desked) left() (text string) {
	d.Helper()
	d.must(d.store.db.View(d.Context(), func(r kv.Reader) error {
		for _, family := range []byte{famAnswer, famAnswerChunk, famAnswerEnd} {
			n, err := r.Count(inFamily(d.org.ID, family))
			if err != nil {
				return err
			}
			text += fmt.Sprint(n, " ")
		}
		return nil
	}))
	return strings.TrimSpace(text)
}

func (d *desked) wantLeft(when, want string) {
	d.Helper()
	if got := d.left(); got != want {
		d.Errorf("%s: %s answers, chunks and ends are left, want %s", when, got, want)
	}
	report, err := d.store.Verify(d.Context(), nil)
	if err != nil || len(report.Findings) > 0 {
		d.Errorf("%s: %v, findings %q", when, err, report.Findings)
	}
}

// Each new answer takes a few with it that have ended, so they never pile up.
func TestEndedAnswersAreDeletedAFewATime(t *testing.T) {
	d := newDesked(t)
	for n := range 10 {
		d.ask(fmt.Sprint("old", n), 1)
		d.now = d.now.Add(time.Second)
	}
	d.ask("long", 200<<10)
	d.wantLeft("before any has ended", "11 4 11")
	d.now = wreckTime.Add(onceFor + 4*time.Second) // five of them
	d.ask("new0", 1)
	d.wantLeft("after one", "8 4 8")
	d.ask("new1", 1)
	d.wantLeft("after two", "8 4 8")
	d.ask("new2", 1)
	d.wantLeft("with none that has ended", "9 4 9")
	d.must(d.reopen()) // and memory knows nothing of them
	d.now = d.now.Add(time.Hour)
	d.ask("new3", 1)
	d.ask("new4", 1)
	d.wantLeft("after a restart", "5 0 5")
}

// A key that is used again after a day replaces what is left of its first use.
func TestEndedAnswerIsReplaced(t *testing.T) {
	d := newDesked(t)
	for n := range 10 {
		d.ask(fmt.Sprint("old", n), 1)
	}
	d.ask("again", 200<<10)
	d.now = d.now.Add(onceFor)
	d.ask("again", 1)
	d.wantLeft("after that", "7 0 7")
}

// An answer that was written while the clock stood earlier is deleted too.
func TestAnswersFromBeforeAStepOfTheClockAreDeleted(t *testing.T) {
	d := newDesked(t)
	d.ask("first", 1)
	d.now = d.now.Add(-2 * time.Hour)
	d.ask("earlier", 1)
	d.now = wreckTime.Add(onceFor - time.Hour)
	d.ask("new", 1)
	d.wantLeft("an hour before the first ends", "2 0 2")
}

func TestVerifyFindsDamagedAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(d *desked, short, long OnceID)
		want string
	}{
		{"answer lost", func(d *desked, short, _ OnceID) { d.remove(keyAnswer(d.org.ID, short)) }, "which does not exist"},
		{"long answer lost", func(d *desked, _, long OnceID) { d.remove(keyAnswer(d.org.ID, long)) }, "is beyond the 0 chunks of its answer"},
		{"answer damaged", func(d *desked, short, _ OnceID) { d.flip(keyAnswer(d.org.ID, short)) }, "fails its checksum"},
		{"answer that was refused", func(d *desked, short, _ OnceID) {
			edit(d.wreck, keyAnswer(d.org.ID, short), famAnswer, func(r *answerRecord) { r.Status = 422 })
		}, "is an answer with 422, which is never kept"},
		{"end lost", func(d *desked, short, _ OnceID) { d.remove(keyAnswerEnd(d.org.ID, d.ends(), short)) }, "which does not exist"},
		{"end damaged", func(d *desked, short, _ OnceID) { d.flip(keyAnswerEnd(d.org.ID, d.ends(), short)) }, "fails its checksum"},
		{"another end", func(d *desked, short, _ OnceID) {
			d.record(keyAnswerEnd(d.org.ID, 1, short), famAnswerEnd, &answerEnd{})
		}, "names an answer that ends at another time"},
		{"end of no answer", func(d *desked, _, _ OnceID) {
			d.record(keyAnswerEnd(d.org.ID, 1, OnceID{0xaa}), famAnswerEnd, &answerEnd{})
		}, "which does not exist"},
		{"end that leaves chunks", func(d *desked, _, long OnceID) {
			edit(d.wreck, keyAnswerEnd(d.org.ID, d.ends(), long), famAnswerEnd, func(r *answerEnd) { r.Chunks-- })
		}, "has 4 chunks, of which 3 are to be deleted"},
		{"chunk lost", func(d *desked, _, long OnceID) { d.remove(keyAnswerChunk(d.org.ID, long, 2)) }, "is missing"},
		{"chunk damaged", func(d *desked, _, long OnceID) { d.flip(keyAnswerChunk(d.org.ID, long, 2)) }, "fails its checksum"},
		{"chunk too many", func(d *desked, _, long OnceID) {
			d.record(keyAnswerChunk(d.org.ID, long, 4), famAnswerChunk, 1)
		}, "is beyond the 4 chunks of its answer"},
		{"chunk of no answer", func(d *desked, _, _ OnceID) {
			d.record(keyAnswerChunk(d.org.ID, OnceID{0xaa}, 0), famAnswerChunk, 1)
		}, "is beyond the 0 chunks of its answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesked(t)
			c.do(d, d.ask("short", 5), d.ask("long", 200<<10))
			report, err := d.store.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(report.Findings, func(f Finding) bool { return strings.Contains(f.Key+": "+f.Problem, c.want) }) {
				t.Errorf("found %q, want %q", report.Findings, c.want)
			}
		})
	}
}

func (d *desked) ends() stamp { return stampOf(d.now.Add(onceFor)) }

// A damaged answer stops the request: to carry it out again could be a second time.
func TestDamagedAnswerIsNotTakenForNone(t *testing.T) {
	d := newDesked(t)
	id := d.ask("short", 5)
	d.flip(keyAnswer(d.org.ID, id))
	if err := d.store.Answered(t.Context(), d.org.ID, id, [32]byte{}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	_, err := d.store.CreateParty(t.Context(), d.by, billing.PartyPatch{Name: new("x")}, &Once[billing.Party]{ID: id})
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

// What can't be read among the ends is left for verification, and holds nobody up.
func TestDamagedEndHoldsNobodyUp(t *testing.T) {
	d := newDesked(t)
	id := d.ask("first", 1)
	d.flip(keyAnswerEnd(d.org.ID, d.ends(), id))
	d.now = d.now.Add(onceFor)
	d.ask("second", 1)
	if got := d.left(); got != "2 0 2" {
		t.Errorf("%s are left", got)
	}
}
