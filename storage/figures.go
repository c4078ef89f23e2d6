package storage

import (
	"context"

	"exante/auth/uid"
	"exante/storage/bodies"
	"exante/storage/kv"
)

// Figures are what a store tells those who watch it: `exante status` and the
// metrics. Counters run since it was opened.
type Figures struct {
	Orgs, Users, Invoices uint64
	Audit                 uint64 // records in the chain: the sequence of the last
	Seq                   uint64 // of the last commit
	Bodies                bodies.Stats
	Engine                kv.Stats
}

// Figures gathers them, the counts from one snapshot. It reads a record for each
// organization and looks at each file of the directory.
func (s *Store) Figures(ctx context.Context) (f Figures, err error) {
	err = s.db.View(ctx, func(r kv.Reader) error {
		head, err := auditHead(r)
		if err != nil {
			return err
		}
		f.Audit = head.Seq
		orgs, err := allOrgs(r)
		if err != nil {
			return err
		}
		f.Orgs = uint64(len(orgs))
		for _, org := range orgs {
			c, err := countsOf(r, org.ID)
			if err != nil {
				return missing(err, "record", keyCounts(org.ID))
			}
			f.Users += c.Users
			f.Invoices += c.Invoices
		}
		return nil
	})
	if err != nil {
		return Figures{}, err
	}
	f.Seq, f.Bodies = s.db.Seq(), s.bodies.Stats()
	f.Engine, err = s.db.Stats()
	return f, err
}

// Database is the uid of the store, which its backups and what is restored of them have.
func (s *Store) Database() uid.ID { return s.id }

// OrgFigures are how much an organization has, keys that have ended and invoices that
// were canceled included.
type OrgFigures struct{ Users, Keys, Parties, Invoices, Payments, Attachments uint64 }

// OrgFigures reads what is counted; ErrNotFound if there is no such organization.
func (s *Store) OrgFigures(ctx context.Context, org uid.ID) (OrgFigures, error) {
	var c counts
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		c, err = countsOf(r, org)
		return err
	})
	return OrgFigures{c.Users, c.Keys, c.Parties, c.Invoices, c.Payments, c.Attachments}, err
}
