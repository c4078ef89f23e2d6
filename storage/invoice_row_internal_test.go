package storage

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
	"exante/storage/kv"
)

func TestRowComesBackAsItWas(t *testing.T) {
	i := fullInvoice(t)
	i.Currency = "KWD"
	for name, change := range map[string]func(*index.Row){
		"everything": func(*index.Row) {},
		"no dates":   func(r *index.Row) { r.Issue, r.Due, r.Paid = index.None, index.None, index.None },
		"no texts":   func(r *index.Row) { r.Number, r.Client = "", "" },
		"the year 1": func(r *index.Row) { r.Issue, r.Due = yearOne+1, yearOne+2 },
		"the end":    func(r *index.Row) { r.Due, r.Created = 253402300799, 253402300799000 },
		"long ago":   func(r *index.Row) { r.Created, r.Updated, r.Total = -5, -6, int64(billing.MaxCents) },
	} {
		row := rowOf(&i.Invoice)
		wantEveryField(t, row)
		change(&row)
		key := keyRow(i.OrgID, i.ID)
		back, err := openRow(key, sealBytes(key, famRow, appendRow(nil, &row)))
		if err != nil || back != row {
			t.Errorf("%s: comes back as %+v, %v\nwant %+v", name, back, err, row)
		}
	}
}

func TestRowOfVersionOneIsReadForEver(t *testing.T) {
	row := index.Row{
		ID: uid.ID{1}, Party: uid.ID{2}, Number: "INV-2026-000007", Currency: "EUR", Status: 3, Method: 2, Client: "Globex",
		Issue: 1e9, Due: 1e9 + 5, Paid: 1e9 + 9, Created: 1e12, Updated: 1e12 + 1, Total: -12345,
	}
	key := keyRow(uid.ID{9}, row.ID)
	value := sealBytes(key, famRow, appendRow(nil, &row))
	golden := goldenBytes(t, "row", value)
	if back, err := openRow(key, golden); err != nil || back != row || !bytes.Equal(golden, value) {
		t.Errorf("read as %+v, %v, want %+v; written as %x, want %x", back, err, row, value, golden)
	}
}

func FuzzReadRow(f *testing.F) {
	i := fullInvoice(f)
	row := rowOf(&i.Invoice)
	f.Add(appendRow(nil, &row))
	f.Add([]byte("short"))
	key := keyRow(uid.ID{1}, uid.ID{2})
	f.Fuzz(func(t *testing.T, payload []byte) {
		row, err := openRow(key, sealBytes(key, famRow, payload))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
			return
		}
		if again, err := readRow(appendRow(nil, &row), row.ID); err != nil || again != row {
			t.Errorf("%+v comes back as %+v, %v", row, again, err)
		}
	})
}

// A store of the first schema has no rows. It gets them once, whole, even if the
// first attempt was cut off.
func TestOlderStoreIsBroughtUpToDate(t *testing.T) {
	l := openLedger(t)
	now := time.Now()
	before := l.lists.All(l.org, index.Query{Now: now})
	l.raw(func(tx *tx) error {
		for n := range before {
			if n == 1 {
				continue // one that the attempt before had written
			}
			if err := tx.Delete(keyRow(l.org, before[n])); err != nil {
				return err
			}
		}
		var marker markerRecord
		return errors.Join(
			tx.count(func(c *counts) { c.Rows = 0 }),
			get(tx, keyMarker(), famMarker, &marker),
			put(tx, keyMarker(), famMarker, &markerRecord{marker.ID, 1, marker.CreatedAt}),
		)
	})
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(l.options)
		if err != nil {
			t.Fatal(err)
		}
		l.Store = s
		if found := l.findings(); len(found) != 0 {
			t.Errorf("found %v", found)
		}
		if after := l.lists.All(l.org, index.Query{Now: now}); len(after) != len(before) {
			t.Errorf("%d invoices are listed, want %d", len(after), len(before))
		}
	}
	migrations := 0
	err := l.db.View(t.Context(), func(r kv.Reader) error {
		return scan(r, inGlobal(famAudit), famAudit, func(_ []byte, rec *auditRecord) error {
			if rec.Action == storeMigrate {
				migrations++
			}
			return nil
		})
	})
	if err != nil || migrations != schemaVersion-1 {
		t.Errorf("the audit log tells of %d migrations, %v, want %d", migrations, err, schemaVersion-1)
	}
}
