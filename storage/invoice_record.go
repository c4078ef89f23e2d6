package storage

import (
	"exante/auth/uid"
)

// An invoice lies on disk as two CBOR items, one after the other: the core,
// which is all that lists show, and the detail. A detail that does not fit
// behind the core goes to chunks under keys of its own. So the core is always
// one small read, and an invoice of usual length is one read too.

// invoiceCore is what every reader needs. Its IDs are in the key.
type invoiceCore struct {
	Version   uint64           `cbor:"1,keyasint"`
	Number    string           `cbor:"2,keyasint,omitempty"`
	Series    uint64           `cbor:"3,keyasint,omitempty"`
	Type      InvoiceType      `cbor:"4,keyasint"`
	Status    Status           `cbor:"5,keyasint"`
	Method    CollectionMethod `cbor:"6,keyasint"`
	Currency  Currency         `cbor:"7,keyasint"`
	IssueDate stamp            `cbor:"8,keyasint"`
	DueDate   stamp            `cbor:"9,keyasint"`
	PaidDate  stamp            `cbor:"10,keyasint,omitempty"`
	SentAt    stamp            `cbor:"11,keyasint,omitempty"`
	Subtotal  Cents            `cbor:"12,keyasint,omitempty"`
	Discount  Cents            `cbor:"13,keyasint,omitempty"`
	Tax       Cents            `cbor:"14,keyasint,omitempty"`
	Total     Cents            `cbor:"15,keyasint,omitempty"`
	Paid      Cents            `cbor:"16,keyasint,omitempty"`
	Payments  int              `cbor:"17,keyasint,omitempty"`
	Party     uid.ID           `cbor:"18,keyasint"`
	Owner     uid.ID           `cbor:"19,keyasint"`
	Document  uid.ID           `cbor:"20,keyasint,omitzero"`
	Blueprint uid.ID           `cbor:"21,keyasint,omitzero"`
	Client    *partyRecord     `cbor:"22,keyasint,omitempty"` // from the first sending on
	CreatedAt stamp            `cbor:"23,keyasint"`
	UpdatedAt stamp            `cbor:"24,keyasint"`
	Chunks    uint16           `cbor:"25,keyasint,omitempty"` // that hold the detail; 0: it follows
}

// invoiceDetail is what the invoice itself shows beside the core.
type invoiceDetail struct {
	Lines  []lineRecord  `cbor:"1,keyasint,omitempty"`
	Fields []fieldRecord `cbor:"2,keyasint,omitempty"`
}

type lineRecord struct {
	ID        uid.ID      `cbor:"1,keyasint"`
	Type      ContextType `cbor:"2,keyasint"`
	TypeID    uid.ID      `cbor:"3,keyasint"`
	SKU       string      `cbor:"4,keyasint"`
	Quantity  Quantity    `cbor:"5,keyasint"`
	UnitPrice Cents       `cbor:"6,keyasint"`
	Total     Cents       `cbor:"7,keyasint"`
}

type fieldRecord struct {
	Key  string `cbor:"1,keyasint"`
	JSON []byte `cbor:"2,keyasint"`
}

func coreOf(i *Invoice) invoiceCore {
	c := invoiceCore{
		Version: i.Version, Number: i.Number, Series: i.series, Type: i.Type, Status: i.Status,
		Method: i.CollectionMethod, Currency: i.Currency,
		IssueDate: stampOf(i.IssueDate), DueDate: stampOf(i.DueDate), PaidDate: stampOf(i.PaidDate), SentAt: stampOf(i.SentAt),
		Subtotal: i.Subtotal, Discount: i.Discount, Tax: i.Tax, Total: i.Total, Paid: i.Paid, Payments: i.payments,
		Party: i.PartyID, Owner: i.OwnerID, Document: i.DocumentID, Blueprint: i.BlueprintID,
		CreatedAt: stampOf(i.CreatedAt), UpdatedAt: stampOf(i.UpdatedAt), Chunks: i.chunks,
	}
	if !i.SentAt.IsZero() {
		client := partyRecordOf(&i.Client)
		c.Client = &client
	}
	return c
}

func (c *invoiceCore) invoice(org, id uid.ID) Invoice {
	i := Invoice{
		ID: id, OrgID: org, Version: c.Version, Number: c.Number, series: c.Series, Type: c.Type, Status: c.Status,
		CollectionMethod: c.Method, Currency: c.Currency,
		IssueDate: c.IssueDate.time(), DueDate: c.DueDate.time(), PaidDate: c.PaidDate.time(), SentAt: c.SentAt.time(),
		Subtotal: c.Subtotal, Discount: c.Discount, Tax: c.Tax, Total: c.Total, Paid: c.Paid, payments: c.Payments,
		PartyID: c.Party, OwnerID: c.Owner, DocumentID: c.Document, BlueprintID: c.Blueprint,
		CreatedAt: c.CreatedAt.time(), UpdatedAt: c.UpdatedAt.time(), chunks: c.Chunks,
	}
	if c.Client != nil {
		i.Client = c.Client.party(org, c.Party)
	}
	return i
}

func detailOf(i *Invoice) invoiceDetail {
	var d invoiceDetail
	for _, l := range i.Lines {
		d.Lines = append(d.Lines, lineRecord(l))
	}
	for _, f := range i.Fields {
		d.Fields = append(d.Fields, fieldRecord(f))
	}
	return d
}

func (d *invoiceDetail) into(i *Invoice) {
	i.Lines = make([]LineItem, len(d.Lines))
	for n, l := range d.Lines {
		i.Lines[n] = LineItem(l)
	}
	i.Fields = make([]Field, len(d.Fields))
	for n, f := range d.Fields {
		i.Fields[n] = Field(f)
	}
}
