package storage

import (
	"context"
	"errors"
	"fmt"
	"io"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// schemaVersion is that of all records of the store:
//
//	1  the first
//	2  rows of the lists are records of their own
//	3  there is an anchor, and a signing key
const schemaVersion = 3

// steps bring a store from the schema at their place to the next. One that was
// cut off is carried out again, so what it finds may be half done.
var steps = map[uint64]func(s *Store, ctx context.Context) error{
	1: (*Store).enterRows,
	2: (*Store).dropAnchor,
}

// Migration is what is about to be done to a store of an older schema.
type Migration struct {
	From, To uint64 // schemas
	Sequence uint64 // of the last commit
	// Backup writes the store as it is now. A restore of it migrates it again.
	Backup func(out io.Writer, o BackupOptions) error
}

// beforeMigration asks whoever makes a backup first. Nothing has been changed yet.
// A store that is damaged is not brought up to date either.
func (s *Store) beforeMigration(schema uint64, r kv.Reader) error {
	if steps[schema] == nil {
		return fmt.Errorf("%w: schema %d has never been", ErrCorrupt, schema)
	}
	if s.options.BeforeMigration == nil {
		return nil
	}
	err := s.options.BeforeMigration(Migration{From: schema, To: schemaVersion, Sequence: r.Seq(), Backup: func(out io.Writer, o BackupOptions) error {
		_, err := backUp(r, s.now(), out, o, nil)
		return err
	}})
	if err == nil || errors.Is(err, ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotBackedUp, err)
}

// migrate brings the store from an older schema to ours, step by step.
func (s *Store) migrate(ctx context.Context, marker markerRecord) error {
	for marker.Schema < schemaVersion {
		step := steps[marker.Schema]
		s.options.Log.Info("bringing the store up to date", "from_schema", marker.Schema, "to_schema", marker.Schema+1)
		if err := step(s, ctx); err != nil {
			return fmt.Errorf("migrate from schema %d: %w", marker.Schema, err)
		}
		marker.Schema++
		err := s.update(ctx, auth.System(uid.ID{}), func(t *tx) error {
			return errors.Join(put(t, keyMarker(), famMarker, &marker), t.audit(storeMigrate, marker.ID, Detail{"schema": fmt.Sprint(marker.Schema)}))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropAnchor writes the first anchor of a store, before the marker says that there
// is one. No later schema is without.
func (s *Store) dropAnchor(ctx context.Context) error {
	if s.signing.IsZero() {
		var err error
		if s.signing, err = auth.MintSigningKey(s.options.Rand); err != nil {
			return err
		}
		if err := s.update(ctx, auth.System(uid.ID{}), (*tx).insertSigningKey); err != nil {
			return err
		}
	}
	return s.db.View(ctx, func(r kv.Reader) error {
		keys, err := r.Count(inGlobal(famTag))
		if err != nil {
			return err
		}
		a, err := s.standing(r, s.db.Seq(), keys)
		if err != nil {
			return err
		}
		return writeFile(s.options.Dir, anchorFile, a.text(s.signing))
	})
}

// rowsAtOnce is how many rows one transaction of enterRows writes.
const rowsAtOnce = 1000

// enterRows writes the row of every invoice that is listed, and how many there are.
func (s *Store) enterRows(ctx context.Context) error {
	return s.db.View(ctx, func(r kv.Reader) error {
		orgs, err := allOrgs(r)
		for n := range orgs {
			if err == nil {
				err = s.enterRowsOf(ctx, r, orgs[n].ID)
			}
		}
		return err
	})
}

func (s *Store) enterRowsOf(ctx context.Context, r kv.Reader, org uid.ID) error {
	var pending []billing.Invoice
	rows := uint64(0)
	flush := func() error {
		return s.update(ctx, auth.System(org), func(t *tx) error {
			for n := range pending {
				if err := putRow(t, &pending[n]); err != nil {
					return err
				}
			}
			return t.count(func(c *counts) { c.Rows = rows })
		})
	}
	err := scanCores(r, org, func(i *storedInvoice, _ []byte) error {
		if i.Type != billing.Receivable {
			return nil
		}
		rows++
		if pending = append(pending, i.Invoice); len(pending) < rowsAtOnce {
			return nil
		}
		err := flush()
		pending = pending[:0]
		return err
	})
	if err != nil {
		return err
	}
	return flush()
}
