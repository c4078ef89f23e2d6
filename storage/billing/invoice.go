package billing

import (
	"time"

	"exante/auth/uid"
)

// InvoiceType says who owes whom.
type InvoiceType uint8

// The types. The numbers are on disk.
const (
	Receivable InvoiceType = iota + 1
	Payable                // stored, and answered by its uid; in no list
)

var invoiceTypeNames = []string{Receivable: "ACCOUNTS_RECEIVABLE", Payable: "ACCOUNTS_PAYABLE"}

// String is the name on the wire: "ACCOUNTS_RECEIVABLE".
func (t InvoiceType) String() string { return nameOf(invoiceTypeNames, t) }

// ParseInvoiceType reads a name, upper case.
func ParseInvoiceType(text string) (InvoiceType, bool) {
	return codeOf[InvoiceType](invoiceTypeNames, text)
}

// CollectionMethod says how an invoice gets paid.
type CollectionMethod uint8

// The methods. The numbers are on disk.
const (
	SendInvoice CollectionMethod = iota + 1
	ChargeAutomatically
)

var collectionMethodNames = []string{SendInvoice: "send_invoice", ChargeAutomatically: "charge_automatically"}

// String is the name on the wire: "send_invoice".
func (m CollectionMethod) String() string { return nameOf(collectionMethodNames, m) }

// ParseCollectionMethod reads a name, lower case.
func ParseCollectionMethod(text string) (CollectionMethod, bool) {
	return codeOf[CollectionMethod](collectionMethodNames, text)
}

// ContextType says whether a line adds or takes off.
type ContextType uint8

// The context types. The numbers are on disk.
const (
	Product ContextType = iota + 1
	Discount
)

var contextTypeNames = []string{Product: "PRODUCT", Discount: "DISCOUNT"}

// String is the name on the wire: "PRODUCT".
func (t ContextType) String() string { return nameOf(contextTypeNames, t) }

// ParseContextType reads a name, upper case.
func ParseContextType(text string) (ContextType, bool) {
	return codeOf[ContextType](contextTypeNames, text)
}

// Field is one entry of invoice_fields, its value as compact JSON.
type Field struct {
	Key  string
	JSON []byte
}

// Invoice is one invoice with its lines. A zero time means "not yet", a zero ID "none".
type Invoice struct {
	ID, OrgID uid.ID
	Version   uint64 // grows with every change, of lines and payments too
	Number    string // "": none yet
	Type      InvoiceType
	Status    Status // as stored; StatusAt is what it reads

	CollectionMethod CollectionMethod
	Currency         Currency

	IssueDate, DueDate, PaidDate time.Time // whole seconds
	SentAt                       time.Time // first sent

	Subtotal, Discount, Tax, Total, Paid Cents

	PartyID, OwnerID, DocumentID, BlueprintID uid.ID

	Fields []Field
	Lines  []LineItem
	Client Party // as it was when the invoice was first sent; before that as it is now

	CreatedAt, UpdatedAt time.Time

	Series   uint64 // place in the organization's number series; 0: the client's own number, or none
	Payments int    // how many are recorded
}

// NewInvoice is a draft that nothing has been said of yet, made at now.
func NewInvoice(org, id uid.ID, c Currency, now time.Time) Invoice {
	return Invoice{
		ID: id, OrgID: org, Type: Receivable, Status: Draft, CollectionMethod: SendInvoice,
		Currency: c, CreatedAt: now,
	}
}

// StatusAt is the status as it reads at now. A SENT or PARTIALLY_PAID invoice
// reads OVERDUE on every UTC day after that of its due date.
func (i *Invoice) StatusAt(now time.Time) Status {
	if i.Status.FallsDue() && dayOf(now) > dayOf(i.DueDate) {
		return Overdue
	}
	return i.Status
}

// OverdueDays are the days from the due date to now, by UTC date; 0 unless the
// invoice reads OVERDUE.
func (i *Invoice) OverdueDays(now time.Time) int {
	if i.StatusAt(now) != Overdue {
		return 0
	}
	return int(dayOf(now) - dayOf(i.DueDate))
}

// Age is the number of whole days (24 h) since issue; 0 before it.
func (i *Invoice) Age(now time.Time) int {
	return max(0, int((now.Unix()-i.IssueDate.Unix())/daySeconds))
}

// Due is what is asked for: the total less credit notes, which there are none of.
func (i *Invoice) Due() Cents { return i.Total }

// Remaining is what is due and not yet paid.
func (i *Invoice) Remaining() Cents { return i.Due() - i.Paid }

// TrueUntil is the instant at which one of StatusAt, OverdueDays and Age next changes.
func (i *Invoice) TrueUntil(now time.Time) time.Time {
	older := i.IssueDate.UTC().AddDate(0, 0, i.Age(now)+1)
	if !i.Status.FallsDue() {
		return older
	}
	later := midnightAfter(now)
	if i.StatusAt(now) != Overdue {
		later = midnightAfter(i.DueDate)
	}
	if later.Before(older) {
		return later
	}
	return older
}

// Actions are the available_actions: the statuses that the invoice may be given
// now, and DELETE for a draft.
func (i *Invoice) Actions() []string {
	actions := []string{}
	for _, to := range moves[i.Status] {
		if i.mayBecome(to) {
			actions = append(actions, to.String())
		}
	}
	if i.Deletable() {
		actions = append(actions, "DELETE")
	}
	return actions
}

// Deletable reports whether the invoice may be deleted: a draft, which nobody was
// sent.
func (i *Invoice) Deletable() bool { return i.Status == Draft }

// mayBecome applies the table of moves, and that PARTIALLY_PAID must be true.
func (i *Invoice) mayBecome(to Status) bool {
	for _, s := range moves[i.Status] {
		if s == to {
			return to != PartiallyPaid || 0 < i.Paid && i.Paid < i.Total
		}
	}
	return false
}

const daySeconds = 24 * 60 * 60

// dayOf numbers the UTC dates.
func dayOf(t time.Time) int64 {
	seconds := t.Unix()
	n := seconds / daySeconds
	if seconds%daySeconds < 0 {
		n--
	}
	return n
}

// midnightAfter is the end of t's UTC date.
func midnightAfter(t time.Time) time.Time {
	return t.UTC().Truncate(daySeconds*time.Second).AddDate(0, 0, 1)
}
