package storage

import (
	"bytes"
	"context"
	"errors"
	"sort"
	"time"

	"exante/auth/uid"
	"exante/storage/kv"
)

// AuditPage is what is found on the way back through the audit log.
type AuditPage struct {
	Entries []AuditEntry // the newest first
	Before  uint64       // for AuditQuery.Before, to go on; 0: there is no more
	Reached time.Time    // of the last record that was read; zero: none was
}

// auditReach is how many records one step back through the log reads, unless the query
// says less: ten or twenty milliseconds. There may be millions, of other organizations too.
const auditReach = 10_000

// clockSkew is how far the times of records may stand against their order: a record
// is dated before its transaction waits for others, and clocks are put right.
const clockSkew = time.Minute

// AuditBack reads the log backwards from the newest record, or from q.Before, until
// it has q.Limit entries or has read q.Reach records: so it may return fewer
// entries, or none, and there may be more all the same. What is out of q.Since and
// q.Until is not read. q.After and q.Newest do not count. Error: *input.InvalidError
// for an action that there is not.
func (s *Store) AuditBack(ctx context.Context, q AuditQuery) (AuditPage, error) {
	q.After, q.Newest = 0, true
	if err := q.check(); err != nil {
		return AuditPage{}, err
	}
	back := lookBack{AuditQuery: q, tokens: q.tokens()}
	err := s.db.View(ctx, func(r kv.Reader) error {
		back.page = AuditPage{Entries: []AuditEntry{}}
		if err := back.narrow(r); err != nil {
			return err
		}
		in, some := back.within()
		if !some {
			return nil
		}
		back.left = auditReach
		if q.Reach > 0 {
			back.left = q.Reach
		}
		return r.Scan(in, kv.ScanOptions{Reverse: true}, back.read)
	})
	return back.page, err
}

// lookBack is one way back.
type lookBack struct {
	AuditQuery
	tokens [][]byte // each is somewhere in a record that is selected
	page   AuditPage
	left   int // records that may still be read
}

// tokens are what a record must hold to be selected, as it lies on the disk: most of
// those that are not are passed over without being decoded.
func (q *AuditQuery) tokens() (all [][]byte) {
	for _, id := range []uid.ID{q.OrgID, q.KeyID, q.UserID, q.Target} {
		if !id.IsZero() {
			all = append(all, bytes.Clone(id[:]))
		}
	}
	return append(all, []byte(q.Action))
}

// narrow leaves of the way what can be from Since on and before Until.
func (b *lookBack) narrow(r kv.Reader) error {
	head, err := auditHead(r)
	if err != nil {
		return err
	}
	if !b.Since.IsZero() {
		first, err := firstFrom(r, head, b.Since.Add(-clockSkew))
		if err != nil {
			return err
		}
		b.After = first - 1
	}
	if b.Until.IsZero() {
		return nil
	}
	later, err := firstFrom(r, head, b.Until.Add(clockSkew))
	if b.Before == 0 || later < b.Before {
		b.Before = later
	}
	return err
}

// firstFrom is the first record that is not before t, or the one that is yet to come.
// Records are in the order of their times, but for clockSkew.
func firstFrom(r kv.Reader, head auditHeadRecord, t time.Time) (seq uint64, err error) {
	n := sort.Search(int(head.Seq), func(n int) bool {
		var rec auditRecord
		read := get(r, keyAudit(uint64(n)+1), famAudit, &rec)
		err = errors.Join(err, read)
		return read != nil || !rec.At.time().Before(t)
	})
	return uint64(n) + 1, err
}

// read takes one record. When there are enough, it goes on to see whether another
// follows.
func (b *lookBack) read(key, value []byte) (more bool, err error) {
	payload, err := openBytes(key, famAudit, value)
	if err != nil {
		return false, err
	}
	if b.left == 0 {
		b.page.Before = auditSeqAt(key) + 1
		return false, nil
	}
	b.left--
	// The last of a step is decoded for its time.
	if b.left > 0 && !holds(payload, b.tokens) {
		return true, nil
	}
	var rec auditRecord
	if err := open(key, famAudit, value, &rec); err != nil {
		return false, err
	}
	selected := b.selects(&rec)
	if selected && len(b.page.Entries) == b.Limit {
		b.page.Before = rec.Seq + 1
		return false, nil
	}
	b.page.Reached = rec.At.time()
	if selected {
		b.page.Entries = append(b.page.Entries, rec.entry())
	}
	return true, nil
}

func holds(payload []byte, tokens [][]byte) bool {
	for _, token := range tokens {
		if !bytes.Contains(payload, token) {
			return false
		}
	}
	return true
}
