package storage

import (
	"errors"
	"fmt"

	"exante/storage/kv"
)

// What a caller can be told. The server's answers table and the shell's exit
// table have a row for each.
var (
	ErrNotFound     = errors.New("no such record")
	ErrExists       = errors.New("already exists")            // a unique value is taken; as *ExistsError
	ErrInvalid      = errors.New("invalid")                   // as *InvalidError
	ErrConflict     = errors.New("version does not match")    // If-Match
	ErrTransition   = errors.New("illegal status transition") // as *TransitionError
	ErrLockedFields = errors.New("invoice is locked")         // sent: only some fields change; as *LockedError
	ErrNotDeletable = errors.New("only a draft can be deleted")
	ErrKeyNotActive = errors.New("api key is not active") // rotate
	ErrTooLarge     = errors.New("too large for one transaction")
)

// What only an operator meets.
var (
	ErrInUse   = kv.ErrLocked                                      // another process has the store open
	ErrCorrupt = errors.New("store is damaged")                    // a record, index or count that must not be trusted
	ErrNewer   = errors.New("store was written by a newer exante") // schema version above ours
	ErrNoStore = errors.New("no store here")                       // Open without Create on an empty directory
	ErrUnknown = kv.ErrUnknownOutcome                              // a commit that may or may not be there
	ErrClosed  = kv.ErrClosed
)

// InvalidError names what was refused, in the words of the wire: Path is
// "due_date" or "[3].quantity". It Is ErrInvalid.
type InvalidError struct{ Problems []Problem }

// Problem is one refused field.
type Problem struct{ Path, Reason string }

func (p Problem) String() string { return p.Path + ": " + p.Reason }

func (e *InvalidError) Error() string        { return fmt.Sprintf("invalid: %v", e.Problems) }
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Invalid is an InvalidError about one field.
func Invalid(path, reason string) error { return &InvalidError{[]Problem{{path, reason}}} }

// MissingError says which elements of an array were not found. It Is ErrNotFound.
type MissingError struct{ Problems []Problem }

func (e *MissingError) Error() string        { return fmt.Sprintf("not found: %v", e.Problems) }
func (e *MissingError) Is(target error) bool { return target == ErrNotFound }

// ExistsError names the field whose value is taken. It Is ErrExists.
type ExistsError struct{ Field string }

func (e *ExistsError) Error() string        { return e.Field + " is taken" }
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// TransitionError says what may be done instead. It Is ErrTransition.
type TransitionError struct {
	From, To Status
	Actions  []string // available_actions
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("illegal transition from %s to %s", e.From, e.To)
}
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// LockedError names the fields that no longer change once an invoice was sent. It Is ErrLockedFields.
type LockedError struct{ Fields []string }

func (e *LockedError) Error() string        { return fmt.Sprintf("invoice is locked: %v", e.Fields) }
func (e *LockedError) Is(target error) bool { return target == ErrLockedFields }
