package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// A form that makes something has a field "once" with a name of its own. However
// often it is sent, by a double click or a reload, it makes one thing: the store keeps
// the name in the transaction that makes it (storage.Once).

// onceField is the name of a form that is shown anew.
func onceField() string { return rand.Text() }

// nameOnce gives a form its name, unless it comes back with one.
func (f *form) nameOnce() *form {
	if !validOnce(f.value("once")) {
		f.set("once", onceField())
	}
	return f
}

// onceLen is the length of rand.Text: 130 bits of base32.
const onceLen = 26

// validOnce reports whether a name can be one that a form was given.
func validOnce(name string) bool {
	return len(name) == onceLen && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// checkOnce refuses a form that has lost its name.
func (f *form) checkOnce() {
	if !validOnce(f.value("once")) {
		f.general = append(f.general, "The form was incomplete. Nothing was done: send it again.")
	}
}

// onceOf names what a form makes, and says what is to be kept of it. The name belongs
// to who was shown it: another user's form is another one. What else is in the form does
// not matter, so that one which was changed and sent again makes no second thing.
func onceOf[T any](v *visit, f *form, keep func(T) string) *storage.Once[T] {
	id := sha256.New()
	for _, part := range []string{"exante form v1", v.user.ID.String(), v.req.Path, f.value("once")} {
		id.Write([]byte(part + "\x00"))
	}
	return &storage.Once[T]{ID: storage.OnceID(id.Sum(nil)), Render: func(made T) storage.Answer {
		return storage.Answer{Status: 200, Body: []byte(keep(made))}
	}}
}

// onceKey has the store make a key for this form once.
func (v *visit) onceKey(f *form) *storage.Once[auth.Key] {
	return onceOf(v, f, func(k auth.Key) string { return k.ID.String() })
}

// onceLink has it make a setup link once.
func (v *visit) onceLink(f *form) *storage.Once[auth.SetupName] {
	return onceOf(v, f, func(n auth.SetupName) string { return n.ID.String() })
}

// madeBefore is the key that such a form has made already; nil if err is another.
func (v *visit) madeBefore(err error) *auth.Key {
	var replay *storage.ReplayError
	if !errors.As(err, &replay) {
		return nil
	}
	id, err := uid.Parse(string(replay.Body))
	if err != nil {
		return nil
	}
	k, err := v.store.Key(v.org.ID, id)
	if err != nil {
		return nil
	}
	return k
}
