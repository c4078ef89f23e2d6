package dashboard

import (
	"errors"
	"time"

	"exante/auth"
	"exante/storage"
)

// freshFor is how long a password that was typed stands for who typed it: what hands
// out rights asks for it again after that (OWASP ASVS 5.0 §7.5.3).
const freshFor = 10 * time.Minute

// mustConfirm reports whether a form that hands out rights has to ask for the
// password: the field "password", by the part "confirm" of the templates.
func (v *visit) mustConfirm() bool { return v.now.Sub(v.session.ConfirmedAt) > freshFor }

// confirm checks the password of such a form, where it is needed. What is wrong
// with it goes to f. Call it last: what is wrong with the form itself needs no password.
func (v *visit) confirm(f *form) error {
	if !v.mustConfirm() || !f.ok() {
		return nil
	}
	if f.raw("password") == "" {
		f.refuse("password", "Type your password.")
		return nil
	}
	err := v.attempt(v.user.Email, func() (err error) {
		session, err := v.store.ConfirmSession(v.req.Context, v.by(), v.session, auth.NewPassword(f.raw("password")))
		if err == nil {
			v.session = session
		}
		return err
	})
	if errors.Is(err, storage.ErrSignIn) {
		f.refuse("password", "This is not your password.")
		return nil
	}
	if _, ok := v.unjudged(f, err); ok {
		return nil
	}
	return err
}
