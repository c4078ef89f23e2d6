package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Every change writes a record of itself in its own transaction, so that neither
// is there without the other. Each record carries the hash of the one before:
// who alters, drops or inserts one must rewrite all that follow, and the head.

// Action says what was done. What stands before the first dot is the kind of
// record it was done to.
type Action string

// Every action there is. The words are on disk and never change.
const (
	storeCreate  Action = "store.create"
	storeMigrate Action = "store.migrate" // detail: the schema that it has now
	orgCreate    Action = "org.create"
	userCreate   Action = "user.create"

	keyCreate Action = "key.create"
	keyRevoke Action = "key.revoke"
	keyRotate Action = "key.rotate" // target: the old key
	keyRehash Action = "key.rehash" // the same secret, hashed at today's cost

	partyCreate Action = "party.create"
	partyUpdate Action = "party.update"

	invoiceCreate      Action = "invoice.create"
	invoiceUpdate      Action = "invoice.update"
	invoiceDelete      Action = "invoice.delete"
	invoiceLinesAdd    Action = "invoice.line_items.add"
	invoiceLinesUpdate Action = "invoice.line_items.update"
	invoiceLinesDelete Action = "invoice.line_items.delete"
	invoicePay         Action = "invoice.payment.record"
	invoiceAttach      Action = "invoice.attachment.add"
	invoiceDetach      Action = "invoice.attachment.delete"
	invoiceImport      Action = "invoice.import" // one a batch; target: its first invoice
)

// actions is the closed set.
var actions = []Action{
	storeCreate, storeMigrate, orgCreate, userCreate, keyCreate, keyRevoke, keyRotate, keyRehash, partyCreate, partyUpdate,
	invoiceCreate, invoiceUpdate, invoiceDelete, invoiceLinesAdd, invoiceLinesUpdate, invoiceLinesDelete, invoicePay,
	invoiceAttach, invoiceDetach, invoiceImport,
}

func (a Action) known() bool { return slices.Contains(actions, a) }

// Kind is the kind of record that the action is done to: "invoice".
func (a Action) Kind() string {
	kind, _, _ := strings.Cut(string(a), ".")
	return kind
}

// Detail says more of an action: names of the fields that changed, uids, states.
// Never a secret, and no personal data: an audit record is never changed or
// deleted.
type Detail map[string]string

// AuditEntry is one record of the audit chain.
type AuditEntry struct {
	Seq   uint64 // 1, 2, 3 …
	At    time.Time
	OrgID uid.ID // zero: the instance

	Actor     Actor
	Addr      netip.Addr // invalid: no network between
	RequestID string

	Action  Action
	Target  uid.ID
	Outcome string // Done
	Detail  Detail

	Prev, Hash [sha256.Size]byte
}

// Done is the outcome of an action that was carried out.
const Done = "done"

// Actor is who did something.
type Actor struct {
	Kind     ActorKind
	KeyID    uid.ID // ByKey
	UserID   uid.ID // ByKey and ByUser
	LocalUID int    // ByShell: his Unix user
}

// ActorKind says what kind of actor someone is.
type ActorKind string

// The kinds of actors. The words are on disk.
const (
	ByKey    ActorKind = "key"
	ByUser   ActorKind = "user"
	ByShell  ActorKind = "shell"
	BySystem ActorKind = "system"
)

func actorOf(p auth.Principal) Actor {
	switch {
	case p.Key != nil:
		return Actor{Kind: ByKey, KeyID: p.Key.ID, UserID: p.UserID}
	case p.Shell:
		return Actor{Kind: ByShell, LocalUID: p.LocalUID}
	case !p.UserID.IsZero():
		return Actor{Kind: ByUser, UserID: p.UserID}
	}
	return Actor{Kind: BySystem}
}

// audit appends a record of what this transaction does to target.
func (t *tx) audit(action Action, target uid.ID, detail Detail) error {
	head, err := auditHead(t)
	if err != nil {
		return err
	}
	rec := &auditRecord{
		Seq: head.Seq + 1, At: stampOf(t.now), Org: t.by.OrgID,
		Actor: actorRecord(actorOf(t.by)), Addr: textOf(t.by.Addr), RequestID: t.by.RequestID,
		Action: action, Target: target, Outcome: Done, Detail: detail, Prev: head.Hash,
	}
	if rec.Hash, err = rec.sum(); err != nil {
		return err
	}
	if err := insert(t, keyAudit(rec.Seq), famAudit, rec); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return put(t, keyAuditHead(), famAuditHead, &auditHeadRecord{rec.Seq, rec.Hash})
}

