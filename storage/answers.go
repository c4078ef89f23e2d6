package storage

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"exante/auth/uid"
	"exante/storage/kv"
)

// answerRecord is a kept answer. A long body lies in chunks under keys of its own.
type answerRecord struct {
	Fingerprint [32]byte `cbor:"1,keyasint"`
	Status      uint16   `cbor:"2,keyasint"`
	Version     uint64   `cbor:"3,keyasint,omitempty"`
	Ends        stamp    `cbor:"4,keyasint"`
	Chunks      uint16   `cbor:"5,keyasint,omitempty"` // 0: the body is here
	Body        []byte   `cbor:"6,keyasint,omitempty"`
}

// answerEnd is the entry of an answer among those that end at the same time, and
// says what there is to delete.
type answerEnd struct {
	Chunks uint16 `cbor:"1,keyasint,omitempty"`
}

// over reports whether an answer is no longer kept. The engine knows nothing of it.
func (r *answerRecord) over(now time.Time) bool { return r.Ends <= stampOf(now) }

// findAnswer is *ReplayError if id was answered and sent the same, ErrReused if it sent
// something else, nil if there is no answer that is still kept.
func findAnswer(r kv.Reader, org uid.ID, id OnceID, fingerprint [32]byte, now time.Time) error {
	var rec answerRecord
	err := get(r, keyAnswer(org, id), famAnswer, &rec)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case rec.over(now):
		return nil
	case rec.Fingerprint != fingerprint:
		return ErrReused
	}
	body, err := rec.whole(r, org, id)
	if err != nil {
		return err
	}
	return &ReplayError{Answer{Status: int(rec.Status), Body: body, Version: rec.Version}}
}

// keepAnswer writes what is answered to id, in place of an answer that has ended,
// and deletes a few others that have.
func (t *tx) keepAnswer(id OnceID, fingerprint [32]byte, a Answer) error {
	if err := t.dropAnswer(id); err != nil {
		return err
	}
	rec := answerRecord{
		Fingerprint: fingerprint, Status: uint16(a.Status), Version: a.Version, Ends: stampOf(t.now.Add(onceFor)),
	}
	if len(a.Body) <= maxInline {
		rec.Body = a.Body
	} else {
		rec.Chunks = uint16((len(a.Body) + maxChunk - 1) / maxChunk)
	}
	org := t.by.OrgID
	for n := range rec.Chunks {
		chunk := a.Body[int(n)*maxChunk : min(int(n+1)*maxChunk, len(a.Body))]
		key := keyAnswerChunk(org, id, n)
		if err := t.Put(key, sealBytes(key, famAnswerChunk, chunk)); err != nil {
			return err
		}
	}
	if err := put(t, keyAnswer(org, id), famAnswer, &rec); err != nil {
		return err
	}
	if err := put(t, keyAnswerEnd(org, rec.Ends, id), famAnswerEnd, &answerEnd{rec.Chunks}); err != nil {
		return err
	}
	return t.sweepAnswers(rec.Ends)
}

// dropAnswer removes an answer that has ended and is in the way of the next.
func (t *tx) dropAnswer(id OnceID) error {
	var rec answerRecord
	err := get(t, keyAnswer(t.by.OrgID, id), famAnswer, &rec)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.deleteAnswer(keyAnswerEnd(t.by.OrgID, rec.Ends, id), id, rec.Chunks)
}

func (t *tx) deleteAnswer(end []byte, id OnceID, chunks uint16) error {
	for n := range chunks {
		if err := t.Delete(keyAnswerChunk(t.by.OrgID, id, n)); err != nil {
			return err
		}
	}
	return errors.Join(t.Delete(keyAnswer(t.by.OrgID, id)), t.Delete(end))
}

// maxSwept is how many answers one transaction deletes for others: more than one,
// so that they get fewer, and not so many that its own writes have no room. An
// answer has at most 32 chunks, for it fitted into a transaction.
const maxSwept = 4

// sweepAnswers deletes a few answers that have ended, the oldest first. newest is
// when the one just written ends. Memory knows when there is something to do, and
// where: a scan from the start would pass over every deletion of the past day.
func (t *tx) sweepAnswers(newest stamp) error {
	org, now := t.by.OrgID, stampOf(t.now)
	desk := t.store.once
	due := desk.dueOf(org)
	if due > now {
		t.OnCommit(func() { desk.added(org, newest) })
		return nil
	}
	ended, next, err := endedAnswers(t, org, due, now)
	if err != nil {
		return err
	}
	for _, e := range ended {
		if err := t.deleteAnswer(e.key, e.id, e.chunks); err != nil {
			return err
		}
	}
	t.OnCommit(func() { desk.swept(org, next) })
	return nil
}

type endedAnswer struct {
	key    []byte
	id     OnceID
	chunks uint16
}

// endedAnswers are a few that end from due to now, and when the next one does. An
// entry that can't be read stays for verification to find.
func endedAnswers(r kv.Reader, org uid.ID, due, now stamp) (ended []endedAnswer, next stamp, err error) {
	in := inFamily(org, famAnswerEnd)
	in.Start = keyAnswerEnd(org, due, OnceID{})
	next = now + 1
	err = r.Scan(in, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
		end, id, ok := answerEndAt(key)
		if !ok {
			return true, nil
		}
		var rec answerEnd
		if end > now || len(ended) == maxSwept {
			next = end
			return false, nil
		}
		if open(key, famAnswerEnd, value, &rec) == nil {
			ended = append(ended, endedAnswer{bytes.Clone(key), id, rec.Chunks})
		}
		return true, nil
	})
	return ended, next, err
}

// whole is the body, wherever it lies.
func (r *answerRecord) whole(from kv.Reader, org uid.ID, id OnceID) ([]byte, error) {
	if r.Chunks == 0 {
		return r.Body, nil
	}
	keys := make([][]byte, r.Chunks)
	for n := range keys {
		keys[n] = keyAnswerChunk(org, id, uint16(n))
	}
	values, err := from.GetMany(keys)
	if err != nil {
		return nil, err
	}
	for n, value := range values {
		if value == nil {
			return nil, missing(ErrNotFound, "chunk", keys[n])
		}
		if values[n], err = openBytes(keys[n], famAnswerChunk, value); err != nil {
			return nil, err
		}
	}
	return slices.Concat(values...), nil
}
