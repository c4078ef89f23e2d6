package storage

// CONTRACT STUBS. This file disappears: each part moves into the file named
// above it, with a body. Signatures here are what server and admin compile against.

import (
	"context"
	"net/netip"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// ---- orgs.go

// Organization owns everything else.
type Organization struct {
	ID        uid.ID
	Name      string
	Currency  Currency // default of stats and new invoices
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   uint64
}

// OrgDraft is a new organization and its owner, who has no password until set up.
type OrgDraft struct {
	Name       string // 1..200
	OwnerEmail string // "": owner@<org uid>.invalid
}

func (s *Store) CreateOrg(ctx context.Context, by auth.Principal, d OrgDraft) (Organization, User, error) {
	panic("todo")
}
func (s *Store) Org(ctx context.Context, org uid.ID) (Organization, error) { panic("todo") }
func (s *Store) Orgs(ctx context.Context) ([]Organization, error)          { panic("todo") } // by creation

// ---- users.go

// Role is what a user may do in the dashboard.
type Role string

// The roles.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Viewer Role = "viewer"
)

// User is a person of one organization. E-mail addresses are unique in the instance, lower case.
type User struct {
	ID, OrgID            uid.ID
	Email                string
	Name                 string
	Role                 Role
	DisabledAt           time.Time
	HasPassword          bool
	CreatedAt, UpdatedAt time.Time
	Version              uint64
}

type UserDraft struct {
	Email string // 3..254, one @
	Name  string // 0..200
	Role  Role   // "": viewer
}

func (s *Store) CreateUser(ctx context.Context, by auth.Principal, d UserDraft) (User, error) {
	panic("todo")
}
func (s *Store) Users(ctx context.Context, org uid.ID) ([]User, error) { panic("todo") } // by creation
func (s *Store) OwnerOf(ctx context.Context, org uid.ID) (User, error) { panic("todo") }

// ---- apikeys.go

// KeyDraft is a new API key as asked for.
type KeyDraft struct {
	Name      string // 1..200
	UserID    uid.ID // zero: by's user, else the organization's owner
	Scopes    auth.Scopes
	Networks  []netip.Prefix
	ExpiresAt time.Time   // zero: never
	Limits    auth.Limits // operators only: refused from a key (it inherits instead)
}

// CreateKey mints a key, checks that by may grant it (auth.Key.MayGrant when by.Key is set; limits are inherited from by.Key), hashes it
// and records it. The Token is the only copy of the secret.
func (s *Store) CreateKey(ctx context.Context, by auth.Principal, d KeyDraft) (auth.Key, auth.Token, error) {
	panic("todo")
}

// Key is one key of an organization; ErrNotFound.
func (s *Store) Key(org, id uid.ID) (*auth.Key, error) { panic("todo") }

// Keys are all keys of an organization, expired and revoked ones too, by creation.
func (s *Store) Keys(org uid.ID) []*auth.Key { panic("todo") }

// FindKey is for the shell, which is in no organization.
func (s *Store) FindKey(id uid.ID) (*auth.Key, error) { panic("todo") }

// RevokeKey ends a key now. Idempotent: the first revocation stands.
func (s *Store) RevokeKey(ctx context.Context, by auth.Principal, id uid.ID) (*auth.Key, error) {
	panic("todo")
}

// RotateKey makes a successor and retires the key after grace. ErrKeyNotActive.
func (s *Store) RotateKey(ctx context.Context, by auth.Principal, id uid.ID, grace time.Duration) (auth.Key, auth.Token, error) {
	panic("todo")
}

// ---- usage.go

// Activity is what a key did between two instants.
type Activity struct {
	Last    auth.LastUse
	Buckets []auth.Bucket // by hour ascending, only hours with requests
}

func (s *Store) Activity(ctx context.Context, org, key uid.ID, from, to time.Time) (Activity, error) {
	panic("todo")
}

// RecordUse and UpgradeHash implement auth.Ledger.
func (s *Store) RecordUse(ctx context.Context, uses []auth.Use) error { panic("todo") }
func (s *Store) UpgradeHash(ctx context.Context, key uid.ID, v uint64, h auth.Hash) error {
	panic("todo")
}

// ---- verify.go

// Finding is one broken promise inside the store.
type Finding struct{ Key, Problem string }

// Report is what Verify saw.
type Report struct {
	Records  int
	Findings []Finding // at most 100
}

// Verify reads everything and checks every invariant between keys. progress may be nil.
func (s *Store) Verify(ctx context.Context, progress func(done, total int)) (Report, error) {
	panic("todo")
}
