package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/input"
)

// deviceCookie tells that somebody has signed in to an account in this browser
// before: so strangers who guess can't keep him out of it here. It opens nothing.
const deviceCookie = "exante_device"

// attempt has check look at a password of an account, unless too many were tried
// already: *auth.LimitError, whether there is such an account or not.
func (v *visit) attempt(email string, check func() error) error {
	account := accountOf(email)
	device, known := v.store.SigningKey().OpenDevice(v.cookie(deviceCookie), account, v.now)
	try, err := v.throttle.Attempt(auth.Attempt{Account: account, Addr: v.req.Addr, Device: device})
	if err != nil {
		return err
	}
	err = check()
	switch {
	case errors.Is(err, storage.ErrSignIn): // counts as it does
	case err != nil:
		try.Withdrawn()
	default:
		try.Succeeded()
		if !known {
			v.knowBrowser(account)
		}
	}
	return err
}

// knowBrowser leaves the cookie. Without it a browser is a stranger, and no more.
func (v *visit) knowBrowser(email string) {
	text, err := v.store.SigningKey().MintDevice(accountOf(email), v.now, nil)
	if err != nil {
		v.Log.Error("a browser is not known", "request_id", v.req.ID, "error", err.Error())
		return
	}
	v.keep(deviceCookie, text, auth.DeviceLife)
}

// accountOf is an address in the form in which accounts are told apart, of somebody
// or of nobody.
func accountOf(email string) string {
	if clean, reason := input.Email(email); reason == "" {
		return clean
	}
	return strings.ToLower(email)
}

// unjudged says, above a form, that its password was not looked at, and answers with
// the status and when to try again. ok tells that this is what err is about.
func (v *visit) unjudged(f *form, err error) (status int, ok bool) {
	var (
		limited *auth.LimitError
		busy    *auth.BusyError
	)
	switch {
	case errors.As(err, &limited):
		f.general = append(f.general, "Too many attempts. Try again in "+exactly(v.retryAfter(limited.RetryAfter))+".")
		return http.StatusTooManyRequests, true
	case errors.As(err, &busy):
		f.general = append(f.general, "Too many passwords are being checked at once. Try again in "+exactly(v.retryAfter(busy.RetryAfter))+".")
		return http.StatusServiceUnavailable, true
	}
	return 0, false
}

// retryAfter tells a browser when to try again (RFC 9110 §10.2.3), in whole seconds
// that are never too few.
func (v *visit) retryAfter(wait time.Duration) time.Duration {
	seconds := auth.Seconds(wait)
	v.res.set("Retry-After", strconv.FormatInt(seconds, 10))
	return time.Duration(seconds) * time.Second
}

// exactly is a wait in words, to the second.
func exactly(d time.Duration) string {
	minutes, seconds := int64(d/time.Minute), int64(d%time.Minute/time.Second)
	switch {
	case minutes == 0:
		return plural(seconds, "second")
	case seconds == 0:
		return plural(minutes, "minute")
	}
	return plural(minutes, "minute") + " and " + plural(seconds, "second")
}
