package admin

import (
	"context"
	"io"
)

// Ops is everything an operator can ask of a store. Local does it, Remote sends
// it to a server that does it; what comes back is the same, errors included.
//
// Uids arrive as text: one that is malformed names nothing, so it is answered
// like one that is absent. An empty org means every organization in a list and
// the only one elsewhere (errWhichOrg if there are several).
type Ops interface {
	// CreateKey makes a key. In a store without organizations it first makes
	// the default one, with its owner. The answer has the only copy of the secret.
	CreateKey(ctx context.Context, in KeyRequest) (NewKey, error)
	// RotateKey makes a successor; the old key works on for the days of grace.
	RotateKey(ctx context.Context, in RotateRequest) (NewKey, error)
	// RevokeKey ends a key now. The first revocation stands.
	RevokeKey(ctx context.Context, in KeyRef) (APIKey, error)
	APIKey(ctx context.Context, in KeyRef) (APIKey, error)
	APIKeys(ctx context.Context, in OrgRef) ([]APIKey, error)

	CreateOrg(ctx context.Context, in OrgRequest) (Organization, error)
	Orgs(ctx context.Context) ([]Organization, error)

	CreateUser(ctx context.Context, in UserRequest) (User, error)
	Users(ctx context.Context, in OrgRef) ([]User, error)

	// ImportInvoices takes the invoices of a file into an organization, batch by
	// batch, and goes on where an earlier run of the same import was interrupted.
	// refused is told of each line that was refused, in order. After an error what
	// was imported until then stays. progress, in bytes, may be nil.
	ImportInvoices(ctx context.Context, in ImportRequest, file io.Reader, refused func(RefusedLine) error, progress Progress) (ImportReport, error)
	// ExportInvoices writes every invoice that matches to out. Without an error it
	// is all of them. progress, in invoices, may be nil.
	ExportInvoices(ctx context.Context, in ExportRequest, out io.Writer, progress Progress) (ExportReport, error)

	// Backup writes all of the store, as it is at one instant, to out. After an
	// error what was written is no backup. progress, in entries, may be nil.
	Backup(ctx context.Context, out io.Writer, progress Progress) (BackupReport, error)

	// Verify checks every invariant of the store. Findings are in the report
	// and no error. progress may be nil.
	Verify(ctx context.Context, progress Progress) (VerifyReport, error)
}

// Progress is told how far a long operation is.
type Progress func(done, total int)

// KeyRef and OrgRef name a record by its uid.
type (
	KeyRef struct {
		UID string `json:"uid"`
	}
	OrgRef struct {
		Org string `json:"org"`
	}
)

// KeyRequest asks for a key. Zero values mean what the flags of `keys create`
// mean when they are absent.
type KeyRequest struct {
	Name          string   `json:"name"`
	Org           string   `json:"org"`
	User          string   `json:"user"`   // "": the organization's owner
	Scopes        []string `json:"scopes"` // nil: full access
	Networks      []string `json:"allowed_cidrs"`
	ExpiresInDays *int     `json:"expires_in_days"` // nil: see ExpiresAt
	ExpiresAt     string   `json:"expires_at"`      // RFC 3339, a plain date, "never", or "": as configured
	RateLimit     string   `json:"rate_limit"`      // "": as configured
}

// RotateRequest asks for a key's successor.
type RotateRequest struct {
	UID       string `json:"uid"`
	GraceDays int    `json:"grace_days"` // 0..30
}

// OrgRequest asks for an organization and its owner.
type OrgRequest struct {
	Name       string `json:"name"`
	OwnerEmail string `json:"owner_email"` // "": a placeholder until he is set up
}

// UserRequest asks for a user of an organization.
type UserRequest struct {
	Org   string `json:"org"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"` // "": viewer
}
