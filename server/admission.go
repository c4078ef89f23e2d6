package server

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"exante/auth"
)

// guard puts the checks that a row of the route table asks for before its handler.
// counters are where its answers are counted.
func (s *Server) guard(row *route, counters *routeTraffic) fiber.Handler {
	return func(c *fiber.Ctx) error {
		x := exchangeOf(c.Context())
		x.path, x.row, x.counters = c, row, counters
		err := x.check(row)
		if err == nil && !x.asking {
			err = row.handle(x)
		}
		if err != nil && row.input == inForm {
			x.hangUp() // with the rest of the form
		}
		return err
	}
}

// check is all that comes before the handler. It is passed twice by a request
// that asked before it sent its body, and judged once.
func (x *exchange) check(row *route) error {
	if row.input != inForm {
		if err := x.takeBody(); err != nil {
			return err
		}
	}
	if row.access.keyed() && !x.granted {
		if err := x.admit(row); err != nil {
			return err
		}
		if err := x.refuseQuery(row); err != nil {
			return err
		}
	}
	x.granted = x.asking || x.granted
	return nil
}

// refuseQuery names the parameters of a route that takes none.
func (x *exchange) refuseQuery(row *route) error {
	if row.input == inQuery || len(x.http.URI().QueryString()) == 0 {
		return nil
	}
	return x.query().Done()
}

// admit checks host and media type, then asks the authenticator once: who is it,
// from where, with which scope, within which limit.
func (x *exchange) admit(row *route) error {
	if err := x.checkHost(); err != nil {
		return err
	}
	if err := x.checkBody(row); err != nil {
		return err
	}
	h := &x.http.Request.Header
	token, err := bearerToken(h.PeekAll("Authorization"))
	if err != nil {
		return x.auth.Failed(x.clientAddr(), err)
	}
	x.admitted, err = x.auth.Admit(x.life, auth.Request{
		Token: token, Addr: x.clientAddr(), UserAgent: h.UserAgent(), Scope: row.access.scope(),
	})
	x.writeLimits()
	return err
}

// checkBody judges what is known of a body without a look into it.
func (x *exchange) checkBody(row *route) error {
	switch {
	case row.input == inForm:
		return x.checkUpload()
	case row.input == inBody && x.announced():
		return checkMedia(x.http.Request.Header.ContentType())
	}
	return nil
}

// bearerToken takes the token out of the one Authorization header there must be
// (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1, and one space).
func bearerToken(values [][]byte) ([]byte, error) {
	if len(values) == 0 {
		return nil, auth.ErrNoToken
	}
	const scheme = "bearer "
	v := values[0]
	if len(values) > 1 || len(v) <= len(scheme) || !bytes.EqualFold(v[:len(scheme)], []byte(scheme)) ||
		bytes.ContainsAny(v[len(scheme):], " \t,") {
		return nil, auth.ErrBadHeader
	}
	return v[len(scheme):], nil
}

// checkMedia wants application/json, with no parameter but charset=utf-8.
func checkMedia(media []byte) error {
	kind, parameter, has := bytes.Cut(media, []byte(";"))
	if !bytes.EqualFold(bytes.TrimSpace(kind), mediaJSON) {
		return errMedia
	}
	parameter = bytes.ReplaceAll(bytes.TrimSpace(parameter), []byte(`"`), nil)
	if has && !bytes.EqualFold(parameter, []byte("charset=utf-8")) {
		return errMedia
	}
	return nil
}

// checkHost keeps a page of another site from reaching this server under a name
// that was bound to its address (DNS rebinding).
func (x *exchange) checkHost() error {
	if len(x.hosts) == 0 || x.hosts.allow(x.http.Request.URI().Host()) {
		return nil
	}
	return errHost
}
