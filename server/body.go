package server

import (
	"io"
	"slices"

	"github.com/valyala/fasthttp"
)

// Every body is handed over as a stream, and fasthttp then bounds none of them.
// So a route that wants the whole body has it read here, and one that takes files
// reads them as they come (form.go).

// streamed is the size of a body from which on fasthttp hands it over as a stream,
// instead of waiting for up to 8 KiB of it: who may send it is decided before that.
const streamed = 1

// takeBody reads the whole body of a request, at most maxBody of it. One that is
// too long, too slow or broken off ends the connection: what follows is no request.
// Of a body that is yet to be sent it judges the length.
func (x *exchange) takeBody() error {
	in, length := x.http.RequestBodyStream(), x.http.Request.Header.ContentLength()
	switch {
	case length > maxBody:
		x.hangUp()
		return errBodyTooLarge
	case in == nil:
		return nil
	}
	body, err := readBody(in, x.space[:0], length)
	if cap(body) <= maxPooled {
		x.space = body
	}
	if err != nil {
		x.hangUp()
		return err
	}
	x.http.Request.SetBodyRaw(body)
	return nil
}

// readBody appends what in has to buf, which must be as long as was announced;
// length is -1 where nothing was.
func readBody(in io.Reader, buf []byte, length int) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, 512)
		}
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > maxBody:
			return buf, errBodyTooLarge
		case err == io.EOF && (length < 0 || len(buf) == length):
			return buf, nil
		case err != nil:
			return buf, unparsed(err) // the end, when it is not due, included
		}
	}
}

// expect decides about a request that waits for "100 Continue" before it sends its
// body (RFC 9110 §10.1.1). It goes through all checks that need no body, so that
// one that is refused need not send it. What was found out is kept for receive.
func (s *Server) expect(c *fasthttp.RequestCtx) (status int) {
	x := s.begin(c)
	x.asking = true
	s.traffic.inFlight.Add(1)
	status = internal.status // unless it ends otherwise
	defer s.finish(x)
	s.answer(x)
	if x.granted {
		return fasthttp.StatusContinue
	}
	x.hangUp() // it may have been sent all the same
	return c.Response.StatusCode()
}

// announced reports whether a body is to come, or is there already.
func (x *exchange) announced() bool {
	if x.asking {
		return x.http.Request.Header.ContentLength() != 0
	}
	return len(x.body()) > 0
}
