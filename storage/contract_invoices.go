package storage

// CONTRACT STUBS. This file disappears: each part moves into the file named
// above it, with a body.

import (
	"context"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

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

// ---- invoice_change.go

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
