package dashboard

import (
	"errors"
	"net/http"

	"exante/auth"
	"exante/storage"
)

// signInPage asks who it is.
type signInPage struct {
	Form *form
	Next string
	Safe bool // a password may be typed here
}

func home(v *visit) error {
	if v.signedIn() {
		return v.goTo("/overview")
	}
	return v.goTo("/sign-in")
}

func showSignIn(v *visit) error {
	next := local(v.req.Query.Get("next"))
	if v.signedIn() {
		return v.goTo(next)
	}
	return v.askPassword(http.StatusOK, v.blank(), next)
}

func (v *visit) askPassword(status int, f *form, next string) error {
	return v.show(status, "signin", "Sign in", signInPage{Form: f, Next: next, Safe: v.req.confidential()})
}

func signIn(v *visit) error {
	if !v.req.confidential() {
		return ErrInsecure
	}
	f := v.form()
	next := local(f.value("next"))
	email, password := f.value("email"), auth.NewPassword(f.raw("password"))
	var session storage.Session
	var token auth.SessionToken
	err := v.attempt(email, func() (err error) {
		session, token, err = v.store.SignIn(v.req.Context, v.by(), email, password, v.draft())
		return err
	})
	if errors.Is(err, storage.ErrSignIn) {
		f.refuse("email", "This address or the password is wrong.")
		return v.askPassword(http.StatusUnauthorized, f, next)
	}
	if status, ok := v.unjudged(f, err); ok {
		return v.askPassword(status, f, next)
	}
	if err != nil {
		return err
	}
	v.enter(session, token)
	return v.goTo(next)
}

// draft is a session as the settings want it.
func (v *visit) draft() storage.SessionDraft {
	return storage.SessionDraft{Idle: v.SessionIdle, Max: v.SessionMax, UserAgent: []byte(v.req.Header("User-Agent"))}
}

// enter gives the browser its new session, and ends the one that it had: what was
// known of it before is worth nothing after (session fixation, CWE-384).
func (v *visit) enter(session storage.Session, token auth.SessionToken) {
	if v.signedIn() && v.session.ID != session.ID {
		if err := v.store.EndSession(v.req.Context, v.by(), v.user.ID, v.session.ID); err != nil && !errors.Is(err, storage.ErrNotFound) {
			v.Log.Error("the session before was not ended", "error", err.Error())
		}
	}
	v.give(session, token)
}

// give has the browser keep a session that was opened for it.
func (v *visit) give(session storage.Session, token auth.SessionToken) {
	v.session = session
	v.keep(sessionCookie, token.Reveal(), 0)
}

func signOut(v *visit) error {
	err := v.store.EndSession(v.req.Context, v.by(), v.user.ID, v.session.ID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return v.leave("signed-out")
}

// leave has the browser forget whom it knew.
func (v *visit) leave(word string) error {
	v.drop(sessionCookie)
	v.res.set("Clear-Site-Data", `"cache", "storage"`)
	v.say(word)
	return v.goTo("/sign-in")
}
