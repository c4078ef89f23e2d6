package dashboard

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// What only the dashboard refuses.
var (
	ErrForgery  = errors.New("request of another site")
	ErrRole     = errors.New("role does not allow that")
	ErrInsecure = errors.New("sign-in without tls")
)

// checkOrigin refuses what another site makes a browser send with our cookie
// (CSRF): what changes something must come from a page of ours. Browsers say so in
// Sec-Fetch-Site, which no page can set; older ones in Origin. What has neither
// comes from no browser, and has no business here.
func (v *visit) checkOrigin() error {
	if v.req.Method == http.MethodGet || v.req.Method == http.MethodHead {
		return nil
	}
	switch v.req.Header("Sec-Fetch-Site") {
	case "same-origin", "none":
		return nil
	case "":
	default:
		return ErrForgery
	}
	origin := v.req.Header("Origin")
	if u, err := url.Parse(origin); err == nil && u.Host != "" && (strings.EqualFold(u.Host, v.req.Host) || origin == v.public) {
		return nil
	}
	return ErrForgery
}

// confidential reports whether a password may be typed and a cookie kept: over TLS,
// or where the wire does not leave the machine.
func (r *Request) confidential() bool {
	return r.Secure || r.Addr.IsLoopback() && !r.Proxied && isLoopback(r.Host)
}

func isLoopback(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback()
}

// origin is scheme and host under which others reach this server.
func (v *visit) origin() string {
	switch {
	case v.public != "":
		return v.public
	case v.req.Secure:
		return "https://" + v.req.Host
	}
	return "http://" + v.req.Host
}
