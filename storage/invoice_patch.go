package storage

import (
	"bytes"
	"encoding/json"
	"slices"
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
	defaultTerm   = 30       // days from issue to due date
	maxFields     = 100      // of an invoice
	maxFieldKey   = 200      // bytes of a key
	maxFieldBytes = 64 << 10 // keys and values of one invoice
	lastYear      = 9999     // RFC 3339 has four digits for it
)

// openOnceSent are the fields that change after an invoice was sent, beside its status.
var openOnceSent = []string{"due_date", "invoice_fields", "collection_method"}

// revision is an invoice in the course of a change by the rules, which need no store.
type revision struct {
	*Invoice
	now     time.Time
	numbers numberPattern
	isNew   bool

	changed   []string // fields
	refused   refusals
	locked    []string
	firstSent bool     // the store gives it a number, and keeps the client as it is now
	payment   *Payment // made by the change; the store gives it an ID
}

// begin gives a new draft its defaults, and what only a creation takes.
func (r *revision) begin(p *InvoicePatch) {
	r.IssueDate = r.now.Truncate(time.Second)
	if p.Type != nil {
		set(r, "invoice_type", &r.Type, p.Type, named)
	}
	if p.PartyID == nil || p.PartyID.IsZero() {
		r.refused.add("target_party_uid", "is required")
	}
	if p.PaidDate != nil {
		r.refused.add("paid_date", "is taken on update alone")
	}
}

// refuseCreationOnly refuses what an invoice has from its creation on.
func (r *revision) refuseCreationOnly(p *InvoicePatch) {
	for name, sent := range map[string]bool{
		"owner_uid": p.OwnerID != nil, "invoice_type": p.Type != nil, "line_items": p.Lines != nil,
	} {
		if sent {
			r.refused.add(name, "is taken on creation alone")
		}
	}
}

// apply gives the fields sent their values. What is refused is in r.err.
func (r *revision) apply(p *InvoicePatch) {
	set(r, "target_party_uid", &r.PartyID, p.PartyID, required)
	set(r, "document_uid", &r.DocumentID, p.DocumentID, nil)
	set(r, "invoice_blueprint_uid", &r.BlueprintID, p.BlueprintID, nil)
	set(r, "issue_date", &r.IssueDate, wholeSeconds(p.IssueDate), validDate)
	if r.isNew {
		r.DueDate = r.IssueDate.AddDate(0, 0, defaultTerm)
	}
	set(r, "due_date", &r.DueDate, wholeSeconds(p.DueDate), validDate)
	set(r, "currency", &r.Currency, p.Currency, validCurrency)
	set(r, "collection_method", &r.CollectionMethod, p.CollectionMethod, named)
	set(r, "tax_cents", &r.Tax, p.Tax, validAmount)
	r.applyNumber(p.Number)
	r.applyCustom(p.Fields)
}

// set changes one field, unless it has that value already: that is no change,
// and allowed whatever the status. valid returns the reason against a value.
func set[T comparable](r *revision, name string, field, sent *T, valid func(T) string) {
	if sent == nil || *sent == *field || r.isLocked(name) {
		return
	}
	if valid != nil {
		if reason := valid(*sent); reason != "" {
			r.refused.add(name, reason)
			return
		}
	}
	*field = *sent
	r.change(name)
}

// change notes a field that changed.
func (r *revision) change(name string) {
	if !slices.Contains(r.changed, name) {
		r.changed = append(r.changed, name)
	}
}

// isLocked notes and reports a field that no longer changes.
func (r *revision) isLocked(name string) bool {
	if r.Status.unsent() || slices.Contains(openOnceSent, name) {
		return false
	}
	r.locked = append(r.locked, name)
	return true
}

func (r *revision) applyNumber(sent *string) {
	if sent == nil || *sent == r.Number {
		return
	}
	number := *sent
	if number != "" {
		number = r.refused.text("invoice_number", number, 1, maxNumber)
	}
	set(r, "invoice_number", &r.Number, &number, func(n string) string {
		if r.numbers.matches(n) {
			return "is of the form that is kept for numbers given by the server"
		}
		return ""
	})
}

func (r *revision) applyCustom(sent *[]Field) {
	if sent == nil || slices.EqualFunc(*sent, r.Fields, func(a, b Field) bool {
		return a.Key == b.Key && bytes.Equal(a.JSON, b.JSON)
	}) {
		return
	}
	if reason := validFields(*sent); reason != "" {
		r.refused.add("invoice_fields", reason)
		return
	}
	r.Fields = *sent
	r.change("invoice_fields")
}

// err is what stands against the change so far: a LockedError or an InvalidError.
func (r *revision) err() error {
	if len(r.locked) > 0 {
		return &LockedError{r.locked}
	}
	switch {
	case len(r.refused) > 0:
	case dayOf(r.DueDate) < dayOf(r.IssueDate):
		r.refused.add("due_date", "is before issue_date")
	case r.DueDate.Year() > lastYear: // by the default term
		r.refused.add("due_date", "must be in the years 1 to 9999")
	}
	return r.refused.err()
}

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
	if c < 0 || c > MaxCents {
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
