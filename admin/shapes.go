package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"exante/auth"
	"exante/storage"
)

// The shapes that --json prints and the socket carries. APIKey repeats the
// shape that the HTTP API gives a key, so that a script may take either; a test
// compares the two field by field.

// APIKey is a key without its secret.
type APIKey struct {
	UID             string   `json:"uid"`
	Name            string   `json:"name"`
	KeySnippet      string   `json:"key_snippet"`
	UserUID         *string  `json:"user_uid"`
	OrganizationUID string   `json:"organization_uid"`
	Scopes          []string `json:"scopes"`
	LastUsedAt      *string  `json:"last_used_at"`
	ExpiresAt       *string  `json:"expires_at"`
	RevokedAt       *string  `json:"revoked_at"`
	CreatedAt       string   `json:"created_at"`
	UpdatedAt       string   `json:"updated_at"`
	State           string   `json:"state"`
	RotatedToUID    *string  `json:"rotated_to_uid"`
	RotatedFromUID  *string  `json:"rotated_from_uid"`
	RateLimits      []string `json:"rate_limits"`
	AllowedCIDRs    []string `json:"allowed_cidrs"`
	RetiresAt       *string  `json:"retires_at"`
}

// IdentifiedKey is a key whose secret was found somewhere.
type IdentifiedKey struct {
	APIKey
	OrganizationName string `json:"organization_name"`
	Owner            User   `json:"owner"`
	RevokedNow       bool   `json:"revoked_now"` // by the request
}

// NewKey is a key with its secret, which is shown this once.
type NewKey struct {
	APIKey
	Key secret `json:"key"`
}

// Organization is an organization as the shell shows it.
type Organization struct {
	UID       string `json:"uid"`
	Name      string `json:"name"`
	CreatedAt string `json:"created_at"`
	Currency  string `json:"currency"` // of new invoices that name none
}

// User is a user as the shell shows him.
type User struct {
	UID             string  `json:"uid"`
	OrganizationUID string  `json:"organization_uid"`
	Email           string  `json:"email"`
	Name            *string `json:"name"`
	Role            string  `json:"role"`
	HasPassword     bool    `json:"has_password"`
	DisabledAt      *string `json:"disabled_at"`
	CreatedAt       string  `json:"created_at"`
}

// BackupReport is what a backup is of.
type BackupReport struct {
	File          *string `json:"file"`  // null: a stream
	Bytes         int64   `json:"bytes"` // as it lies in the file
	Entries       uint64  `json:"entries"`
	DatabaseUID   string  `json:"database_uid"`
	Sequence      uint64  `json:"sequence"` // of the last change in it
	TakenAt       string  `json:"taken_at"`
	Encrypted     bool    `json:"encrypted"`
	Authenticated bool    `json:"authenticated"`
}

// RestoreReport is what a restore did, or would have done.
type RestoreReport struct {
	TakenAt         string      `json:"taken_at"`
	DatabaseUID     string      `json:"database_uid"`
	Sequence        uint64      `json:"sequence"`
	Entries         uint64      `json:"entries"`
	RecordsVerified int         `json:"records_verified"`
	KeysRevoked     int         `json:"keys_revoked"` // by --revoke-all-keys
	SessionsDropped int         `json:"sessions_dropped"`
	Seconds         json.Number `json:"seconds"` // with three decimals
	DryRun          bool        `json:"dry_run"`

	AuditLog *RestoreReplay `json:"audit_log"` // null: there was none
}

// RestoreReplay is what the audit copy says of the time after a backup: what was
// taken away then, and is again, and what is lost.
type RestoreReplay struct {
	File             string         `json:"file"`
	Until            *string        `json:"until"`        // time of its last record; null: it has none
	Behind           bool           `json:"behind"`       // it ends before the backup
	Torn             bool           `json:"torn"`         // it ends in the middle of a record
	KeysRevoked      int            `json:"keys_revoked"` // and rotated ones whose grace is over
	KeysRetiring     int            `json:"keys_retiring"`
	KeysNarrowed     int            `json:"keys_narrowed"`
	UsersDisabled    int            `json:"users_disabled"`
	RolesLowered     int            `json:"roles_lowered"`
	PasswordsCleared int            `json:"passwords_cleared"`
	OwnersKept       int            `json:"owners_kept"` // last ones: their passwords are cleared instead
	NotInBackup      map[string]int `json:"not_in_backup"`
}

// Session is a browser in which a user has signed in. Its uid opens nothing.
type Session struct {
	UID             string  `json:"uid"`
	UserUID         string  `json:"user_uid"`
	UserEmail       string  `json:"user_email"`
	OrganizationUID string  `json:"organization_uid"`
	CreatedAt       string  `json:"created_at"`
	LastSeenAt      string  `json:"last_seen_at"` // to the minute
	EndsAt          string  `json:"ends_at"`      // at the latest
	Address         *string `json:"address"`
	UserAgent       *string `json:"user_agent"`
}

// VerifyReport is what a verification saw.
type VerifyReport struct {
	Records  int             `json:"records"`
	Findings []VerifyFinding `json:"findings"`
}

