package dashboard

import (
	"errors"
	"net/http"
	"slices"

	"exante/auth"
	"exante/storage"
)

// accountPage is who is signed in, and where.
type accountPage struct {
	User     storage.User
	Form     *form // to change the password
	Sessions []browser
}

// browser is a session as the page shows it.
type browser struct {
	storage.Session
	Name string // "Firefox on Linux"
	This bool
}

func account(v *visit) error { return v.showAccount(http.StatusOK, v.blank()) }

func (v *visit) showAccount(status int, f *form) error {
	sessions, err := v.store.Sessions(v.req.Context, v.org.ID, v.user.ID)
	if err != nil {
		return err
	}
	data := accountPage{User: v.user, Form: f}
	for _, n := range sessions {
		data.Sessions = append(data.Sessions, browser{n, agentName(n.UserAgent), n.ID == v.session.ID})
	}
	slices.SortStableFunc(data.Sessions, func(a, b browser) int {
		switch {
		case a.This:
			return -1
		case b.This:
			return 1
		}
		return b.SeenAt.Compare(a.SeenAt)
	})
	return v.show(status, "account", "Your account", data)
}

func changePassword(v *visit) error {
	f := v.form()
	current, next := auth.NewPassword(f.raw("current")), auth.NewPassword(f.raw("password"))
	if f.raw("current") == "" {
		f.refuse("current", "Type the password that you have now.")
	}
	if f.raw("password") == "" {
		f.refuse("password", "Choose a new password.")
	}
	if !f.ok() {
		return v.showAccount(http.StatusUnprocessableEntity, f)
	}
	var session storage.Session
	var token auth.SessionToken
	err := v.attempt(v.user.Email, func() (err error) {
		session, token, err = v.store.ChangePassword(v.req.Context, v.by(), v.session, current, next, v.draft())
		return err
	})
	if errors.Is(err, storage.ErrSignIn) {
		f.refuse("current", "This is not your password.")
		err = nil
	}
	if status, ok := v.unjudged(f, err); ok {
		return v.showAccount(status, f)
	}
	if err = f.take(err, "password"); err != nil {
		return err
	}
	if !f.ok() {
		return v.showAccount(http.StatusUnprocessableEntity, f)
	}
	v.give(session, token)
	v.say("password-changed")
	return v.goTo("/settings/account")
}

func endSession(v *visit) error {
	id := v.pathID()
	if id == v.session.ID {
		return signOut(v)
	}
	err := v.store.EndSession(v.req.Context, v.by(), v.user.ID, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) { // gone is what was wanted
		return err
	}
	v.say("session-ended")
	return v.goTo("/settings/account")
}

// endOthers signs out everywhere else.
func endOthers(v *visit) error {
	if err := v.store.EndOtherSessions(v.req.Context, v.by(), v.session); err != nil {
		return err
	}
	v.say("others-ended")
	return v.goTo("/settings/account")
}

// endAll signs out everywhere, here too.
func endAll(v *visit) error {
	if err := v.store.EndSessions(v.req.Context, v.by(), v.user.ID); err != nil {
		return err
	}
	return v.leave("signed-out-everywhere")
}
