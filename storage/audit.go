package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
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
	storeAccept  Action = "store.accept"  // an operator took it as it is; detail: what its anchor said
	storeRestore Action = "store.restore" // from a backup
	socketRefuse Action = "socket.refuse" // a Unix user who may not operate the server; detail: how often
	orgCreate    Action = "org.create"
	orgUpdate    Action = "org.update" // detail: the fields that changed

	userCreate  Action = "user.create"
	userDisable Action = "user.disable"
	userEnable  Action = "user.enable"
	userRole    Action = "user.role"           // detail: the old one and the new
	userSetup   Action = "user.setup.create"   // a setup link was made; detail: its uid and its end
	userPass    Action = "user.password"       // it was set; detail: the setup link by which he chose it, if it was one
	userNoPass  Action = "user.password.clear" // it was taken away: he can't sign in until he has another
	userRehash  Action = "user.rehash"         // the same password, hashed at today's cost
	userSignOut Action = "user.sessions.end"   // all that there were

	sessionCreate Action = "session.create"
	sessionEnd    Action = "session.end"

	keyCreate Action = "key.create"
	keyRevoke Action = "key.revoke"
	keyRotate Action = "key.rotate" // target: the old key; detail: its successor, and when it retires
	keyUpdate Action = "key.update" // detail: the fields that changed, limits and networks before and after
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
	storeCreate, storeMigrate, storeAccept, storeRestore, socketRefuse, orgCreate, orgUpdate,
	userCreate, userDisable, userEnable, userRole, userSetup, userPass, userNoPass, userRehash, userSignOut, sessionCreate, sessionEnd,
	keyCreate, keyRevoke, keyRotate, keyUpdate, keyRehash, partyCreate, partyUpdate,
	invoiceCreate, invoiceUpdate, invoiceDelete, invoiceLinesAdd, invoiceLinesUpdate, invoiceLinesDelete, invoicePay,
	invoiceAttach, invoiceDetach, invoiceImport,
}

// Actions is the closed set.
func Actions() []Action { return slices.Clone(actions) }

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

// audit appends a record of what this transaction does to target. What can't be
// copied is not done, unless it takes a right away: ErrAuditUnavailable.
func (t *tx) audit(action Action, target uid.ID, detail Detail) error {
	if err := t.store.copy.refusal(); err != nil && !t.withdraws {
		return err
	}
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
	t.OnCommit(t.store.copy.nudge)
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

// NoteSocketRefusal writes that a Unix user was refused on the admin socket, so
// often since the last record of that.
func (s *Store) NoteSocketRefusal(ctx context.Context, localUID, calls int) error {
	return s.update(ctx, auth.Principal{Shell: true, LocalUID: localUID}, func(t *tx) error {
		return t.audit(socketRefuse, uid.ID{}, Detail{"calls": strconv.Itoa(calls)})
	})
}
