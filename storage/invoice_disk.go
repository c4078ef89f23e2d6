package storage

import (
	"errors"
	"fmt"
	"slices"

	"exante/auth/uid"
	"exante/storage/kv"
)

const (
	// maxInline is the size of a detail up to which it follows the core, whose
	// own fields are bounded to less than the rest of a value.
	maxInline = 48 << 10
	// maxChunk is what a chunk holds.
	maxChunk = kv.MaxValue - envelopeHead
)

// putInvoice writes the record of i, and its chunks in place of those it had.
func putInvoice(tx kv.Txn, i *Invoice) error {
	detail, err := encMode.Marshal(detailOf(i))
	if err != nil {
		return fmt.Errorf("encode invoice %s: %w", i.ID, err)
	}
	var chunks [][]byte
	if len(detail) > maxInline {
		chunks, detail = slices.Collect(slices.Chunk(detail, maxChunk)), nil
	}
	if err := putChunks(tx, i, chunks); err != nil {
		return err
	}
	core, err := encMode.Marshal(coreOf(i))
	if err != nil {
		return fmt.Errorf("encode invoice %s: %w", i.ID, err)
	}
	key := keyInvoice(i.OrgID, i.ID)
	return tx.Put(key, sealBytes(key, famInvoice, append(core, detail...)))
}

// putChunks writes i's chunks, and deletes those beyond them that it had.
func putChunks(tx kv.Txn, i *Invoice, chunks [][]byte) error {
	had := i.chunks
	i.chunks = uint16(len(chunks))
	for n, chunk := range chunks {
		key := keyChunk(i.OrgID, i.ID, uint16(n))
		if err := tx.Put(key, sealBytes(key, famChunk, chunk)); err != nil {
			return err
		}
	}
	for n := i.chunks; n < had; n++ {
		if err := tx.Delete(keyChunk(i.OrgID, i.ID, n)); err != nil {
			return err
		}
	}
	return nil
}

// openCore opens the value of an invoice's key. follows is the detail, unless it
// is in chunks.
func openCore(key, value []byte) (core invoiceCore, follows []byte, err error) {
	payload, err := openBytes(key, famInvoice, value)
	if err != nil {
		return core, nil, err
	}
	if follows, err = decMode.UnmarshalFirst(payload, &core); err != nil {
		return core, nil, fmt.Errorf("%w: record %x: %v", ErrCorrupt, key, err)
	}
	return core, follows, nil
}

// readInvoice reads all of an invoice, the client included; ErrNotFound.
func readInvoice(r kv.Reader, org, id uid.ID) (Invoice, error) {
	i, detail, err := readCore(r, org, id)
	if err != nil {
		return Invoice{}, err
	}
	if i.SentAt.IsZero() {
		i.Client, err = readParty(r, org, i.PartyID)
		if err = missing(err, "party", keyParty(org, i.PartyID)); err != nil {
			return Invoice{}, err
		}
	}
	return i, readDetail(r, &i, detail)
}

// readCore reads an invoice but for its lines and fields; ErrNotFound.
func readCore(r kv.Reader, org, id uid.ID) (i Invoice, follows []byte, err error) {
	key := keyInvoice(org, id)
	value, err := r.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return Invoice{}, nil, ErrNotFound
	}
	if err != nil {
		return Invoice{}, nil, err
	}
	core, follows, err := openCore(key, value)
	return core.invoice(org, id), follows, err
}

func readDetail(r kv.Reader, i *Invoice, encoded []byte) error {
	if i.chunks > 0 {
		var err error
		if encoded, err = readChunks(r, i); err != nil {
			return err
		}
	}
	var d invoiceDetail
	if err := decMode.Unmarshal(encoded, &d); err != nil {
		return fmt.Errorf("%w: detail of invoice %s: %v", ErrCorrupt, i.ID, err)
	}
	d.into(i)
	return nil
}

func readChunks(r kv.Reader, i *Invoice) ([]byte, error) {
	keys := make([][]byte, i.chunks)
	for n := range keys {
		keys[n] = keyChunk(i.OrgID, i.ID, uint16(n))
	}
	values, err := r.GetMany(keys)
	if err != nil {
		return nil, err
	}
	for n, value := range values {
		if value == nil {
			return nil, missing(ErrNotFound, "chunk", keys[n])
		}
		if values[n], err = openBytes(keys[n], famChunk, value); err != nil {
			return nil, err
		}
	}
	return slices.Concat(values...), nil
}

// scanCores reads all invoices of an organization by creation, but for their
// lines and fields.
func scanCores(r kv.Reader, org uid.ID, fn func(i *Invoice, follows []byte) error) error {
	return r.Scan(inFamily(org, famInvoice), kv.ScanOptions{}, func(key, value []byte) (bool, error) {
		core, follows, err := openCore(key, value)
		if err != nil {
			return false, err
		}
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return false, err
		}
		i := core.invoice(org, id)
		return true, fn(&i, follows)
	})
}
