package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/auditcopy"
	"exante/storage/kv"
)

// A backup does not know what was done after it was taken; the audit copy does. A
// restore that has the copy takes away again what was taken away.
//
// What counts is every record of the copy that the backup has not, whether or not a
// later restore has superseded it. A revocation that was answered holds for good:
// that the store was set back since does not make the key that leaked any safer.

// Aftermath is what a restore learned of the time after its backup, and what it did
// about that. What the backup has not is lost but for the rights that were taken away.
type Aftermath struct {
	Copy   string         // the audit copy that tells of it; "": there was none
	Until  time.Time      // when its last record was made
	Behind bool           // it ends before the backup: it says nothing of the time after
	Torn   bool           // it ends in the middle of a record, which was passed over
	Lost   map[Action]int // records that are not in the backup, but for superseded ones

	KeysRevoked, KeysRetiring, KeysNarrowed       int
	UsersDisabled, RolesLowered, PasswordsCleared int
	OwnersKept                                    int // the last of their organizations: not disabled or lowered, but without a password
}

// topic is one thing that a record can say of its target. Of several records of a
// topic the last holds.
type topic struct {
	what   topicKind
	target uid.ID
}

type topicKind int

const (
	topicEnd topicKind = iota // of a key
	topicScopes
	topicNetworks
	topicLimits
	topicExpiry
	topicStanding // whether a user is enabled
	topicRole
	topicPassword
)

// topicsOf are the topics of a record; nil for one that takes nothing away.
func topicsOf(e *AuditEntry) (kinds []topicKind) {
	switch e.Action {
	case keyRevoke, keyRotate:
		return []topicKind{topicEnd}
	case userDisable, userEnable:
		return []topicKind{topicStanding}
	case userRole:
		return []topicKind{topicRole}
	case userPass, userNoPass:
		return []topicKind{topicPassword}
	case keyUpdate:
		fields := strings.Fields(e.Detail["fields"])
		if slices.Contains(fields, fieldScopes) {
			kinds = append(kinds, topicScopes)
		}
		if slices.Contains(fields, fieldNetworks) {
			kinds = append(kinds, topicNetworks)
		}
		if slices.Contains(fields, fieldLimits) {
			kinds = append(kinds, topicLimits)
		}
		if slices.Contains(fields, fieldExpiry) {
			kinds = append(kinds, topicExpiry)
		}
	}
	return kinds
}

// said is the last that the copies say of a topic.
type said struct {
	AuditEntry
	kind  topicKind
	order int  // among all that was read
	known bool // the backup has it
}

// aftermath is what the copies say, held against the backup.
type aftermath struct {
	Aftermath
	superseded Detail // of the record that the restored store begins with

	ctx  context.Context
	r    kv.Reader // of the backup
	head auditHeadRecord
	last map[topic]said
	read int // records

	found error // by what is called for each record, of the backup
}

// readAftermath holds the audit copies of a restore against the backup in dir. Errors:
// ErrForeignCopy, ErrBrokenCopy.
func readAftermath(ctx context.Context, dir string, o RestoreOptions) (*aftermath, error) {
	db, err := kv.Open(kv.Options{Dir: dir, Log: o.Store.Log})
	if err != nil {
		return nil, err
	}
	a := &aftermath{ctx: ctx, last: map[topic]said{}}
	err = db.View(ctx, func(r kv.Reader) (err error) {
		a.r = r
		if a.head, err = auditHead(r); err != nil || a.head.Seq == 0 {
			return err // what is no store is found out when it is opened
		}
		return a.readAll(o)
	})
	a.r = nil
	return a, errors.Join(err, db.Close())
}

