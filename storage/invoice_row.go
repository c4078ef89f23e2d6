package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
	"exante/storage/kv"
)

// What the list in memory knows of an invoice lies on the disk once more, alone
// and short, so that a million of them are read when the store opens, and not
// the invoices. The record is written with the invoice's, never by itself.
//
// It is no CBOR, which would take half of the time to start:
//
//	1 byte     status as stored
//	1 byte     collection method
//	16 bytes   party
//	3 bytes    currency
//	3 varints  issue, due, paid: seconds since the zero time, 0: none
//	2 varints  created, updated: Unix milliseconds
//	1 varint   total
//	2 texts    number, the client's name if it is kept; each a uvarint of its length before it

// rowOf is what the list knows of an invoice.
func rowOf(i *billing.Invoice) index.Row {
	row := index.Row{
		ID: i.ID, Party: i.PartyID, Number: i.Number, Currency: string(i.Currency),
		Status: uint8(i.Status), Method: uint8(i.CollectionMethod),
		Issue: i.IssueDate.Unix(), Due: i.DueDate.Unix(), Paid: dateOrNone(i.PaidDate),
		Created: i.CreatedAt.UnixMilli(), Updated: i.UpdatedAt.UnixMilli(), Total: int64(i.Total),
	}
	if !i.SentAt.IsZero() {
		row.Client = i.Client.Name
	}
	return row
}

func dateOrNone(t time.Time) int64 {
	if t.IsZero() {
		return index.None
	}
	return t.Unix()
}

// putRow writes the row of an invoice that is listed.
func putRow(tx kv.Txn, i *billing.Invoice) error {
	row := rowOf(i)
	key := keyRow(i.OrgID, i.ID)
	return tx.Put(key, sealBytes(key, famRow, appendRow(make([]byte, 0, 128), &row)))
}

// yearOne is the zero time in Unix seconds.
var yearOne = time.Time{}.Unix()

func appendRow(b []byte, r *index.Row) []byte {
	b = append(b, r.Status, r.Method)
	b = append(b, r.Party[:]...)
	b = append(b, r.Currency...)
	for _, seconds := range []int64{r.Issue, r.Due, r.Paid} {
		if seconds == index.None {
			seconds = yearOne
		}
		b = binary.AppendVarint(b, seconds-yearOne)
	}
	b = binary.AppendVarint(b, r.Created)
	b = binary.AppendVarint(b, r.Updated)
	b = binary.AppendVarint(b, r.Total)
	for _, text := range []string{r.Number, r.Client} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

// rowHead is the length of what comes before the varints.
const rowHead = 1 + 1 + 16 + 3

// openRow reads the value of a row's key; ErrCorrupt, ErrNewer.
func openRow(key, value []byte) (r index.Row, err error) {
	payload, err := openBytes(key, famRow, value)
	if err != nil {
		return r, err
	}
	if r.ID, err = idAt(key, orgKeyHead); err != nil {
		return r, err
	}
	if r, err = readRow(payload, r.ID); err != nil {
		return r, fmt.Errorf("%w: record %s: %v", ErrCorrupt, describe(key), err)
	}
	return r, nil
}

var errRow = errors.New("is no row of a list")

func readRow(b []byte, id uid.ID) (index.Row, error) {
	if len(b) < rowHead {
		return index.Row{}, errRow
	}
	r := index.Row{ID: id, Status: b[0], Method: b[1], Party: uid.ID(b[2:18]), Currency: string(b[18:rowHead])}
	rest := b[rowHead:]
	for _, field := range []*int64{&r.Issue, &r.Due, &r.Paid, &r.Created, &r.Updated, &r.Total} {
		v, n := binary.Varint(rest)
		if n <= 0 {
			return index.Row{}, errRow
		}
		*field, rest = v, rest[n:]
	}
	for _, date := range []*int64{&r.Issue, &r.Due, &r.Paid} {
		if *date == 0 {
			*date = index.None
		} else {
			*date += yearOne
		}
	}
	for _, field := range []*string{&r.Number, &r.Client} {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return index.Row{}, errRow
		}
		*field, rest = string(rest[n:n+int(size)]), rest[n+int(size):]
	}
	if len(rest) > 0 {
		return index.Row{}, errRow
	}
	return r, nil
}

// scanRows reads the rows of an organization, by creation, until fn has enough.
func scanRows(r kv.Reader, org uid.ID, fn func(index.Row) (more bool, err error)) error {
	return r.Scan(inFamily(org, famRow), kv.ScanOptions{}, func(key, value []byte) (bool, error) {
		row, err := openRow(key, value)
		if err != nil {
			return false, err
		}
		return fn(row)
	})
}
