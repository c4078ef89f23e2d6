package storage

import (
	"exante/auth/uid"
	"exante/storage/kv"
)

// loadLists fills the lists of one organization when the store opens.
func (s *Store) loadLists(r kv.Reader, org uid.ID, c counts) error {
	if err := s.loadParties(r, org, c); err != nil {
		return err
	}
	return s.loadInvoices(r, org, c)
}

func (s *Store) loadParties(r kv.Reader, org uid.ID, c counts) error {
	n := 0
	err := scanParties(r, org, func(p *Party) error {
		n++
		s.parties.Put(org, nameRowOf(p))
		return nil
	})
	if err != nil {
		return err
	}
	return agree("parties", n, c.Parties)
}

func (s *Store) loadInvoices(r kv.Reader, org uid.ID, c counts) error {
	n := 0
	err := scanCores(r, org, func(i *Invoice, _ []byte) error {
		n++
		if i.Type == Receivable {
			s.lists.Put(org, rowOf(i))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return agree("invoices", n, c.Invoices)
}
