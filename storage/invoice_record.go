package storage

import (
	"errors"
	"fmt"
	"slices"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// An invoice lies on disk as two CBOR items, one after the other: the core,
// which is all that lists show, and the detail. A detail that does not fit
// behind the core goes to chunks under keys of its own. So the core is always
// one small read, and an invoice of usual length is one read too.

// storedInvoice is an invoice as its record has it.
type storedInvoice struct {
	billing.Invoice
	chunks uint16 // that hold its detail; 0: none, it follows the core
}

// invoiceCore is what every reader needs. Its IDs are in the key.
type invoiceCore struct {
	Version   uint64                   `cbor:"1,keyasint"`
	Number    string                   `cbor:"2,keyasint,omitempty"`
	Series    uint64                   `cbor:"3,keyasint,omitempty"`
	Type      billing.InvoiceType      `cbor:"4,keyasint"`
	Status    billing.Status           `cbor:"5,keyasint"`
	Method    billing.CollectionMethod `cbor:"6,keyasint"`
	Currency  billing.Currency         `cbor:"7,keyasint"`
	IssueDate stamp                    `cbor:"8,keyasint"`
	DueDate   stamp                    `cbor:"9,keyasint"`
	PaidDate  stamp                    `cbor:"10,keyasint,omitempty"`
	SentAt    stamp                    `cbor:"11,keyasint,omitempty"`
	Subtotal  billing.Cents            `cbor:"12,keyasint,omitempty"`
	Discount  billing.Cents            `cbor:"13,keyasint,omitempty"`
	Tax       billing.Cents            `cbor:"14,keyasint,omitempty"`
	Total     billing.Cents            `cbor:"15,keyasint,omitempty"`
	Paid      billing.Cents            `cbor:"16,keyasint,omitempty"`
	Payments  int                      `cbor:"17,keyasint,omitempty"`
	Party     uid.ID                   `cbor:"18,keyasint"`
	Owner     uid.ID                   `cbor:"19,keyasint"`
	Document  uid.ID                   `cbor:"20,keyasint,omitzero"`
	Blueprint uid.ID                   `cbor:"21,keyasint,omitzero"`
	Client    *partyRecord             `cbor:"22,keyasint,omitempty"` // from the first sending on
	CreatedAt stamp                    `cbor:"23,keyasint"`
	UpdatedAt stamp                    `cbor:"24,keyasint"`
	Chunks    uint16                   `cbor:"25,keyasint,omitempty"` // that hold the detail; 0: it follows
}

// invoiceDetail is what the invoice itself shows beside the core.
type invoiceDetail struct {
	Lines  []lineRecord  `cbor:"1,keyasint,omitempty"`
	Fields []fieldRecord `cbor:"2,keyasint,omitempty"`
}

type lineRecord struct {
	ID        uid.ID              `cbor:"1,keyasint"`
	Type      billing.ContextType `cbor:"2,keyasint"`
	TypeID    uid.ID              `cbor:"3,keyasint"`
	SKU       string              `cbor:"4,keyasint"`
	Quantity  billing.Quantity    `cbor:"5,keyasint"`
	UnitPrice billing.Cents       `cbor:"6,keyasint"`
	Total     billing.Cents       `cbor:"7,keyasint"`
}

type fieldRecord struct {
	Key  string `cbor:"1,keyasint"`
	JSON []byte `cbor:"2,keyasint"`
}

func coreOf(i *storedInvoice) invoiceCore {
	c := invoiceCore{
		Version: i.Version, Number: i.Number, Series: i.Series, Type: i.Type, Status: i.Status,
		Method: i.CollectionMethod, Currency: i.Currency,
		IssueDate: stampOf(i.IssueDate), DueDate: stampOf(i.DueDate), PaidDate: stampOf(i.PaidDate), SentAt: stampOf(i.SentAt),
		Subtotal: i.Subtotal, Discount: i.Discount, Tax: i.Tax, Total: i.Total, Paid: i.Paid, Payments: i.Payments,
		Party: i.PartyID, Owner: i.OwnerID, Document: i.DocumentID, Blueprint: i.BlueprintID,
		CreatedAt: stampOf(i.CreatedAt), UpdatedAt: stampOf(i.UpdatedAt), Chunks: i.chunks,
	}
	if !i.SentAt.IsZero() {
		client := partyRecordOf(&i.Client)
		c.Client = &client
	}
	return c
}

func (c *invoiceCore) invoice(org, id uid.ID) storedInvoice {
	i := storedInvoice{chunks: c.Chunks, Invoice: billing.Invoice{
		ID: id, OrgID: org, Version: c.Version, Number: c.Number, Series: c.Series, Type: c.Type, Status: c.Status,
		CollectionMethod: c.Method, Currency: c.Currency,
		IssueDate: c.IssueDate.time(), DueDate: c.DueDate.time(), PaidDate: c.PaidDate.time(), SentAt: c.SentAt.time(),
		Subtotal: c.Subtotal, Discount: c.Discount, Tax: c.Tax, Total: c.Total, Paid: c.Paid, Payments: c.Payments,
		PartyID: c.Party, OwnerID: c.Owner, DocumentID: c.Document, BlueprintID: c.Blueprint,
		CreatedAt: c.CreatedAt.time(), UpdatedAt: c.UpdatedAt.time(),
	}}
	if c.Client != nil {
		i.Client = c.Client.party(org, c.Party)
	}
	return i
}

func detailOf(i *storedInvoice) invoiceDetail {
	var d invoiceDetail
	for _, l := range i.Lines {
		d.Lines = append(d.Lines, lineRecord(l))
	}
	for _, f := range i.Fields {
		d.Fields = append(d.Fields, fieldRecord(f))
	}
	return d
}

func (d *invoiceDetail) into(i *storedInvoice) {
	i.Lines = make([]billing.LineItem, len(d.Lines))
	for n, l := range d.Lines {
		i.Lines[n] = billing.LineItem(l)
	}
	i.Fields = make([]billing.Field, len(d.Fields))
	for n, f := range d.Fields {
		i.Fields[n] = billing.Field(f)
	}
}

const (
	// maxInline is the size of a detail up to which it follows the core, whose
	// own fields are bounded to less than the rest of a value.
	maxInline = 48 << 10
	// maxChunk is what a chunk holds.
	maxChunk = kv.MaxValue - envelopeHead
)

// putInvoice writes the record of i, its chunks in place of those it had, and its
// row.
func putInvoice(tx kv.Txn, i *storedInvoice) error {
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
	if err := tx.Put(key, sealBytes(key, famInvoice, append(core, detail...))); err != nil || i.Type != billing.Receivable {
		return err
	}
	return putRow(tx, &i.Invoice)
}

// putChunks writes i's chunks, and deletes those beyond them that it had.
func putChunks(tx kv.Txn, i *storedInvoice, chunks [][]byte) error {
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
func readInvoice(r kv.Reader, org, id uid.ID) (storedInvoice, error) {
	i, detail, err := readCore(r, org, id)
	if err != nil {
		return storedInvoice{}, err
	}
	if i.SentAt.IsZero() {
		i.Client, err = readParty(r, org, i.PartyID)
		if err = missing(err, "party", keyParty(org, i.PartyID)); err != nil {
			return storedInvoice{}, err
		}
	}
	return i, readDetail(r, &i, detail)
}

// readCore reads an invoice but for its lines and fields; ErrNotFound.
func readCore(r kv.Reader, org, id uid.ID) (i storedInvoice, follows []byte, err error) {
	key := keyInvoice(org, id)
	value, err := r.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		return storedInvoice{}, nil, ErrNotFound
	}
	if err != nil {
		return storedInvoice{}, nil, err
	}
	core, follows, err := openCore(key, value)
	return core.invoice(org, id), follows, err
}

func readDetail(r kv.Reader, i *storedInvoice, encoded []byte) error {
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

func readChunks(r kv.Reader, i *storedInvoice) ([]byte, error) {
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
func scanCores(r kv.Reader, org uid.ID, fn func(i *storedInvoice, follows []byte) error) error {
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
