package storage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"exante/auth/uid"
	"exante/storage/archive"
	"exante/storage/kv"
)

// BackupOptions say how a backup is marked.
type BackupOptions struct {
	MACKey  []byte // authenticates it; empty: it is not authenticated
	Program string // version of the program
}

// Backup is what a backup is of.
type Backup struct {
	Database      uid.ID
	Sequence      uint64    // of the last commit that is in it
	TakenAt       time.Time // what was changed later is not in it
	Schema        uint64
	Program       string
	Entries       uint64
	Authenticated bool
}

// backupPiece is how much is made ready before it is written, in bytes.
const backupPiece = 256 << 10

// Backup writes all of the store, as it is at one instant, to out. Writers do not
// wait for it, but what they replace is kept on the disk until it is done, so out
// must not stall. After an error what was written is no backup. progress, in
// entries, may be nil. Errors: ErrBackupRunning, for there is one at a time;
// ErrCorrupt if a record or the number of them is not as it should be.
func (s *Store) Backup(ctx context.Context, out io.Writer, o BackupOptions, progress func(done, total int)) (b Backup, err error) {
	if !s.backups.TryLock() {
		return b, ErrBackupRunning
	}
	defer s.backups.Unlock()
	taken := s.now()
	err = s.db.View(ctx, func(r kv.Reader) error {
		b, err = backUp(r, taken, out, o, progress)
		return err
	})
	return b, err
}

// backUp writes what a snapshot holds, whatever schema it is of.
func backUp(r kv.Reader, taken time.Time, out io.Writer, o BackupOptions, progress func(done, total int)) (b Backup, err error) {
	var marker markerRecord
	if err := get(r, keyMarker(), famMarker, &marker); err != nil {
		return b, missing(err, "record", keyMarker())
	}
	buffered := bufio.NewWriterSize(out, backupPiece)
	to, err := archive.NewWriter(buffered, archive.Header{
		Database: marker.ID, Sequence: r.Seq(), TakenAt: taken, Schema: marker.Schema, Program: o.Program,
	}, o.MACKey)
	if err != nil {
		return b, err
	}
	if err := dump(r, marker.Schema, to, progress); err != nil {
		return b, err
	}
	totals, err := to.Close()
	if err != nil {
		return b, err
	}
	b = Backup{marker.ID, r.Seq(), taken, marker.Schema, o.Program, totals.Entries, len(o.MACKey) > 0}
	return b, buffered.Flush()
}

// dump writes every entry of a snapshot of that schema.
func dump(r kv.Reader, schema uint64, to *archive.Writer, progress func(done, total int)) error {
	total := 0
	if progress != nil {
		var err error
		if total, err = r.Count(kv.Range{}); err != nil {
			return err
		}
	}
	seen := tally{Reader: r, schema: schema}
	done := 0
	err := r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
		if err := seen.add(key, value); err != nil {
			return false, err
		}
		if done++; progress != nil && done%1000 == 0 {
			progress(done, max(done, total))
		}
		return true, to.Add(key, value)
	})
	if err == nil && progress != nil {
		progress(done, max(done, total))
	}
	if err != nil {
		return err
	}
	return seen.end()
}

// tally holds what goes by against what was counted, since a block that was damaged
// while the store is open can end a scan early without an error: a backup that is
// short would be found out only when it is needed.
type tally struct {
	kv.Reader
	schema uint64
	org    uid.ID      // whose records go by; zero: nobody's
	global [256]uint64 // records by family
	own    [256]uint64 // those of org
}

func (t *tally) add(key, value []byte) error {
	if !knownKey(key) {
		return fmt.Errorf("%w: %s is of no known family", ErrCorrupt, describe(key))
	}
	if err := intact(key, value); err != nil {
		return err
	}
	org, ok := tenantOf(key)
	if !ok {
		t.global[key[globalKeyHead-1]]++
		return nil
	}
	if org != t.org {
		if err := t.endOrg(); err != nil {
			return err
		}
		t.org, t.own = org, [256]uint64{}
	}
	t.own[key[orgKeyHead-1]]++
	return nil
}

// endOrg checks the organization that went by.
func (t *tally) endOrg() error {
	if t.org.IsZero() {
		return nil
	}
	c, err := countsOf(t, t.org)
	if err != nil {
		return missing(err, "record", keyCounts(t.org))
	}
	for family, counted := range map[byte]uint64{
		famUser: c.Users, famKey: c.Keys, famParty: c.Parties, famInvoice: c.Invoices, famPayment: c.Payments,
		famCatalogue: c.Catalogue, famNumber: c.Numbers, famRow: c.Rows, famAttachment: c.Attachments,
	} {
		if family == famRow && t.schema < 2 {
			continue // a migration that was cut off leaves rows that are not counted yet
		}
		if err := agree(describe(orgKey(t.org, family)), int(t.own[family]), counted); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) end() error {
	if err := t.endOrg(); err != nil {
		return err
	}
	var totals totalsRecord
	if err := get(t, keyTotals(), famTotals, &totals); err != nil {
		return missing(err, "record", keyTotals())
	}
	if err := agree("organizations", int(t.global[famOrg]), totals.Orgs); err != nil {
		return err
	}
	head, err := auditHead(t)
	if err != nil {
		return err
	}
	return agree("audit records", int(t.global[famAudit]), head.Seq)
}
