package dashboard

import (
	"errors"
	"net/http"
	"time"

	"exante/auth"
	"exante/storage"
)

// invitePage asks who is to be invited, and as what.
type invitePage struct {
	Form  *form
	Roles []roleWord
}

func askInvite(v *visit) error {
	f := v.blank()
	f.set("role", string(storage.Viewer))
	return v.showInvite(http.StatusOK, f)
}

func (v *visit) showInvite(status int, f *form) error {
	return v.show(status, "user_new", "Invite a user", invitePage{f, roleWords})
}

func invite(v *visit) error {
	f := v.form()
	d := storage.UserDraft{Email: f.value("email"), Name: f.value("name"), Role: storage.Role(f.value("role"))}
	if !d.Role.Valid() {
		f.refuse("role", "Choose a role.")
	}
	if err := v.confirm(f); err != nil {
		return err
	}
	if !f.ok() {
		return v.showInvite(http.StatusUnprocessableEntity, f)
	}
	user, token, ends, err := v.store.InviteUser(v.req.Context, v.by(), d)
	if err = f.take(err, "email", "name", "role"); err != nil {
		return err
	}
	if !f.ok() {
		return v.showInvite(http.StatusUnprocessableEntity, f)
	}
	return v.showLink(member{Member: storage.Member{User: user}}, token, ends)
}

// makeLink makes a setup link for a user who has no password, or has forgotten it.
func makeLink(v *visit) error {
	m, err := v.pathMember()
	if err != nil {
		return err
	}
	f := v.form()
	f.checkOnce()
	if err := v.confirm(f); err != nil {
		return err
	}
	if !f.ok() {
		return v.askLink(http.StatusUnprocessableEntity, m, f)
	}
	token, ends, err := v.store.MintSetup(v.req.Context, v.by(), m.ID, v.onceLink(f))
	var replay *storage.ReplayError
	switch {
	case errors.As(err, &replay):
		f.object("This form was sent before, and the answer to that showed a link, once. If it is lost, make another: the lost one stops working.")
		f.set("once", onceField())
		return v.askLink(http.StatusConflict, m, f)
	case errors.Is(err, storage.ErrUserDisabled):
		f.object("This user is disabled: enable him first.")
		return v.askLink(http.StatusUnprocessableEntity, m, f)
	case err != nil:
		return err
	}
	return v.showLink(m, token, ends)
}

func (v *visit) askLink(status int, m member, f *form) error {
	return v.askAbout(status, "user_link", "Make a setup link", m, f.nameOnce())
}

// linkPage shows a setup link, this once.
type linkPage struct {
	User member
	Link string
	Ends time.Time
}

func (v *visit) showLink(m member, token auth.SetupToken, ends time.Time) error {
	err := v.show(http.StatusOK, "user_link_made", "Setup link", linkPage{m, v.origin() + "/setup/" + token.Reveal(), ends})
	v.res.Secret = true
	return err
}
