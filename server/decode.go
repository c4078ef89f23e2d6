package server

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxDepth    = 32  // levels of objects and arrays in a body
	maxMembers  = 256 // members read of one object; no shape of ours has as many
	maxProblems = 100 // problems told in one answer
)

// malformedError is a body that is not exactly one JSON text (RFC 7493: valid
// UTF-8, no name twice in an object). The reason is fixed text: nothing of the
// body comes back. It Is errMalformed.
type malformedError struct{ reason string }

func (e *malformedError) Error() string        { return "malformed json: " + e.reason }
func (e *malformedError) Is(target error) bool { return target == errMalformed }

// checkJSON reads body once from end to end, so that everything after it may take
// valid JSON of bounded depth for granted.
func checkJSON(body []byte) error {
	switch {
	case len(bytes.TrimLeft(body, " \t\r\n")) == 0:
		return &malformedError{"is empty"}
	case bytes.HasPrefix(body, []byte("\ufeff")):
		return &malformedError{"starts with a byte order mark"}
	case !utf8.Valid(body):
		return &malformedError{"is not valid UTF-8"}
	case bytes.IndexByte(body, 0) >= 0:
		return &malformedError{"contains NUL"}
	}
	return checkTokens(jsontext.NewDecoder(bytes.NewBuffer(body)), bytes.Contains(body, []byte(`\u0000`)))
}

// checkTokens wants one value and then the end. NUL can only hide in an escape,
// so strings are unquoted only where one was seen.
func checkTokens(dec *jsontext.Decoder, mayHoldNUL bool) error {
	for first := true; first || dec.StackDepth() > 0; first = false {
		token, err := dec.ReadToken()
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return &malformedError{"names a member of an object twice"}
		case err != nil:
			return &malformedError{"is not JSON"}
		case dec.StackDepth() > maxDepth:
			return &malformedError{"is nested deeper than 32 levels"}
		case mayHoldNUL && token.Kind() == '"' && bytes.IndexByte([]byte(token.String()), 0) >= 0:
			return &malformedError{"contains NUL"}
		}
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return &malformedError{"has data after the value"}
	}
	return nil
}

// member is one name and value of an object.
type member struct {
	name  string
	value jsontext.Value
	read  bool // a field asked for it
}

// membersOf lists the members of a checked object in their order, at most
// maxMembers of them; more reports whether there were others.
func membersOf(object jsontext.Value) (members []member, more bool) {
	walk(object, func(name string, value jsontext.Value) bool {
		if len(members) == maxMembers {
			more = true
			return false
		}
		members = append(members, member{name: name, value: value})
		return true
	})
	return members, more
}

// elementsOf lists the elements of a checked array, at most limit+1 of them: one
// too many shows that there are too many.
func elementsOf(array jsontext.Value, limit int) (elements []jsontext.Value) {
	walk(array, func(_ string, value jsontext.Value) bool {
		elements = append(elements, value)
		return len(elements) <= limit
	})
	return elements
}

// walk visits the members of a checked object or the elements of a checked array
// until visit returns false. Values are slices of v.
func walk(v jsontext.Value, visit func(name string, value jsontext.Value) bool) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(v), jsontext.AllowDuplicateNames(true))
	open, err := dec.ReadToken()
	if err != nil {
		return
	}
	for kind := open.Kind(); dec.PeekKind() != '}' && dec.PeekKind() != ']'; {
		var name string
		if kind == '{' {
			token, err := dec.ReadToken()
			if err != nil {
				return
			}
			name = token.String()
		}
		value, err := dec.ReadValue()
		if err != nil {
			return
		}
		end := dec.InputOffset()
		if !visit(name, v[int(end)-len(value):end]) {
			return
		}
	}
}
