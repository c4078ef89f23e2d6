package billing

import (
	"errors"
	"fmt"
)

// What the status of an invoice stands against. What is wrong with a value
// itself is an *input.InvalidError.
var (
	ErrTransition   = errors.New("illegal status transition") // as *TransitionError
	ErrLockedFields = errors.New("invoice is locked")         // sent: only some fields change; as *LockedError
	ErrNotDeletable = errors.New("only a draft can be deleted")
)

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
