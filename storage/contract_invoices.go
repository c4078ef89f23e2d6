package storage

// CONTRACT STUBS. This file disappears: each part moves into the file named
// above it, with a body.

import (
	"context"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// ---- money.go

// Cents is an amount in minor units of its currency; |c| <= MaxCents.
type Cents int64

// MaxCents is 2^53-1: what every JSON client can hold.
const MaxCents Cents = 1<<53 - 1

// Currency is an ISO 4217 code, three upper-case letters.
type Currency string

// Quantity is a decimal of at most six places, in millionths.
type Quantity int64

// ---- party.go / parties.go

type Contact struct {
	ID                        uid.ID
	Name, Title, Email, Phone string
}

type Party struct {
	ID, OrgID            uid.ID
	Name                 string
	Address              string
	Contact              *Contact
	CreatedAt, UpdatedAt time.Time
	Version              uint64
}

// PartyPatch carries the fields sent; nil: unchanged. A pointer to "" clears.
type PartyPatch struct {
	Name    *string
	Address *string
	Contact **ContactDraft // pointer to nil clears
}

type ContactDraft struct{ Name, Title, Email, Phone string }

func (s *Store) CreateParty(ctx context.Context, by auth.Principal, p PartyPatch) (Party, error) {
	panic("todo")
}
func (s *Store) Party(ctx context.Context, org, id uid.ID) (Party, error) { panic("todo") }

// UpdateParty changes the fields sent. ifMatch 0: any version; else ErrConflict.
func (s *Store) UpdateParty(ctx context.Context, by auth.Principal, id uid.ID, p PartyPatch, ifMatch uint64) (Party, error) {
	panic("todo")
}

type PartyQuery struct {
	Search        string
	Sort          string // "name", "created_at"
	Desc          bool
	Page, PerPage int
}

func (s *Store) Parties(ctx context.Context, org uid.ID, q PartyQuery) (items []Party, total int, err error) {
	panic("todo")
}

// ---- invoice.go (pure rules)

type Status uint8

const (
	Draft Status = iota + 1
	Approved
	Scheduled
	Sent
	Overdue // computed, never stored
	PartiallyPaid
	Paid
	Disputed
	Void
	Cancelled
)

func (s Status) String() string              { panic("todo") } // "PARTIALLY_PAID"
func ParseStatus(text string) (Status, bool) { panic("todo") } // either case

type InvoiceType uint8

const (
	Receivable InvoiceType = iota + 1 // ACCOUNTS_RECEIVABLE
	Payable                           // ACCOUNTS_PAYABLE: stored, not listed
)

func (t InvoiceType) String() string                   { panic("todo") }
func ParseInvoiceType(text string) (InvoiceType, bool) { panic("todo") }

type CollectionMethod uint8

const (
	SendInvoice         CollectionMethod = iota + 1 // send_invoice
	ChargeAutomatically                             // charge_automatically
)

func (m CollectionMethod) String() string                        { panic("todo") }
func ParseCollectionMethod(text string) (CollectionMethod, bool) { panic("todo") }

type ContextType uint8

const (
	Product ContextType = iota + 1
	Discount
)

func (t ContextType) String() string                   { panic("todo") }
func ParseContextType(text string) (ContextType, bool) { panic("todo") }

// Field is one entry of invoice_fields, its value as compact JSON.
type Field struct {
	Key  string
	JSON []byte
}

type LineItem struct {
	ID        uid.ID
	Type      ContextType
	TypeID    uid.ID // the catalogue entry
	SKU       string
	Quantity  Quantity
	UnitPrice Cents
	Total     Cents // exact product, rounded half to even
}

type Invoice struct {
	ID, OrgID                                 uid.ID
	Version                                   uint64
	Number                                    string // "": none yet
	Type                                      InvoiceType
	Status                                    Status // as stored; see At
	CollectionMethod                          CollectionMethod
	Currency                                  Currency
	IssueDate, DueDate, PaidDate, SentAt      time.Time
	Subtotal, Discount, Tax, Total, Paid      Cents
	PartyID, OwnerID, DocumentID, BlueprintID uid.ID
	Fields                                    []Field
	Lines                                     []LineItem
	Client                                    Party // as it was when the invoice was sent; before that as it is now
	CreatedAt, UpdatedAt                      time.Time
}

// StatusAt is the status as it reads at now: OVERDUE is computed here and nowhere else.
func (i *Invoice) StatusAt(now time.Time) Status { panic("todo") }

// OverdueDays is 0 unless the invoice reads OVERDUE at now.
func (i *Invoice) OverdueDays(now time.Time) int { panic("todo") }

// Age is whole days since issue.
func (i *Invoice) Age(now time.Time) int { panic("todo") }

// Due and Remaining are amount_due and amount_remaining.
func (i *Invoice) Due() Cents       { panic("todo") }
func (i *Invoice) Remaining() Cents { panic("todo") }

// TrueUntil is when a field computed from the clock next changes (the next UTC midnight at the latest for age, …).
func (i *Invoice) TrueUntil(now time.Time) time.Time { panic("todo") }

// Actions are the available_actions at now.
func (i *Invoice) Actions(now time.Time) []string { panic("todo") }

// LinePatch carries the fields of a line item that were sent; nil: unchanged or default.
type LinePatch struct {
	ID        uid.ID // PUT
	Type      *ContextType
	SKU       *string
	Quantity  *Quantity
	UnitPrice *Cents
	Currency  *Currency
}

// InvoicePatch carries the fields that were sent; nil: default on creation, unchanged on update.
type InvoicePatch struct {
	PartyID          *uid.ID
	OwnerID          *uid.ID // creation only
	DocumentID       *uid.ID // pointer to zero clears
	BlueprintID      *uid.ID
	IssueDate        *time.Time
	DueDate          *time.Time
	PaidDate         *time.Time // update only
	Number           *string    // pointer to "" clears
	Status           *Status
	Currency         *Currency
	Type             *InvoiceType // creation only
	CollectionMethod *CollectionMethod
	Fields           *[]Field
	Tax              *Cents
	Lines            *[]LinePatch // creation only
}

// ---- invoices.go

func (s *Store) CreateInvoice(ctx context.Context, by auth.Principal, p InvoicePatch) (Invoice, error) {
	panic("todo")
}
func (s *Store) Invoice(ctx context.Context, org, id uid.ID) (Invoice, error) { panic("todo") }

// UpdateInvoice changes the fields sent, by the rules of api.md §4.3. ifMatch 0: any version.
func (s *Store) UpdateInvoice(ctx context.Context, by auth.Principal, id uid.ID, p InvoicePatch, ifMatch uint64) (Invoice, error) {
	panic("todo")
}

// Rendered is an encoded response body and the version it was made from.
type Rendered struct {
	Body    []byte // shared: read-only
	Version uint64
}

// RenderedInvoice answers from the cache while that is true at this instant, else reads the invoice, renders it and remembers the bytes.
func (s *Store) RenderedInvoice(ctx context.Context, org, id uid.ID, render func(inv *Invoice, now time.Time) ([]byte, error)) (Rendered, error) {
	panic("todo")
}

// ---- lineitems.go: each returns the lines written, and the invoice's new version

func (s *Store) AddLines(ctx context.Context, by auth.Principal, inv uid.ID, lines []LinePatch, ifMatch uint64) ([]LineItem, Invoice, error) {
	panic("todo")
}
func (s *Store) UpdateLines(ctx context.Context, by auth.Principal, inv uid.ID, lines []LinePatch, ifMatch uint64) ([]LineItem, Invoice, error) {
	panic("todo")
}
func (s *Store) DeleteLines(ctx context.Context, by auth.Principal, inv uid.ID, ids []uid.ID, ifMatch uint64) (Invoice, error) {
	panic("todo")
}

// ---- payments.go

type Payment struct {
	ID, InvoiceID uid.ID
	Amount        Cents
	PaidAt        time.Time
	Reference     string
	CreatedAt     time.Time
}

func (s *Store) RecordPayment(ctx context.Context, by auth.Principal, inv uid.ID, amount Cents, paidAt time.Time, reference string, ifMatch uint64) (Payment, Invoice, error) {
	panic("todo")
}
func (s *Store) Payments(ctx context.Context, org, inv uid.ID) ([]Payment, error) { panic("todo") }

// ---- listing.go

// InvoiceQuery selects, orders and pages. Zero fields do not filter. Ranges are inclusive.
type InvoiceQuery struct {
	Statuses           []Status // as read at now
	CollectionMethods  []CollectionMethod
	PartyIDs           []uid.ID
	Currencies         []Currency
	Number             string
	Issue, Due, PaidOn TimeRange
	Total              IntRange
	OverdueDays        IntRange
	UpdatedSince       time.Time
	Sort               InvoiceSort
	Desc               bool
	Page, PerPage      int
}
type TimeRange struct{ From, To time.Time }
type IntRange struct {
	From, To       int64
	HasFrom, HasTo bool
}
type InvoiceSort uint8

const (
	ByCreated InvoiceSort = iota
	ByUpdated
	ByIssueDate
	ByDueDate
	ByPaidDate
	ByNumber
	ByStatus
	ByTotal
	ByOverdueDays
)

// Invoices is one page of the receivable invoices that match, and how many match in all.
func (s *Store) Invoices(ctx context.Context, org uid.ID, q InvoiceQuery) (items []Invoice, total int, err error) {
	panic("todo")
}
