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
	APIKeys(ctx context.Context, in KeysRequest) ([]JudgedKey, error)

	// SetKey changes what is given of a key that has not ended.
	SetKey(ctx context.Context, in KeyChange) (APIKey, error)
	// IdentifyKeys says whose keys these are, leaving out those that are none of ours,
	// and with Revoke ends them.
	IdentifyKeys(ctx context.Context, in IdentifyRequest) ([]IdentifiedKey, error)

	CreateOrg(ctx context.Context, in OrgRequest) (Organization, error)
	Orgs(ctx context.Context) ([]Organization, error)
	// SetOrg changes what is given of an organization.
	SetOrg(ctx context.Context, in OrgChange) (Organization, error)

	// CreateUser makes a user and the link with which he chooses his password, if
	// there is a dashboard to do so in.
	CreateUser(ctx context.Context, in UserRequest) (NewUser, error)
	Users(ctx context.Context, in OrgRef) ([]User, error)

	// DisableUser ends a user's sessions and suspends his keys; EnableUser lets him
	// back in, and those of his keys that have not ended meanwhile.
	DisableUser(ctx context.Context, in UserRef) (User, error)
	EnableUser(ctx context.Context, in UserRef) (User, error)
	// SetRole and SetPassword end a user's sessions.
	SetRole(ctx context.Context, in RoleRequest) (User, error)
	SetPassword(ctx context.Context, in PasswordRequest) (User, error)
	// LinkUser makes such a link for a user, in place of the one that he has. What he
	// has until he uses it stays: password and sessions.
	LinkUser(ctx context.Context, in UserRef) (NewUser, error)

	// Sessions are those that are not over.
	Sessions(ctx context.Context, in SessionsRef) ([]Session, error)
	EndSession(ctx context.Context, in SessionRef) (Session, error)
	// EndSessions ends all of a user and returns those that it knew of.
	EndSessions(ctx context.Context, in UserRef) ([]Session, error)

	// The four of one invoice answer what the HTTP API does.
	Invoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error)
	SendInvoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error)
	VoidInvoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error)
	PayInvoice(ctx context.Context, in PayRequest) (InvoiceAnswer, error)

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

	// AuditRecords lists records of the audit log, the newest first unless it is
	// asked otherwise.
	AuditRecords(ctx context.Context, in AuditRequest) ([]AuditRecord, error)
	// VerifyAudit checks the audit chain from its first record and holds it against
	// its copy. Findings are in the report and no error. progress may be nil.
	VerifyAudit(ctx context.Context, in AuditCheck, progress Progress) (AuditReport, error)

	// Verify checks every invariant of the store. Findings are in the report
	// and no error. progress may be nil.
	Verify(ctx context.Context, progress Progress) (VerifyReport, error)
}

// Progress is told how far a long operation is.
type Progress func(done, total int)

// UserRef names a user by uid or e-mail address; the others name a record by its uid.
type (
	UserRef struct {
		User string `json:"user"`
	}
	SessionRef struct {
		UID string `json:"uid"`
	}
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
	User          string   `json:"user"`   // uid or e-mail address; "": the organization's owner
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

// KeyChange changes an API key; nil, and no end, leave what it is about as it is.
type KeyChange struct {
	UID           string    `json:"uid"`
	Name          *string   `json:"name"`
	Scopes        *[]string `json:"scopes"`          // within what it holds
	ExpiresInDays *int      `json:"expires_in_days"` // from now; no later than it ends already
	ExpiresAt     string    `json:"expires_at"`      // RFC 3339, a plain date, or "never"; "": as it is
	RateLimit     *string   `json:"rate_limit"`      // "default": as configured
	Networks      *[]string `json:"allowed_cidrs"`   // none: from anywhere
}

// IdentifyRequest asks whose keys these are.
type IdentifyRequest struct {
	Keys   []secret `json:"keys"` // at most maxIdentify
	Revoke bool     `json:"revoke"`
}

// OrgRequest asks for an organization and its owner.
type OrgRequest struct {
	Name       string `json:"name"`
	OwnerEmail string `json:"owner_email"` // "": a placeholder until he is set up
}

// OrgChange changes an organization; nil leaves a field as it is.
type OrgChange struct {
	Org      string  `json:"org"`
	Name     *string `json:"name"`
	Currency *string `json:"currency"` // ISO 4217, in either case
}

// UserRequest asks for a user of an organization.
type UserRequest struct {
	Org   string `json:"org"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"` // "": viewer
}

// AuditRequest asks for records of the audit log. Zero values mean what the flags
// of `audit list` mean when they are absent.
type AuditRequest struct {
	Org         string `json:"org"`
	Key         string `json:"key"`
	User        string `json:"user"`
	Action      string `json:"action"`
	Since       string `json:"since"` // RFC 3339 or a plain date
	Until       string `json:"until"`
	Limit       int    `json:"limit"` // 1..10000; 0: 100
	OldestFirst bool   `json:"oldest_first"`
}

// AuditCheck asks for a verification of the audit log.
type AuditCheck struct {
	Copy string `json:"copy"` // absolute path of the copy; "": the one that is configured
}

// RoleRequest gives a user a role.
type RoleRequest struct {
	User string `json:"user"` // uid or e-mail address
	Role string `json:"role"`
}

// PasswordRequest gives a user a password.
type PasswordRequest struct {
	User     string `json:"user"` // uid or e-mail address
	Password secret `json:"password"`
}

// SessionsRef selects sessions.
type SessionsRef struct {
	Org  string `json:"org"`  // "": of every organization
	User string `json:"user"` // uid or e-mail address; "": of every user
}
