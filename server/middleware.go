package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"exante/auth"
)

// maxRequestID is the longest X-Request-Id that is echoed.
const maxRequestID = 128

// receive is what fasthttp calls for every message it could parse.
func (s *Server) receive(c *fasthttp.RequestCtx) {
	x := s.begin(c)
	defer s.finish(x)
	x.identify(c.Request.Header.Peek("X-Request-Id"))
	if err := checkMessage(&c.Request.Header); err != nil {
		c.SetConnectionClose()
		_ = x.fail(err)
		return
	}
	s.router(c)
}

// refuseUnparsed answers what is not a request. Nothing of it is echoed, and
// fasthttp closes the connection afterwards.
func (s *Server) refuseUnparsed(c *fasthttp.RequestCtx, err error) {
	x := s.begin(c)
	defer s.finish(x)
	x.identify(nil)
	_ = x.fail(unparsed(err))
}

func (s *Server) begin(c *fasthttp.RequestCtx) *exchange {
	x := s.exchanges.Get().(*exchange)
	x.http = c
	c.SetUserValue(exchangeKey{}, x)
	if s.log.Enabled(s.life, slog.LevelDebug) {
		x.started = time.Now()
	}
	return x
}

// identify gives the exchange its id, the client's own if that is sane, and writes
// the headers that every answer has.
func (x *exchange) identify(own []byte) {
	if isRequestID(own) {
		x.id = append(x.idSpace[:0], own...)
	} else if id, err := x.ids.New(); err == nil {
		x.id = id.Append(x.idSpace[:0])
	}
	h := &x.http.Response.Header
	h.SetCanonical(headerRequestID, x.id)
	h.SetCanonical(headerCacheControl, valueNoStore)
	h.SetCanonical(headerNoSniff, valueNoSniff)
}

func isRequestID(b []byte) bool {
	for _, c := range b {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return len(b) >= 1 && len(b) <= maxRequestID
}

// finish ends every exchange: a panic becomes a 500, the outcome is counted for
// the key, the request is logged, and the memory goes back.
func (s *Server) finish(x *exchange) {
	if p := recover(); p != nil {
		x.http.Response.ResetBody()
		_ = x.fail(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
	status := x.http.Response.StatusCode()
	if x.admitted.Key != nil {
		s.auth.Finish(x.admitted, status)
	}
	if !x.started.IsZero() {
		s.logAccess(x, status)
	}
	x.http, x.path, x.row, x.admitted, x.started = nil, nil, nil, auth.Admission{}, time.Time{}
	s.exchanges.Put(x)
}

// logAccess tells what was asked of whom, never with what: no header, query, body
// or path, for a path may hold a mistyped secret.
func (s *Server) logAccess(x *exchange, status int) {
	template, key := "", ""
	if x.row != nil {
		template = x.row.method + " " + x.row.path
	}
	if x.admitted.Key != nil {
		key = x.admitted.Key.ID.String()
	}
	s.log.LogAttrs(s.life, slog.LevelDebug, "request", slog.String("request_id", string(x.id)),
		slog.String("route", template), slog.String("key_uid", key), slog.Int("status", status),
		slog.Duration("duration", time.Since(x.started)))
}

// checkMessage refuses messages that are dangerous whatever they ask for. Their
// connection is closed after the answer.
func checkMessage(h *fasthttp.RequestHeader) error {
	if p := h.Protocol(); string(p) != "HTTP/1.1" && string(p) != "HTTP/1.0" {
		return errVersion
	}
	if err := checkFraming(h.RawHeaders()); err != nil {
		return err
	}
	for _, e := range h.PeekAll("Content-Encoding") {
		if len(e) > 0 && !bytes.EqualFold(e, []byte("identity")) {
			return errEncoding
		}
	}
	if !slices.Contains(methods, string(h.Method())) {
		return errUnknownMethod
	}
	return nil
}

// checkFraming reads the header block as it came. Another parser in front of this
// one might end a message elsewhere if it holds both Content-Length and
// Transfer-Encoding (RFC 9112 §6.1), a name with a space in it (§5.1), a line that
// continues the one before it (§5.2), or one that ends without a carriage return
// (§2.2).
func checkFraming(block []byte) error {
	var length, encoding bool
	for len(block) > 0 {
		end := bytes.IndexByte(block, '\n')
		if end < 1 || block[end-1] != '\r' {
			return errFraming
		}
		name := block[:max(0, bytes.IndexByte(block[:end], ':'))]
		if block[0] == ' ' || block[0] == '\t' || bytes.IndexByte(name, ' ') >= 0 {
			return errFraming
		}
		length = length || bytes.EqualFold(name, []byte("content-length"))
		encoding = encoding || bytes.EqualFold(name, []byte("transfer-encoding"))
		block = block[end+1:]
	}
	if length && encoding {
		return errFraming
	}
	return nil
}

// guard puts the checks that a row of the route table asks for before its handler.
func (s *Server) guard(row *route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		x := exchangeOf(c.Context())
		x.path, x.row = c, row
		if row.access != open {
			if err := x.admit(row); err != nil {
				return err
			}
		}
		return row.handle(x)
	}
}

// admit checks host and media type, then asks the authenticator once: who is it,
// from where, with which scope, within which limit.
func (x *exchange) admit(row *route) error {
	if err := x.checkHost(); err != nil {
		return err
	}
	if row.body != noBody {
		if err := x.checkMedia(row.body); err != nil {
			return err
		}
	}
	h := &x.http.Request.Header
	token, err := bearerToken(h.PeekAll("Authorization"))
	if err != nil {
		if limited := x.auth.Failed(x.clientAddr()); limited != nil {
			return limited
		}
		return err
	}
	x.admitted, err = x.auth.Admit(x.life, auth.Request{
		Token: token, Addr: x.clientAddr(), UserAgent: h.UserAgent(), Scope: row.access.scope(),
	})
	x.writeLimits()
	return err
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

// checkMedia wants application/json, with no parameter but charset=utf-8. An
// optional body that is absent needs no type.
func (x *exchange) checkMedia(need bodyNeed) error {
	media := x.http.Request.Header.ContentType()
	if need == mayHaveBody && len(media) == 0 && len(x.body()) == 0 {
		return nil
	}
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
