package billing

import (
	"bytes"
	"slices"
	"time"

	"exante/storage/input"
)

// defaultTerm is the number of days from issue to due date.
const defaultTerm = 30

// openOnceSent are the fields that change after an invoice was sent, beside its status.
var openOnceSent = []string{"due_date", "invoice_fields", "collection_method"}

// Revision is an invoice in the course of a change by the rules. What is refused
// along the way is gathered: Err says whether the change may stand.
type Revision struct {
	*Invoice
	Refused input.Refusals
	Payment *Payment // made by the change, without an ID

	now     time.Time
	numbers NumberPattern
	isNew   bool

	changed   []string // fields
	locked    []string
	firstSent bool // from now on the client stays as it is now
}

// Begin is the revision that makes i, a new draft, what p asks for: its defaults,
// and what only a creation takes.
func Begin(i *Invoice, p *InvoicePatch, now time.Time, numbers NumberPattern) *Revision {
	r := Revise(i, now, numbers)
	r.isNew = true
	r.IssueDate = r.now.Truncate(time.Second)
	if p.Type != nil {
		set(r, "invoice_type", &r.Type, p.Type, named)
	}
	if p.PartyID == nil || p.PartyID.IsZero() {
		r.Refused.Add("target_party_uid", "is required")
	}
	if p.PaidDate != nil {
		r.Refused.Add("paid_date", "is taken on update alone")
	}
	return r
}

// Revise is a revision of i at now that has changed nothing yet. Numbers of the
// form of numbers are the server's to give.
func Revise(i *Invoice, now time.Time, numbers NumberPattern) *Revision {
	return &Revision{Invoice: i, now: now, numbers: numbers}
}

// refuseCreationOnly refuses what an invoice has from its creation on.
func (r *Revision) refuseCreationOnly(p *InvoicePatch) {
	for name, sent := range map[string]bool{
		"owner_uid": p.OwnerID != nil, "invoice_type": p.Type != nil, "line_items": p.Lines != nil,
	} {
		if sent {
			r.Refused.Add(name, "is taken on creation alone")
		}
	}
}

// Apply gives the fields sent their values, but for the owner, the lines and the
// status. What is refused is in Err.
func (r *Revision) Apply(p *InvoicePatch) {
	if !r.isNew {
		r.refuseCreationOnly(p)
	}
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
func set[T comparable](r *Revision, name string, field, sent *T, valid func(T) string) {
	if sent == nil || *sent == *field || r.isLocked(name) {
		return
	}
	if valid != nil {
		if reason := valid(*sent); reason != "" {
			r.Refused.Add(name, reason)
			return
		}
	}
	*field = *sent
	r.change(name)
}

// change notes a field that changed.
func (r *Revision) change(name string) {
	if !slices.Contains(r.changed, name) {
		r.changed = append(r.changed, name)
	}
}

// Changed are the fields that changed, in the order they did.
func (r *Revision) Changed() []string { return r.changed }

// isLocked notes and reports a field that no longer changes.
func (r *Revision) isLocked(name string) bool {
	if r.Status.unsent() || slices.Contains(openOnceSent, name) {
		return false
	}
	r.locked = append(r.locked, name)
	return true
}

func (r *Revision) applyNumber(sent *string) {
	if sent == nil || *sent == r.Number {
		return
	}
	number := *sent
	if number != "" {
		number = r.Refused.Text("invoice_number", number, 1, MaxNumber)
	}
	set(r, "invoice_number", &r.Number, &number, func(n string) string {
		if r.numbers.Matches(n) {
			return "is of the form that is kept for numbers given by the server"
		}
		return ""
	})
}

func (r *Revision) applyCustom(sent *[]Field) {
	if sent == nil || slices.EqualFunc(*sent, r.Fields, func(a, b Field) bool {
		return a.Key == b.Key && bytes.Equal(a.JSON, b.JSON)
	}) {
		return
	}
	if reason := validFields(*sent); reason != "" {
		r.Refused.Add("invoice_fields", reason)
		return
	}
	r.Fields = *sent
	r.change("invoice_fields")
}

// Err is what stands against the change so far: a *LockedError or an *input.InvalidError.
func (r *Revision) Err() error {
	if len(r.locked) > 0 {
		return &LockedError{r.locked}
	}
	switch {
	case len(r.Refused) > 0:
	case dayOf(r.DueDate) < dayOf(r.IssueDate):
		r.Refused.Add("due_date", "is before issue_date")
	case r.DueDate.Year() > lastYear: // by the default term
		r.Refused.Add("due_date", "must be in the years 1 to 9999")
	}
	return r.Refused.Err()
}
