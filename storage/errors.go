package storage

import (
	"errors"
	"fmt"

	"exante/storage/input"
	"exante/storage/kv"
)

// What a caller can be told, beside what is wrong with the request (package
// input) and what the rules refuse (package billing). The server's answers table
// and the shell's exit table have a row for each.
var (
	ErrNotFound     = errors.New("no such record")
	ErrExists       = errors.New("already exists")         // a unique value is taken; as *ExistsError
	ErrConflict     = errors.New("version does not match") // If-Match
	ErrKeyNotActive = errors.New("api key is not active")  // rotate
	ErrSignIn       = errors.New("e-mail address or password is wrong")
	ErrUserDisabled = errors.New("user is disabled") // a key or a setup link of his is asked for
	ErrTooLarge     = errors.New("too large for one transaction")
	ErrLowDisk      = kv.ErrLowDisk // too little space for writes; as *disk.LowError. Nothing was written

	// ErrAuditUnavailable: the audit copy can't be written, so nothing is changed.
	ErrAuditUnavailable = errors.New("the audit copy can't be written")

	ErrFileTooLarge       = errors.New("file is too large")
	ErrTooManyFiles       = errors.New("too many files at once")
	ErrFilesTooLarge      = errors.New("files at once are too large")
	ErrTooManyAttachments = errors.New("invoice has too many attachments")
)

// What only an operator meets.
var (
	ErrInUse    = kv.ErrLocked                                      // another process has the store open
	ErrCorrupt  = errors.New("store is damaged")                    // a record, index or count that must not be trusted
	ErrNewer    = errors.New("store was written by a newer exante") // schema version above ours
	ErrNoStore  = errors.New("no store here")                       // Open without Create on an empty directory
	ErrFullDisk = kv.ErrDiskFull                                    // opening takes more space than there is; as *disk.FullError
	ErrUnknown  = kv.ErrUnknownOutcome                              // a commit that may or may not be there
	ErrClosed   = kv.ErrClosed

	ErrKeyEnded    = errors.New("api key has ended and stays as it is")
	ErrSecretEnded = errors.New("the secret is that of an api key that was revoked or rotated")
	ErrLastOwner   = errors.New("the last enabled owner of an organization stays")

	// ErrNotBackedUp: what should be done before a migration failed, so there was none.
	ErrNotBackedUp   = errors.New("the store is of an older exante and was not brought up to date, since no backup of it could be made first")
	ErrBackupRunning = errors.New("another backup of this store is running")
	ErrOccupied      = errors.New("the directory is not empty")                                 // Restore
	ErrForeignCopy   = errors.New("the audit copy does not belong to the backup")               // Restore
	ErrBrokenCopy    = errors.New("the audit copy is not as it was written, record for record") // Restore
)

// MissingError says which elements of an array were not found. It Is ErrNotFound.
type MissingError struct{ Problems []input.Problem }

func (e *MissingError) Error() string        { return fmt.Sprintf("not found: %v", e.Problems) }
func (e *MissingError) Is(target error) bool { return target == ErrNotFound }

// ExistsError names the field whose value is taken. It Is ErrExists.
type ExistsError struct{ Field string }

func (e *ExistsError) Error() string        { return e.Field + " is taken" }
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// BatchError says which elements of an array were refused, and why. It Is what
// its first element is.
type BatchError struct{ Elements []ElementError }

// ElementError is what is wrong with one element.
type ElementError struct {
	Index int
	Err   error
}

func (e *BatchError) Error() string {
	return fmt.Sprintf("%d elements refused, first: %v", len(e.Elements), e.Elements[0].Err)
}
func (e *BatchError) Unwrap() error { return e.Elements[0].Err }

// err is nil when no element was refused.
func (e *BatchError) err() error {
	if len(e.Elements) == 0 {
		return nil
	}
	return e
}
