package storage

import (
	"context"
	"time"

	"exante/auth/uid"
	"exante/storage/kv"
)

// HistoryQuery asks what was done to one record.
type HistoryQuery struct {
	OrgID, Target uid.ID
	From, To      time.Time // when it was made, and when it was changed last

	Limit int // at most so many entries are returned,
	Look  int // of so many records that are read
}

// History is what the audit log says of a record, the newest first. whole is false
// where From was not reached: older entries may be there.
//
// The log lies in order of time, so the place of To is found by halving; what was
// written between To and From is read from there. A clock that was set back may
// keep an entry out.
func (s *Store) History(ctx context.Context, q HistoryQuery) (entries []AuditEntry, whole bool, err error) {
	err = s.db.View(ctx, func(r kv.Reader) error {
		entries, whole = nil, true
		last, err := lastAuditBy(r, q.To)
		if err != nil {
			return err
		}
		in := inGlobal(famAudit)
		in.End = keyAudit(last + 1)
		looked := 0
		return r.Scan(in, kv.ScanOptions{Reverse: true}, func(key, value []byte) (bool, error) {
			var rec auditRecord
			if err := open(key, famAudit, value, &rec); err != nil {
				return false, err
			}
			if rec.At.time().Before(q.From) {
				return false, nil
			}
			if looked++; looked > q.Look || len(entries) == q.Limit {
				whole = false
				return false, nil
			}
			if rec.Org == q.OrgID && rec.Target == q.Target {
				entries = append(entries, rec.entry())
				return rec.Action != invoiceCreate, nil // nothing was done to it before
			}
			return true, nil
		})
	})
	return entries, whole, err
}

// lastAuditBy is the sequence number of the last record that was written up to t; 0
// for none.
func lastAuditBy(r kv.Reader, t time.Time) (uint64, error) {
	head, err := auditHead(r)
	if err != nil {
		return 0, err
	}
	low, high := uint64(0), head.Seq // low was written by then, what comes after high was not
	for low < high {
		mid := low + (high-low+1)/2
		var rec auditRecord
		if err := get(r, keyAudit(mid), famAudit, &rec); err != nil {
			return 0, missing(err, "audit record", keyAudit(mid))
		}
		if rec.At.time().After(t) {
			high = mid - 1
		} else {
			low = mid
		}
	}
	return low, nil
}
