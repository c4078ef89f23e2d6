package storage_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

func TestCompactGivesBackDeletedAttachments(t *testing.T) {
	clock := storagetest.NewClock()
	o := storagetest.Options(t, clock)
	s := storagetest.Reopen(t, o)
	_, by := storagetest.Org(t, s, "Acme")
	name := "Client"
	party, err := s.CreateParty(t.Context(), by, billing.PartyPatch{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.CreateInvoice(t.Context(), by, billing.InvoicePatch{PartyID: &party.ID})
	if err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 12<<20)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	for range 3 {
		sent := false
		added, _, err := s.AddAttachments(t.Context(), by, inv.ID, 0, func() (storage.File, error) {
			if sent {
				return storage.File{}, io.EOF
			}
			sent = true
			return storage.File{Name: "a.bin", Content: bytes.NewReader(content)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.DeleteAttachment(t.Context(), by, inv.ID, added[0].ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := storage.Compact(t.Context(), o, nil); !errors.Is(err, storage.ErrInUse) {
		t.Errorf("Compact of an open store = %v", err)
	}
	storagetest.Close(t, s)
	var done, total int
	r, err := storage.Compact(t.Context(), o, func(d, all int) { done, total = d, all })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d KiB before, %d KiB after", r.Before>>10, r.After>>10)
	// Badger may have merged them already, when the store was closed.
	if r.Before == 0 || r.After == 0 || r.After > 1<<20 || done != total {
		t.Errorf("%+v, progress %d of %d", r, done, total)
	}
	storagetest.Reopen(t, o) // and with it verified
}
