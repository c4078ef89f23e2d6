package billing

import (
	"encoding/json"
	"strconv"
	"time"

	"exante/auth/uid"
)

// InvoicePatch carries the fields that were sent; nil: default on creation, unchanged on update.
type InvoicePatch struct {
	PartyID          *uid.ID // must exist
	OwnerID          *uid.ID // creation only; default: the user who acts, else the organization's owner
	DocumentID       *uid.ID // pointer to zero clears
	BlueprintID      *uid.ID // pointer to zero clears
	IssueDate        *time.Time
	DueDate          *time.Time // default: 30 days after issue; its UTC date not before that of issue
	PaidDate         *time.Time // update only, with the status PAID: when the remainder was paid; zero: now
	Number           *string    // pointer to "" clears
	Status           *Status
	Currency         *Currency
	Type             *InvoiceType // creation only
	CollectionMethod *CollectionMethod
	Fields           *[]Field // replaces all
	Tax              *Cents
	Lines            *[]LinePatch // creation only
}

const (
	maxFields     = 100      // of an invoice
	maxFieldKey   = 200      // bytes of a key
	maxFieldBytes = 64 << 10 // keys and values of one invoice
	lastYear      = 9999     // RFC 3339 has four digits for it
)

func wholeSeconds(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	whole := t.UTC().Truncate(time.Second)
	return &whole
}

func required(id uid.ID) string {
	if id.IsZero() {
		return "is required"
	}
	return ""
}

func validDate(t time.Time) string {
	switch {
	case t.IsZero():
		return "can't be cleared"
	case t.Year() < 1 || t.Year() > lastYear:
		return "must be in the years 1 to 9999"
	}
	return ""
}

func validCurrency(c Currency) string {
	if _, ok := ParseCurrency(string(c)); !ok {
		return "is no active ISO 4217 code"
	}
	return ""
}

func named[T interface{ String() string }](v T) string {
	if v.String() == "" {
		return "is not known"
	}
	return ""
}

func validAmount(c Cents) string {
	if !c.Valid() {
		return "must be 0 to " + strconv.FormatInt(int64(MaxCents), 10)
	}
	return ""
}

func validFields(fields []Field) string {
	if len(fields) > maxFields {
		return "has more than 100 keys"
	}
	seen, size := make(map[string]bool, len(fields)), 0
	for _, f := range fields {
		switch size += len(f.Key) + len(f.JSON); {
		case len(f.Key) > maxFieldKey:
			return "has a key of more than 200 bytes"
		case seen[f.Key]:
			return "has a key twice"
		case !json.Valid(f.JSON):
			return "has a value that is no JSON"
		}
		seen[f.Key] = true
	}
	if size > maxFieldBytes {
		return "is larger than 64 KiB"
	}
	return ""
}
