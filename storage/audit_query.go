package storage

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// AuditQuery selects audit records. The zero value is the 100 oldest.
type AuditQuery struct {
	OrgID  uid.ID    // zero: all
	KeyID  uid.ID    // that acted, or was acted on; zero: any
	UserID uid.ID    // likewise
	Target uid.ID    // that was acted on; zero: any
	Action string    // the whole of an action, or its beginning up to a dot, "key."; "": any
	Since  time.Time // zero: from the first on
	Until  time.Time // records before it; zero: to the last

	After  uint64 // only records with a greater sequence number
	Before uint64 // only records with a lesser one; 0: any
	Newest bool   // begin with the newest
	Limit  int    // at most so many; 0: 100
	Reach  int    // AuditBack reads at most so many records at once; 0: 10,000
}

const defaultAuditLimit = 100

// Audit lists records, the oldest first unless q asks for the newest. It holds no
// more of them than it returns. Error: *input.InvalidError for an action that
// there is not.
func (s *Store) Audit(ctx context.Context, q AuditQuery) ([]AuditEntry, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	entries := []AuditEntry{}
	in, some := q.within()
	if !some {
		return entries, nil
	}
	err := s.db.View(ctx, func(r kv.Reader) error {
		return r.Scan(in, kv.ScanOptions{Reverse: q.Newest}, func(key, value []byte) (bool, error) {
			var rec auditRecord
			if err := open(key, famAudit, value, &rec); err != nil {
				return false, err
			}
			if q.selects(&rec) {
				entries = append(entries, rec.entry())
			}
			return len(entries) < q.Limit, nil
		})
	})
	return entries, err
}

// check fills in what is left open. Error: *input.InvalidError for the action.
func (q *AuditQuery) check() error {
	if q.Limit <= 0 {
		q.Limit = defaultAuditLimit
	}
	if !slices.ContainsFunc(actions, q.names) {
		return input.Invalid("action", fmt.Sprintf("%q is none, nor the beginning of one up to a dot", q.Action))
	}
	return nil
}

// within is where the records lie that q can select.
func (q *AuditQuery) within() (in kv.Range, some bool) {
	in = inGlobal(famAudit)
	if q.After+1 == 0 {
		return in, false
	}
	in.Start = keyAudit(q.After + 1)
	if q.Before != 0 {
		in.End = keyAudit(q.Before)
	}
	return in, bytes.Compare(in.Start, in.End) < 0
}

func (q *AuditQuery) selects(r *auditRecord) bool {
	at := r.At.time()
	switch {
	case !q.OrgID.IsZero() && q.OrgID != r.Org,
		!q.KeyID.IsZero() && q.KeyID != r.Actor.KeyID && q.KeyID != r.Target,
		!q.UserID.IsZero() && q.UserID != r.Actor.UserID && q.UserID != r.Target,
		!q.Target.IsZero() && q.Target != r.Target,
		!q.Since.IsZero() && at.Before(q.Since),
		!q.Until.IsZero() && !at.Before(q.Until):
		return false
	}
	return q.names(r.Action)
}

// names reports whether a is among the actions that q asks for.
func (q *AuditQuery) names(a Action) bool {
	if strings.HasSuffix(q.Action, ".") {
		return strings.HasPrefix(string(a), q.Action)
	}
	return q.Action == "" || q.Action == string(a)
}