// readAll reads the copy that was named and that of the store. A dry run changes
// neither, so that the second may be that of a store which is in use.
func (a *aftermath) readAll(o RestoreOptions) error {
	var paths []string
	if o.AuditLog != "" {
		paths = append(paths, o.AuditLog)
	}
	info, err := os.Stat(o.Store.AuditCopy)
	switch named, _ := os.Stat(o.AuditLog); {
	case o.Store.AuditCopy == "" || errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err // it may tell of a revocation
	case info.Size() > 0 && !os.SameFile(info, named):
		paths = append(paths, o.Store.AuditCopy)
	}
	for _, path := range paths {
		if err := a.readCopy(path); err != nil {
			return err
		}
	}
	if o.Store.AuditCopy == "" {
		return nil
	}
	detail, err := supersededIn(a.r, o.Store.AuditCopy)
	if errors.Is(err, ErrCorrupt) && !errors.Is(err, auditcopy.ErrBroken) {
		return fmt.Errorf("%w: %s has gone on without the records that the backup ends with", ErrForeignCopy, o.Store.AuditCopy)
	}
	a.superseded = detail
	return err
}

// witness is one copy that is being read.
type witness struct {
	*aftermath
	path  string
	most  uint64    // the highest number in it
	met   bool      // it has the record that the backup ends with
	known bool      // the backup has its last record
	until time.Time // when that was made
	lost  map[Action]int
}

// readCopy reads one copy. What is reported is of the first that is read.
func (a *aftermath) readCopy(path string) error {
	w := &witness{aftermath: a, path: path, lost: map[Action]int{}}
	torn, err := ReadAuditCopy(path, func(e AuditEntry, superseded bool) error {
		a.found = w.note(e, superseded)
		return a.found
	})
	switch {
	case a.found != nil:
		return a.found
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%w: %s", ErrBrokenCopy, err.Error())
	case err != nil:
		return err
	}
	behind := !w.met && w.most < a.head.Seq
	if !w.met && (!behind || !w.known && w.most > 0) {
		return fmt.Errorf("%w: %s is of another history of the store: it does not have record %d as the backup does", ErrForeignCopy, path, a.head.Seq)
	}
	if a.Copy == "" {
		a.Copy, a.Until, a.Behind, a.Torn, a.Lost = path, w.until, behind, torn, w.lost
	}
	return nil
}

// note takes one record into account.
func (w *witness) note(e AuditEntry, superseded bool) error {
	if w.read++; w.read%1000 == 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
	}
	known, err := w.has(&e)
	if err != nil {
		return err
	}
	if e.Seq == 1 && !known {
		return fmt.Errorf("%w: %s is of store %s", ErrForeignCopy, w.path, uidText(e.Target))
	}
	w.most, w.until, w.known = max(w.most, e.Seq), e.At, known
	w.met = w.met || known && e.Seq == w.head.Seq
	if !known && !superseded {
		w.lost[e.Action]++
	}
	for _, kind := range topicsOf(&e) {
		w.keep(topic{kind, e.Target}, said{e, kind, w.read, known})
	}
	return nil
}

// has reports whether the backup has that very record.
func (w *witness) has(e *AuditEntry) (bool, error) {
	if e.Seq > w.head.Seq {
		return false, nil
	}
	var rec auditRecord
	if err := get(w.r, keyAudit(e.Seq), famAudit, &rec); err != nil {
		return false, missing(err, "audit record", keyAudit(e.Seq))
	}
	return rec.Hash == e.Hash, nil
}

// keep holds on to the last of a topic; of the ends of a key, to the first.
func (w *witness) keep(t topic, s said) {
	before, any := w.last[t]
	if t.what == topicEnd && (s.known || any && !before.ends().After(s.ends())) {
		return
	}
	w.last[t] = s
}

// ends is when a key that was revoked or rotated ends. A rotation that does not say
// when, as those of older versions, ended it at once.
func (s *said) ends() time.Time {
	at, err := time.Parse(lineTime, s.Detail[retiresAt])
	if s.Action == keyRevoke || err != nil {
		return s.At
	}
	return at
}

// open is what is to be done again, by organization.
func (a *aftermath) open() []said {
	var all []said
	for _, s := range a.last {
		if !s.known {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y said) int {
		return cmp.Or(slices.Compare(x.OrgID[:], y.OrgID[:]), cmp.Compare(x.order, y.order))
	})
	return all
}
