package dashboard

import "time"

// freshFor is how long a password that was typed stands for who typed it: what hands
// out rights asks for it again after that (OWASP ASVS 5.0 §7.5.3).
const freshFor = 10 * time.Minute

// mustConfirm reports whether a form that hands out rights has to ask for the
// password: the field "password", by the part "confirm" of the templates.
func (v *visit) mustConfirm() bool { return v.now.Sub(v.session.CreatedAt) > freshFor }

// confirm checks the password of such a form, where it is needed. What is wrong
// with it goes to f.
func (v *visit) confirm(f *form) error {
	if v.mustConfirm() {
		f.refuse("password", "Sign in again to do this.")
	}
	return nil
}
