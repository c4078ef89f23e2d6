package auth

import (
	"errors"
	"time"
)

// Why a request is refused. The server's answers table gives each its status and words.
var (
	ErrNoToken     = errors.New("no credentials")                 // no Authorization header
	ErrBadHeader   = errors.New("malformed authorization header") // not "Bearer <token>", or sent twice
	ErrBadToken    = errors.New("no such api key")                // malformed, unknown, or wrong environment
	ErrExpired     = errors.New("api key has expired")            // said only after the secret was verified
	ErrRevoked     = errors.New("api key has been revoked")       // said only after the secret was verified
	ErrSuspended   = errors.New("api key is suspended: its user is disabled")
	ErrScope       = errors.New("api key lacks the scope")          // also: a key may not grant what it lacks
	ErrNetwork     = errors.New("address is not allowed")           // outside the key's networks
	ErrLimited     = errors.New("over the rate limit")              // always as *LimitError
	ErrBusy        = errors.New("no room to verify an api key now") // the argon2id gate's queue is full, or the Ledger too slow; always as *BusyError
	ErrBadScopes   = errors.New("unknown or empty scopes")          // ParseScopes
	ErrBadLimits   = errors.New("malformed rate limit")             // ParseLimits
	ErrBadHash     = errors.New("stored hash is malformed or out of bounds")
	ErrBadNetworks = errors.New("malformed network") // ParseNetworks
)

// LimitError says how long to wait. It Is ErrLimited.
type LimitError struct{ RetryAfter time.Duration }

func (e *LimitError) Error() string        { return ErrLimited.Error() }
func (e *LimitError) Is(target error) bool { return target == ErrLimited }

// BusyError says when there may be room. It Is ErrBusy.
type BusyError struct{ RetryAfter time.Duration }

func (e *BusyError) Error() string        { return ErrBusy.Error() }
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// ScopeError names the scope that was missing ("" when a grant was too wide). It Is ErrScope.
type ScopeError struct {
	Need   Scope
	Detail string
}

func (e *ScopeError) Error() string        { return ErrScope.Error() + ": " + e.Detail }
func (e *ScopeError) Is(target error) bool { return target == ErrScope }
