package server

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/valyala/fasthttp"

	"exante/auth"
)

// maxRequestID is the longest X-Request-Id that is echoed.
const maxRequestID = 128

// receive is what fasthttp calls for every message it could parse.
func (s *Server) receive(c *fasthttp.RequestCtx) {
	x := exchangeOf(c) // that was asked before its body was sent
	if x == nil {
		x = s.begin(c)
	}
	x.asking = false
	s.traffic.inFlight.Add(1)
	defer s.finish(x)
	s.answer(x)
}

// answer lets what may be a request find its route.
func (s *Server) answer(x *exchange) {
	if !x.granted {
		x.identify(x.http.Request.Header.Peek("X-Request-Id"))
	}
	if err := checkMessage(&x.http.Request.Header); err != nil {
		x.hangUp()
		_ = x.fail(err)
		return
	}
	s.router(x.http)
}

// refuseUnparsed answers what is not a request. Nothing of it is echoed.
func (s *Server) refuseUnparsed(c *fasthttp.RequestCtx, err error) {
	x := s.begin(c)
	s.traffic.inFlight.Add(1)
	defer s.finish(x)
	x.identify(nil)
	x.hangUp()
	_ = x.fail(unparsed(err))
}

func (s *Server) begin(c *fasthttp.RequestCtx) *exchange {
	x := s.exchanges.Get().(*exchange)
	x.http, x.counters, x.started = c, &s.traffic.unrouted, s.options.Now()
	c.SetUserValue(exchangeKey{}, x)
	return x
}

// identify gives the exchange its id, the client's own if that is sane, and writes
// the headers that every answer has.
func (x *exchange) identify(own []byte) {
	x.id = x.idSpace[:0]
	if isRequestID(own) {
		x.id = append(x.id, own...)
	} else if id, err := x.ids.New(); err == nil {
		x.id = id.Append(x.id)
	}
	h := &x.http.Response.Header
	h.SetCanonical(headerRequestID, x.id)
	h.SetCanonical(headerCacheControl, valueNoStore)
	h.SetCanonical(headerNoSniff, valueNoSniff)
	if x.tls != nil {
		h.SetCanonical(headerSecurity, valueSecurity)
	}
}

// isRequestID reports whether b may be echoed and logged: short, plain, and no
// key that ended up in the wrong header.
func isRequestID(b []byte) bool {
	if bytes.Contains(b, []byte("ex_")) {
		return false
	}
	for _, c := range b {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return len(b) >= 1 && len(b) <= maxRequestID
}

// finish ends every exchange, but for one that goes on with its body: a panic
// becomes a 500, the outcome is counted for the key, the request is logged, and the memory goes back. A draining server ends
// the connection as well: fasthttp learns of the stop later than a client may ask.
func (s *Server) finish(x *exchange) {
	if p := recover(); p != nil {
		x.http.Response.ResetBody()
		_ = x.fail(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	} else if x.asking && x.granted {
		s.traffic.inFlight.Add(-1)
		return
	}
	if s.draining.Load() {
		x.http.SetConnectionClose()
	}
	status, took := x.http.Response.StatusCode(), s.options.Now().Sub(x.started)
	s.auth.Finish(x.admitted, auth.Answer{At: x.started, Took: took, Route: x.routeName(), Status: status}, x.id)
	x.counters.answered(status, took)
	s.traffic.inFlight.Add(-1)
	if s.options.RequestLog != nil && status >= s.options.RequestLogFrom {
		x.logRequest(status, took)
	}
	x.http, x.path, x.row, x.admitted, x.claim, x.counters = nil, nil, nil, auth.Admission{}, claim{}, nil
	x.asking, x.granted = false, false
	s.exchanges.Put(x)
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
