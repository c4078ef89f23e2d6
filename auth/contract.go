package auth

// CONTRACT STUBS. This file disappears: each part moves into the file named
// above it, with a body. Signatures here are what storage, server and admin
// compile against.

import (
	"context"
	"net/netip"
	"time"

	"exante/auth/uid"
)

// ---- keyring.go

// Keyring holds every key of the instance in memory: the live records that
// each request is judged by. The store fills it at start and updates it after
// a commit and before the acknowledgement.
type Keyring struct{}

func NewKeyring() *Keyring                    { panic("todo") }
func (r *Keyring) Put(k Key)                  { panic("todo") } // add or replace by k.ID; keeps the key's usage and meters
func (r *Keyring) Get(id uid.ID) (*Key, bool) { panic("todo") } // the current immutable record
func (r *Keyring) Of(org uid.ID) []*Key       { panic("todo") } // all keys of an organization, by ID (creation) ascending
func (r *Keyring) Len() int                   { panic("todo") }
func (r *Keyring) Restore(u Use)              { panic("todo") } // at start, after Put: what RecordUse saved earlier
func (r *Keyring) LastUse(id uid.ID) LastUse  { panic("todo") } // from memory, never stale
func (r *Keyring) Buckets(id uid.ID) []Bucket { panic("todo") } // hours held in memory: absolute counts that replace the stored ones

// ---- usage.go

// LastUse is the latest accepted request of a key.
type LastUse struct {
	At        time.Time
	Addr      netip.Addr
	UserAgent string // at most 256 bytes, valid UTF-8, no control characters
}

// Bucket counts one hour of a key's requests by outcome. Requests counts all of them.
type Bucket struct {
	Hour                                                         time.Time
	Requests, Unauthorized, Forbidden, RateLimited, ServerErrors uint64
}

// MeterState is one window's durable state: what is known to be used, and the lease.
type MeterState struct {
	Window   Window
	Cells    []Cell // non-empty cells only
	Leased   int64  // may have been admitted after Cells was taken, until LeaseEnd
	LeaseEnd time.Time
}

// Cell counts the requests admitted in the cell of 1/64 window that has this index since the Unix epoch.
type Cell struct{ Index, Count int64 }

// Use is what a Ledger keeps for one key. nil slices and a zero Last mean "unchanged".
type Use struct {
	KeyID, OrgID uid.ID
	Meters       []MeterState
	Buckets      []Bucket // absolute counts, replacing the stored ones of the same hour
	Last         LastUse
}

// Ledger is the store as the authenticator sees it.
type Ledger interface {
	// RecordUse makes uses durable; when it returns nil a crash no longer loses them.
	RecordUse(ctx context.Context, uses []Use) error
	// UpgradeHash replaces a key's hash if its record still has version v.
	UpgradeHash(ctx context.Context, key uid.ID, v uint64, h Hash) error
}

// ---- authenticator.go

type AuthenticatorOptions struct {
	Environment Environment
	Keyring     *Keyring
	Hasher      *Hasher
	Ledger      Ledger        // nil: nothing is kept (tests, benchmarks)
	Limits      Limits        // for keys without limits of their own
	Failures    Limits        // per address: 401s and 403s
	CacheSize   int           // verified tokens remembered; 0: 65536
	FlushEvery  time.Duration // usage flush; 0: 5s
	Now         func() time.Time
}

type Authenticator struct{}

func NewAuthenticator(AuthenticatorOptions) (*Authenticator, error) { panic("todo") }

// Request is what a caller presents. Token and UserAgent are only read during the call.
type Request struct {
	Token     []byte
	Addr      netip.Addr
	UserAgent []byte
	Scope     Scope
}

// Admission is the outcome for a caller who proved to hold Key. It is returned
// beside ErrScope, ErrNetwork, *LimitError, ErrExpired and ErrRevoked too.
type Admission struct {
	Key      *Key // nil: not proven
	Decision Decision
}

// Decision is the limiter's word on one request, for the window that is tightest.
type Decision struct {
	Limits     Limits // the windows that apply
	Tightest   Window
	Remaining  int64         // requests left in it, this one counted
	Reset      time.Duration // until more are left
	RetryAfter time.Duration // refused: the exact wait; 0: admitted
}

// Admit authenticates, then checks network, scope and limits, in that order, and charges.
func (a *Authenticator) Admit(ctx context.Context, r Request) (Admission, error) { panic("todo") }

// Failed counts a request that was refused before or outside Admit against addr's failure budget.
// It returns nil, or a *LimitError once the budget is used up.
func (a *Authenticator) Failed(addr netip.Addr) error { panic("todo") }

// Finish records the outcome of an admitted request (counts server errors).
func (a *Authenticator) Finish(ad Admission, status int) { panic("todo") }

// LimitsOf are the windows that apply to k: its own or the default.
func (a *Authenticator) LimitsOf(k *Key) Limits { panic("todo") }

// Close flushes usage and the exact meters to the Ledger and stops the background work.
func (a *Authenticator) Close(ctx context.Context) error { panic("todo") }
