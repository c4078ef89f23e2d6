package admin

// InvoiceRef names an invoice.
type InvoiceRef struct {
	Org     string `json:"org"`     // "": of any for a uid, the only one for a number
	Invoice string `json:"invoice"` // uid or number
}

// PayRequest takes a payment on an invoice.
type PayRequest struct {
	InvoiceRef
	Amount      string `json:"amount"`       // in the invoice's currency, as people write it; "": see AmountCents
	AmountCents *int64 `json:"amount_cents"` // in its minor units
	PaidAt      string `json:"paid_at"`      // RFC 3339, a plain date, or "": now
	Reference   string `json:"reference"`
}

// InvoiceAnswer is an invoice after what was asked for.
type InvoiceAnswer struct {
	Invoice document `json:"invoice"`
	Payment document `json:"payment"` // that was taken; nil: none
}

// document is JSON as the HTTP API answers it. It crosses the socket as it is: bytes,
// which no encoder spells another way.
type document []byte
