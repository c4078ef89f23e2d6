package dashboard

import (
	"errors"
	"net/url"
	"strings"

	"exante/storage"
	"exante/storage/input"
)

// form is what was typed into one, and what is wrong with it, field by field.
type form struct {
	values  url.Values
	reasons map[string]string
	general []string // what is wrong with no field of it
}

// blank is a form that nobody has typed into yet.
func (v *visit) blank() *form { return &form{values: url.Values{}, reasons: map[string]string{}} }

// form is what was sent.
func (v *visit) form() *form { return &form{values: v.req.Form, reasons: map[string]string{}} }

// raw is a field as it was sent: for passwords.
func (f *form) raw(name string) string { return f.values.Get(name) }

func (f *form) value(name string) string { return strings.TrimSpace(f.values.Get(name)) }

func (f *form) all(name string) []string { return f.values[name] }

func (f *form) set(name string, values ...string) { f.values[name] = values }

// refuse says what is wrong with a field: the first reason stands, and
// none is none.
func (f *form) refuse(name, reason string) {
	if f.reasons[name] == "" && reason != "" {
		f.reasons[name] = reason
	}
}

func (f *form) ok() bool { return len(f.reasons) == 0 && len(f.general) == 0 }

// take makes of an error what it says about fields, and returns nil; an error that
// is about none comes back. names are the fields that the form has; what is about
// another goes above it.
func (f *form) take(err error, names ...string) error {
	var (
		invalid *input.InvalidError
		exists  *storage.ExistsError
	)
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			f.tell(p.Path, p.Reason, names)
		}
		return nil
	case errors.As(err, &exists):
		f.tell(exists.Field, "is taken", names)
		return nil
	}
	return err
}

func (f *form) tell(path, reason string, names []string) {
	for _, name := range names {
		if path == name {
			f.refuse(name, sentence(reason))
			return
		}
	}
	f.general = append(f.general, sentence(path+" "+reason))
}

// sentence makes one of a reason such as "must have 1 to 200 characters".
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	return capital(reason) + "."
}

// capital is a text that begins with a capital letter.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Value, Has, Error, Errors and Bad are for the templates.

// Value is what was typed.
func (f *form) Value(name string) string { return f.values.Get(name) }

// Has reports whether value is among the chosen ones.
func (f *form) Has(name, value string) bool {
	for _, v := range f.values[name] {
		if v == value {
			return true
		}
	}
	return false
}

// Error is what is wrong with a field; "" if nothing is.
func (f *form) Error(name string) string { return f.reasons[name] }

// Errors are what is wrong with no field.
func (f *form) Errors() []string { return f.general }

// Bad reports whether anything is wrong.
func (f *form) Bad() bool { return !f.ok() }