// AuditRecord is one record of the audit log. The names are those of the audit
// copy, which leaves out what is null here.
type AuditRecord struct {
	Seq             uint64            `json:"seq"`
	At              string            `json:"at"`
	OrganizationUID *string           `json:"organization_uid"` // null: the instance
	Actor           AuditActor        `json:"actor"`
	Address         *string           `json:"address"`
	RequestID       *string           `json:"request_id"`
	Action          string            `json:"action"`
	TargetUID       *string           `json:"target_uid"`
	Outcome         string            `json:"outcome"`
	Detail          map[string]string `json:"detail"`
	Prev            string            `json:"prev"` // SHA-256, hex
	Hash            string            `json:"hash"`
}

// AuditActor is who did something.
type AuditActor struct {
	Kind     string  `json:"kind"` // key, user, shell or system
	KeyUID   *string `json:"key_uid"`
	UserUID  *string `json:"user_uid"`
	LocalUID *int    `json:"local_uid"`
}

// AuditReport is what a verification of the audit log saw.
type AuditReport struct {
	Records    int             `json:"records"`
	Copy       *string         `json:"copy"` // null: it was held against none
	Lines      int             `json:"lines"`
	Superseded int             `json:"superseded"`
	Findings   []VerifyFinding `json:"findings"`
}

// VerifyFinding is one broken promise inside the store.
type VerifyFinding struct {
	Key     string `json:"key"`
	Problem string `json:"problem"`
}

// secret is the text of a key or a password on its way to or from the operator.
// Formatting and logging redact it; Reveal and JSON, by which it is shown once and
// crosses the socket, do not.
type secret struct{ text string }

func (s secret) Reveal() string               { return s.text }
func (s secret) String() string               { return "[redacted]" }
func (s secret) Format(w fmt.State, _ rune)   { io.WriteString(w, s.String()) }
func (s secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s secret) MarshalText() ([]byte, error) { return []byte(s.text), nil }

func (s *secret) UnmarshalText(text []byte) error {
	s.text = string(text)
	return nil
}

// keyShape is k as it reads at now; limits are those that apply to it.
func keyShape(k *auth.Key, limits auth.Limits, lastUsed, now time.Time) APIKey {
	return APIKey{
		UID: k.ID.String(), Name: k.Name, KeySnippet: k.Snippet,
		UserUID: orNull(k.UserID.String()), OrganizationUID: k.OrgID.String(),
		Scopes: k.Scopes.Names(), LastUsedAt: whenever(lastUsed),
		ExpiresAt: whenever(k.ExpiresAt), RevokedAt: whenever(k.RevokedBy(now)),
		CreatedAt: instant(k.CreatedAt), UpdatedAt: instant(k.UpdatedAt), State: string(k.State(now)),
		RotatedToUID: orNull(k.RotatedTo.String()), RotatedFromUID: orNull(k.RotatedFrom.String()),
		RateLimits: windowTexts(limits), AllowedCIDRs: networkTexts(k.Networks),
		RetiresAt: whenever(k.RetiresAt),
	}
}

func orgShape(o storage.Organization) Organization {
	return Organization{UID: o.ID.String(), Name: o.Name, CreatedAt: instant(o.CreatedAt), Currency: string(o.Currency)}
}

func userShape(u storage.User) User {
	return User{
		UID: u.ID.String(), OrganizationUID: u.OrgID.String(), Email: u.Email, Name: orNull(u.Name),
		Role: string(u.Role), HasPassword: u.HasPassword(), DisabledAt: whenever(u.DisabledAt), CreatedAt: instant(u.CreatedAt),
	}
}

func findingShapes(findings []storage.Finding) []VerifyFinding {
	shapes := make([]VerifyFinding, len(findings))
	for i, f := range findings {
		shapes[i] = VerifyFinding(f)
	}
	return shapes
}

func sessionShape(n storage.Session, email string) Session {
	s := Session{
		UID: n.ID.String(), UserUID: n.UserID.String(), UserEmail: email, OrganizationUID: n.OrgID.String(),
		CreatedAt: instant(n.CreatedAt), LastSeenAt: instant(n.SeenAt), EndsAt: instant(n.EndsAt), UserAgent: orNull(n.UserAgent),
	}
	if n.Addr.IsValid() {
		s.Address = orNull(n.Addr.String())
	}
	return s
}

// instant is a time as the API writes it: UTC, whole seconds.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// whenever is instant, or null for the zero time, which means never.
func whenever(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(instant(t))
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func windowTexts(l auth.Limits) []string {
	texts := make([]string, len(l))
	for i, w := range l {
		texts[i] = w.String()
	}
	return texts
}

// networkTexts is null for "from anywhere": an empty list reads as "from nowhere".
func networkTexts(nets []netip.Prefix) []string {
	if len(nets) == 0 {
		return nil
	}
	texts := make([]string, len(nets))
	for i, n := range nets {
		texts[i] = n.String()
	}
	return texts
}
