package dashboard

import (
	"errors"
	"log/slog"
	"net/url"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/static"
	"exante/storage"
)

// Options are all that a Dashboard needs.
type Options struct {
	Store *storage.Store
	Auth  *auth.Authenticator

	SessionIdle time.Duration // a session ends when it was not used for so long,
	SessionMax  time.Duration // and then at the latest

	PublicURL string // as others see this server; "": as the browser says

	DefaultExpiryDays int // of a key for which none is chosen; 0: it never expires
	MaxExpiryDays     int // longest that may be chosen

	// FileLink is the path under which an attachment can be had for a while, as the
	// API gives it out.
	FileLink func(org, invoice, attachment uid.ID) string

	Now func() time.Time
	Log *slog.Logger
}

// Dashboard answers the pages. It knows no HTTP library: the server hands it
// requests that are parsed and bounded, and sends its responses.
type Dashboard struct {
	Options
	store    *storage.Store
	pages    *pages
	assets   *static.Set
	throttle *auth.Throttle // of those who guess passwords
	public   string         // scheme and host of PublicURL; "" if there is none
}

// New reads what is embedded.
func New(o Options) (*Dashboard, error) {
	if o.Store == nil || o.Auth == nil || o.Now == nil || o.Log == nil || o.FileLink == nil {
		return nil, errors.New("dashboard: a store, an authenticator, a clock, a log and links to files are needed")
	}
	d := &Dashboard{Options: o, store: o.Store, throttle: auth.NewThrottle(o.Now)}
	if u, err := url.Parse(o.PublicURL); err == nil && u.Host != "" {
		d.public = u.Scheme + "://" + u.Host
	}
	var err error
	if d.assets, err = static.NewSet(assets); err != nil {
		return nil, err
	}
	d.pages, err = readPages(d.assets.Version)
	return d, err
}

// Asset is a file of the pages, under the version that they name: what is there
// never changes. nil: there is none.
func (d *Dashboard) Asset(version, name string) *static.File { return d.assets.File(version, name) }

// visit is one request and its response.
type visit struct {
	*Dashboard
	req   *Request
	route *Route
	res   Response
	now   time.Time

	session storage.Session // zero, as are the next, unless somebody is signed in
	user    storage.User
	org     storage.Organization
}

// handler answers one route. An error that it returns is for the server, which
// has Refuse make a page of it.
type handler func(v *visit) error

// Answer is the response to a request that the server matched to route. Errors:
// ErrForgery, ErrRole, and those of the store; the server's table has what to say.
func (d *Dashboard) Answer(route *Route, req *Request) (Response, error) {
	v := d.visit(req)
	v.route = route
	if err := v.checkOrigin(); err != nil {
		return Response{}, err
	}
	if err := v.recognize(); err != nil {
		return Response{}, err
	}
	if route.access != anybody && !v.signedIn() {
		return v.askToSignIn(), nil
	}
	if !route.access.allows(v.user.Role) {
		return Response{}, ErrRole
	}
	if err := route.handle(v); err != nil {
		return Response{}, err
	}
	return v.res, nil
}

func (d *Dashboard) visit(req *Request) *visit {
	return &visit{Dashboard: d, req: req, now: d.Now()}
}

// by is who asks, for the rules and the audit log.
func (v *visit) by() auth.Principal {
	return auth.Principal{OrgID: v.org.ID, UserID: v.user.ID, Addr: v.req.Addr, RequestID: v.req.ID}
}

// pathID is the uid in the path. A malformed one takes the way of an absent one.
func (v *visit) pathID() uid.ID {
	id, err := uid.Parse(v.req.Param("uid"))
	if err != nil {
		return uid.ID{}
	}
	return id
}

// may reports whether who is signed in may use the routes of a.
func (v *visit) may(a access) bool { return v.signedIn() && a.allows(v.user.Role) }

// access says who may ask. A row that forgot it is for nobody.
type access uint8

const (
	_ access = iota
	anybody
	viewers // whoever is signed in
	admins  // and owners
	owners
)

func (a access) allows(r storage.Role) bool {
	switch a {
	case anybody:
		return true
	case viewers:
		return r.Valid()
	case admins:
		return r == storage.Admin || r == storage.Owner
	case owners:
		return r == storage.Owner
	}
	return false
}
