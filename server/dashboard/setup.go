package dashboard

import (
	"errors"
	"net/http"

	"exante/auth"
	"exante/storage"
)

// setupPage lets somebody choose his password, with a link that works once.
type setupPage struct {
	Form       *form
	Org, Email string
	Safe       bool // a password may be typed here
}

// errNoSetup is the end of every link that is not valid: nobody learns why.
var errNoSetup = storage.ErrNotFound

// setupToken is that of the path. To look at it does not use it up.
func (v *visit) setupToken() (auth.SetupToken, storage.User, storage.Organization, error) {
	token, ok := auth.ParseSetup(v.req.Param("token"))
	if !ok {
		return token, storage.User{}, storage.Organization{}, errNoSetup
	}
	user, org, err := v.store.Setup(v.req.Context, token)
	return token, user, org, err
}

func showSetup(v *visit) error {
	_, user, org, err := v.setupToken()
	return v.askNewPassword(http.StatusOK, v.blank(), user, org, err)
}

// askNewPassword shows the form, or that there is no such link. Neither page tells
// any other of the address that it was found at.
func (v *visit) askNewPassword(status int, f *form, user storage.User, org storage.Organization, err error) error {
	switch {
	case errors.Is(err, errNoSetup):
		err = v.show(http.StatusNotFound, "setup_over", "This link is not valid", nil)
	case err == nil:
		err = v.show(status, "setup", "Choose a password", setupPage{f, org.Name, user.Email, v.req.confidential()})
	}
	v.res.set("Referrer-Policy", "strict-origin")
	return err
}

func redeemSetup(v *visit) error {
	if !v.req.confidential() {
		return ErrInsecure
	}
	token, user, org, err := v.setupToken()
	if err != nil {
		return v.askNewPassword(http.StatusOK, nil, user, org, err)
	}
	f := v.form()
	password := auth.NewPassword(f.raw("password"))
	session, opened, err := v.store.RedeemSetup(v.req.Context, v.by(), token, password, v.draft())
	if status, ok := v.unjudged(f, err); ok {
		return v.askNewPassword(status, f, user, org, nil)
	}
	if err = f.take(err, "password"); err != nil || !f.ok() {
		return v.askNewPassword(http.StatusUnprocessableEntity, f, user, org, err)
	}
	v.enter(session, opened)
	v.knowBrowser(user.Email)
	v.say("set-up")
	return v.goTo("/overview")
}
