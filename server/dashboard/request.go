package dashboard

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"exante/server/static"
)

// Request is an HTTP request as the server hands it over: parsed, bounded, and
// with the place that it comes from known.
type Request struct {
	Context context.Context
	Method  string
	Path    string
	Query   url.Values
	Form    url.Values // of a POST
	Host    string     // name and port that the browser asked for
	Addr    netip.Addr
	ID      string

	// Secure is set if the browser speaks TLS, to the server or to a trusted proxy.
	Secure bool
	// Proxied is set if something that is no trusted proxy stands between.
	Proxied bool

	Header func(name string) string
	Cookie func(name string) string
	Param  func(name string) string // a part of the path
}

// Response is what the server sends.
type Response struct {
	Status  int
	Header  map[string]string
	Cookies []*http.Cookie
	Body    []byte       // HTML; nil: none, or
	File    *static.File // this

	// Secret is set if the body has one: it is not compressed, since the length of
	// what is would tell of it (BREACH, 2013).
	Secret bool
}

func (r *Response) set(name, value string) {
	if r.Header == nil {
		r.Header = map[string]string{}
	}
	r.Header[name] = value
}

// goTo sends the browser on with a GET (RFC 9110 §15.4.4), so that a reload
// repeats nothing. path is one of ours.
func (v *visit) goTo(path string) error {
	v.res.Status = http.StatusSeeOther
	v.res.set("Location", path)
	return nil
}
