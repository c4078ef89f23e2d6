package dashboard

import (
	"errors"
	"net/http"

	"exante/storage"
)

// What owners do with users. Each change has a page of its own that says what comes
// of it, and asks; what hands out rights asks for the password as well.

const lastOwner = "This is the last owner who can sign in. Make somebody else an owner first."

// aboutUser shows one of those pages.
func aboutUser(page, title string) handler {
	return func(v *visit) error {
		m, err := v.pathMember()
		if err != nil {
			return err
		}
		f := v.blank().nameOnce()
		f.set("role", string(m.Role))
		return v.askAbout(http.StatusOK, page, title, m, f)
	}
}

func (v *visit) askAbout(status int, page, title string, m member, f *form) error {
	return v.show(status, page, title, userPage{User: m, Form: f, Roles: roleWords})
}

func pathOf(m member) string { return "/settings/users/" + m.ID.String() }

func setRole(v *visit) error {
	m, err := v.pathMember()
	if err != nil {
		return err
	}
	f := v.form()
	role := storage.Role(f.value("role"))
	if !role.Valid() {
		f.refuse("role", "Choose a role.")
	}
	v.mustKnow(f, m, role != m.Role)
	if err := v.confirm(f); err != nil {
		return err
	}
	if f.ok() {
		_, err := v.store.SetRole(v.req.Context, v.by(), m.ID, role)
		if !errors.Is(err, storage.ErrLastOwner) {
			return v.afterChange(err, m, "role-set")
		}
		f.refuse("role", lastOwner)
	}
	return v.askAbout(http.StatusUnprocessableEntity, "user_role", "Change the role", m, f)
}

// mustKnow has an owner say in words that he means himself: nobody locks himself out
// by a slip.
func (v *visit) mustKnow(f *form, m member, changes bool) {
	if m.Self && changes && f.value("self") != "yes" {
		f.refuse("self", "Tick this if you mean yourself.")
	}
}

func disableUser(v *visit) error {
	m, err := v.pathMember()
	if err != nil {
		return err
	}
	f := v.form()
	v.mustKnow(f, m, true)
	if f.ok() {
		_, err := v.store.DisableUser(v.req.Context, v.by(), m.ID)
		if !errors.Is(err, storage.ErrLastOwner) {
			return v.afterChange(err, m, "user-disabled")
		}
		f.general = append(f.general, lastOwner)
	}
	return v.askAbout(http.StatusUnprocessableEntity, "user_disable", "Disable the user", m, f)
}

func enableUser(v *visit) error {
	m, err := v.pathMember()
	if err != nil {
		return err
	}
	f := v.form()
	if err := v.confirm(f); err != nil {
		return err
	}
	if !f.ok() {
		return v.askAbout(http.StatusUnprocessableEntity, "user_enable", "Enable the user", m, f)
	}
	_, err = v.store.EnableUser(v.req.Context, v.by(), m.ID)
	return v.afterChange(err, m, "user-enabled")
}

func signOutUser(v *visit) error {
	m, err := v.pathMember()
	if err != nil {
		return err
	}
	return v.afterChange(v.store.EndSessions(v.req.Context, v.by(), m.ID), m, "user-signed-out")
}

// afterChange leads to the user again and says what was done. Who has changed
// himself is signed out by it.
func (v *visit) afterChange(err error, m member, word string) error {
	if err != nil {
		return err
	}
	v.say(word)
	return v.goTo(pathOf(m))
}