// auditHead is what the next record follows. Only a store in the making has none.
func auditHead(r kv.Reader) (auditHeadRecord, error) {
	var head auditHeadRecord
	err := get(r, keyAuditHead(), famAuditHead, &head)
	if errors.Is(err, ErrNotFound) {
		_, err = r.Get(keyAudit(1))
		if errors.Is(err, kv.ErrNotFound) {
			return head, nil
		}
		return head, errors.Join(fmt.Errorf("%w: the head of the audit chain is missing", ErrCorrupt), err)
	}
	return head, err
}

// AuditQuery selects audit records.
type AuditQuery struct {
	OrgID uid.ID // zero: all
	After uint64 // only records with a greater sequence number
	Limit int    // at most so many; 0: 100
}

// Audit lists records in the order in which they were written.
func (s *Store) Audit(ctx context.Context, q AuditQuery) ([]AuditEntry, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	var entries []AuditEntry
	err := s.db.View(ctx, func(r kv.Reader) error {
		in := inGlobal(famAudit)
		if q.After == math.MaxUint64 {
			return nil
		}
		in.Start = keyAudit(q.After + 1)
		return r.Scan(in, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			var rec auditRecord
			if err := open(key, famAudit, value, &rec); err != nil {
				return false, err
			}
			if q.OrgID.IsZero() || q.OrgID == rec.Org {
				entries = append(entries, rec.entry())
			}
			return len(entries) < q.Limit, nil
		})
	})
	return entries, err
}

// auditRecord is an audit record on disk. Its hash covers all of it but the hash.
type auditRecord struct {
	Seq       uint64            `cbor:"1,keyasint"`
	At        stamp             `cbor:"2,keyasint"`
	Org       uid.ID            `cbor:"3,keyasint,omitzero"`
	Actor     actorRecord       `cbor:"4,keyasint"`
	Addr      string            `cbor:"5,keyasint,omitempty"`
	RequestID string            `cbor:"6,keyasint,omitempty"`
	Action    Action            `cbor:"7,keyasint"`
	Target    uid.ID            `cbor:"8,keyasint,omitzero"`
	Outcome   string            `cbor:"9,keyasint"`
	Detail    Detail            `cbor:"10,keyasint,omitempty"`
	Prev      [sha256.Size]byte `cbor:"11,keyasint"`
	Hash      [sha256.Size]byte `cbor:"12,keyasint,omitzero"`
}

type actorRecord struct {
	Kind     ActorKind `cbor:"1,keyasint"`
	KeyID    uid.ID    `cbor:"2,keyasint,omitzero"`
	UserID   uid.ID    `cbor:"3,keyasint,omitzero"`
	LocalUID int       `cbor:"4,keyasint,omitempty"`
}

// auditHeadRecord names the last record of the chain.
type auditHeadRecord struct {
	Seq  uint64            `cbor:"1,keyasint"`
	Hash [sha256.Size]byte `cbor:"2,keyasint"`
}

// auditDomain keeps a hash of the audit chain from being a hash of anything else.
const auditDomain = "exante audit record v1\x00"

// sum is the hash that the record should have.
func (r *auditRecord) sum() ([sha256.Size]byte, error) {
	bare := *r
	bare.Hash = [sha256.Size]byte{}
	text, err := encMode.Marshal(&bare)
	return sha256.Sum256(append([]byte(auditDomain), text...)), err
}

func (r *auditRecord) entry() AuditEntry {
	addr, _ := netip.ParseAddr(r.Addr) // "" and what verification names: no address
	return AuditEntry{
		Seq: r.Seq, At: r.At.time(), OrgID: r.Org, Actor: Actor(r.Actor), Addr: addr, RequestID: r.RequestID,
		Action: r.Action, Target: r.Target, Outcome: r.Outcome, Detail: r.Detail, Prev: r.Prev, Hash: r.Hash,
	}
}

// textOf is the text of an address, "" for none.
func textOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
