package dashboard

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"exante/auth"
	"exante/storage"
)

// The cookies. With TLS their names have a prefix that makes browsers insist on
// Secure, the path / and no domain (RFC 6265bis §4.1.3.2), so that no neighbour can
// plant one. The others are for a browser on the machine itself.
const (
	securePrefix  = "__Host-"
	sessionCookie = "exante_session"
	saidCookie    = "exante_said"
)

func (v *visit) cookieName(name string) string {
	if v.req.Secure {
		return securePrefix + name
	}
	return name
}

// keep has the browser keep a cookie for so long; 0: until it is closed.
func (v *visit) keep(name, value string, how time.Duration) {
	v.res.Cookies = append(v.res.Cookies, &http.Cookie{
		Name: v.cookieName(name), Value: value, Path: "/", MaxAge: int(how / time.Second),
		HttpOnly: true, Secure: v.req.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// drop has the browser forget a cookie.
func (v *visit) drop(name string) { v.keep(name, "", -time.Second) }

func (v *visit) cookie(name string) string { return v.req.Cookie(v.cookieName(name)) }

// recognize finds out who is signed in, and notes that he was seen.
func (v *visit) recognize() error {
	token, ok := auth.ParseSession(v.cookie(sessionCookie))
	if !ok || !v.req.confidential() {
		return nil
	}
	ctx := v.req.Context
	session, user, err := v.store.Session(ctx, token)
	if err == nil && !v.unattended() {
		err = v.store.TouchSession(ctx, session)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if v.org, err = v.store.Org(ctx, user.OrgID); err != nil {
		return err
	}
	v.session, v.user = session, user
	return nil
}

// unattended reports whether the page asks by itself, to show what is new: the element
// with the id "live" does. That nobody sits before it must still end the session. Who
// forges this shortens a session of his own.
func (v *visit) unattended() bool {
	return v.req.Method == http.MethodGet && v.req.Header("HX-Trigger") == "live"
}

func (v *visit) signedIn() bool { return !v.session.ID.IsZero() }

// askToSignIn leads to the page for that, and from there back to what was asked
// for. A fragment of a page is not worth going back to.
func (v *visit) askToSignIn() Response {
	path := "/sign-in"
	if v.req.Method == http.MethodGet && v.req.Header("HX-Request") == "" {
		path += "?next=" + url.QueryEscape(v.here())
	}
	if v.req.Header("HX-Request") != "" {
		v.res.Status = http.StatusUnauthorized
		v.res.set("HX-Redirect", path)
		return v.res
	}
	_ = v.goTo(path)
	return v.res
}

// here is the path and query that were asked for.
func (v *visit) here() string {
	if len(v.req.Query) == 0 {
		return v.req.Path
	}
	return v.req.Path + "?" + v.req.Query.Encode()
}

// maxNext bounds, in bytes, what is gone back to after sign-in: browsers and proxies
// take no longer header.
const maxNext = 2048

// local returns path if it leads to a page of ours, else "/": what a stranger puts
// into a link must not lead away (CWE-601).
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || len(path) > maxNext || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") ||
		strings.Contains(u.Path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
