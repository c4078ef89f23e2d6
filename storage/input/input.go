// Package input is what was asked for, cleaned, and what is wrong with it.
//
// A method that takes a request gathers its Refusals, so that one answer names
// every field that was refused, and what it keeps is what Text, Lines, Email or
// a rule of its own made of what was sent. It knows neither the store nor an
// invoice.
//
// A new kind of text gets a function in text.go that returns the clean text or
// the reason against it, and a method of Refusals.
package input

import (
	"errors"
	"fmt"
)

// ErrInvalid is a request that can't be met as it is; it comes as *InvalidError.
var ErrInvalid = errors.New("invalid")

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

// Refusals gathers what is wrong with a request, so that one answer names all of it.
type Refusals []Problem

// Add refuses the field at path.
func (r *Refusals) Add(path, reason string) { *r = append(*r, Problem{path, reason}) }

// check is what a cleaning function returned; a reason refuses the field at path.
func (r *Refusals) check(path, clean, reason string) string {
	if reason != "" {
		r.Add(path, reason)
	}
	return clean
}

// Text returns a text as it is kept: cleaned, and of minChars to maxChars characters.
func (r *Refusals) Text(path, text string, minChars, maxChars int) string {
	clean, reason := Text(text, minChars, maxChars)
	return r.check(path, clean, reason)
}

// Lines is Text for a text of several lines, of up to maxChars characters in all.
func (r *Refusals) Lines(path, text string, maxChars int) string {
	clean, reason := Lines(text, maxChars)
	return r.check(path, clean, reason)
}

// Email returns an e-mail address as it is kept and compared.
func (r *Refusals) Email(path, text string) string {
	clean, reason := Email(text)
	return r.check(path, clean, reason)
}

// Err is an InvalidError of all that was added, or nil.
func (r Refusals) Err() error {
	if len(r) == 0 {
		return nil
	}
	return &InvalidError{r}
}
