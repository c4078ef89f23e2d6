package server

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"exante/storage/input"
)

// fields reads the members of one JSON object by name. A reader returns nil for a
// member that was not sent and for one that is wrong, which it reports. When all
// were read, done reports those that nobody asked for: what a client sends is
// used or refused, never ignored.
type fields struct {
	*problems
	path    string // of the object: "" or "[3]." or "billing_contact."
	members []member
	broken  bool // no object at all, which is reported: nothing in it is missing
}

// readObject checks a body and opens the object that it must be.
func readObject(body []byte) (*fields, error) {
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	f := openObject(&problems{}, "", body)
	return f, nil
}

// openObject takes checked JSON that must be an object; path is where it stands.
func openObject(p *problems, path string, v jsontext.Value) *fields {
	f := &fields{problems: p, path: path}
	if kindOf(v) != '{' {
		p.add(bodyOr(path), "must be an object")
		f.broken = true
		return f
	}
	if path != "" {
		f.path += "."
	}
	var more bool
	if f.members, more = membersOf(v); more {
		p.add(bodyOr(path), "has more than %d members", maxMembers)
	}
	return f
}

// bodyOr names a place in the body; the body itself has no name of its own.
func bodyOr(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

// kindOf is the kind of a checked value: 'n' 't' 'f' '"' '0' '{' or '['.
func kindOf(v jsontext.Value) jsontext.Kind { return v.Kind() }

// bad reports the field called name.
func (f *fields) bad(name, format string, args ...any) { f.add(f.path+name, format, args...) }

// take finds a member. Whoever takes it answers for it.
func (f *fields) take(name string) (jsontext.Value, bool) {
	for i := range f.members {
		if m := &f.members[i]; m.name == name {
			m.read = true
			return m.value, true
		}
	}
	return nil, false
}

// has reports whether the member was sent, null included.
func (f *fields) has(name string) bool {
	for i := range f.members {
		if f.members[i].name == name {
			return true
		}
	}
	return false
}

// require reports each of names that was not sent.
func (f *fields) require(names ...string) {
	for _, name := range names {
		if !f.broken && !f.has(name) {
			f.bad(name, "is required")
		}
	}
}

// refuse reports a member that has no place here, with the reason.
func (f *fields) refuse(name, reason string) {
	if _, sent := f.take(name); sent {
		f.bad(name, "%s", reason)
	}
}

// drop leaves members out as if they had not been sent.
func (f *fields) drop(names ...string) {
	f.members = slices.DeleteFunc(f.members, func(m member) bool { return slices.Contains(names, m.name) })
}

// rename gives a member another name.
func (f *fields) rename(from, to string) {
	for i := range f.members {
		if m := &f.members[i]; m.name == from {
			m.name = to
		}
	}
}

// done reports every member that was not read, and returns all problems.
func (f *fields) done() error {
	f.unknown()
	return f.err()
}

func (f *fields) unknown() {
	for _, m := range f.members {
		if !m.read {
			f.add(f.path+input.ShortName(m.name), "is not known here")
		}
	}
}
