package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"exante/auth/uid"
	"exante/storage/auditcopy"
)

// auditLine is a record in the audit copy: all of it, so that its hash can be
// made from the line alone. The order and the names of the fields never change.
type auditLine struct {
	Seq       uint64    `json:"seq"`
	At        string    `json:"at"` // RFC 3339, milliseconds
	Org       string    `json:"organization_uid,omitempty"`
	Actor     actorLine `json:"actor"`
	Addr      string    `json:"address,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Action    Action    `json:"action"`
	Target    string    `json:"target_uid,omitempty"`
	Outcome   string    `json:"outcome"`
	Detail    Detail    `json:"detail,omitempty"`
	Prev      string    `json:"prev"`
	Hash      string    `json:"hash"`
}

type actorLine struct {
	Kind     ActorKind `json:"kind"`
	KeyID    string    `json:"key_uid,omitempty"`
	UserID   string    `json:"user_uid,omitempty"`
	LocalUID int       `json:"local_uid,omitempty"`
}

const lineTime = "2006-01-02T15:04:05.000Z07:00"

// line is the record as it stands in the audit copy, without a line break.
func (r *auditRecord) line() ([]byte, error) {
	return json.Marshal(&auditLine{
		Seq: r.Seq, At: r.At.time().Format(lineTime), Org: uidText(r.Org),
		Actor: actorLine{r.Actor.Kind, uidText(r.Actor.KeyID), uidText(r.Actor.UserID), r.Actor.LocalUID},
		Addr:  r.Addr, RequestID: r.RequestID, Action: r.Action, Target: uidText(r.Target), Outcome: r.Outcome,
		Detail: r.Detail, Prev: hex.EncodeToString(r.Prev[:]), Hash: hex.EncodeToString(r.Hash[:]),
	})
}

// recordOfLine reads what line wrote. An error says what is wrong with the text.
func recordOfLine(text []byte) (*auditRecord, error) {
	var l auditLine
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return nil, fmt.Errorf("is no record: %v", err)
	}
	at, err := time.Parse(lineTime, l.At)
	r := &auditRecord{
		Seq: l.Seq, At: stampOf(at), Actor: actorRecord{Kind: l.Actor.Kind, LocalUID: l.Actor.LocalUID},
		Addr: l.Addr, RequestID: l.RequestID, Action: l.Action, Outcome: l.Outcome, Detail: l.Detail,
	}
	err = errors.Join(err,
		readUID(&r.Org, l.Org), readUID(&r.Target, l.Target), readUID(&r.Actor.KeyID, l.Actor.KeyID), readUID(&r.Actor.UserID, l.Actor.UserID),
		readHash(&r.Prev, l.Prev), readHash(&r.Hash, l.Hash))
	if err != nil {
		return nil, fmt.Errorf("has a field that can't be read: %v", err)
	}
	again, err := r.line()
	if err != nil || !bytes.Equal(again, text) {
		return nil, fmt.Errorf("is not in the form that records are written in")
	}
	sum, err := r.sum()
	if err != nil || sum != r.Hash {
		return nil, fmt.Errorf("does not have the hash that it claims: it was changed")
	}
	return r, nil
}

func readUID(id *uid.ID, text string) (err error) {
	if text != "" {
		*id, err = uid.Parse(text)
	}
	return err
}

func readHash(hash *[sha256.Size]byte, text string) error {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(hash) {
		return fmt.Errorf("%q is no hash", text)
	}
	copy(hash[:], raw)
	return nil
}

// uidText is the text of a uid, "" for none.
func uidText(id uid.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// superseded are the keys of the detail of a record that begins a branch: the
// last record of the audit copy, whose place in the chain it takes.
const (
	supersededSeq  = "superseded_seq"
	supersededHash = "superseded_hash"
)

// supersedes is the detail of a branch after last, which is zero for none.
func supersedes(last auditHeadRecord) Detail {
	if last.Seq == 0 {
		return nil
	}
	return Detail{supersededSeq: fmt.Sprint(last.Seq), supersededHash: hex.EncodeToString(last.Hash[:])}
}

// branchesFrom reports whether the record begins a branch after last.
func (r *auditRecord) branchesFrom(last auditHeadRecord) bool {
	want := supersedes(last)
	return (r.Action == storeRestore || r.Action == storeAccept) && last.Seq != 0 &&
		r.Detail[supersededSeq] == want[supersededSeq] && r.Detail[supersededHash] == want[supersededHash]
}

// isBranch is auditcopy.Options.Branch.
func isBranch(text []byte, last auditcopy.Line) bool {
	r, err := recordOfLine(text)
	return err == nil && r.branchesFrom(auditHeadRecord{last.Seq, last.Hash})
}
