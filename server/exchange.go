package server

import (
	"bytes"
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/filter"
)

// exchange is one request and its answer: what the middleware found out, and what
// a handler reads and answers through. It is reused: nothing keeps it, or bytes
// of the request, beyond the answer.
type exchange struct {
	*Server
	http     *fasthttp.RequestCtx
	path     *fiber.Ctx // path parameters; nil before a route matched
	row      *route     // nil before a route matched
	admitted auth.Admission
	claim    claim // Idempotency-Key of a POST
	started  time.Time

	counters *routeTraffic // of its route, or those of what has none

	asking  bool // whether to send the body: no more is done than decide
	granted bool // the checks of the route were passed while it asked

	id      []byte // request id, in idSpace
	idSpace [maxRequestID]byte
	scratch []byte // for header values
	space   []byte // for the body
}

// exchangeKey finds the exchange among the user values of a request.
type exchangeKey struct{}

func exchangeOf(c *fasthttp.RequestCtx) *exchange {
	x, _ := c.UserValue(exchangeKey{}).(*exchange)
	return x
}

// handler answers one route. An error it returns is answered by fail.
type handler func(x *exchange) error

// ctx bounds calls of the store: it ends when the server has drained. A client
// that goes away does not take back what it asked for.
func (x *exchange) ctx() context.Context { return x.life }

// org is the organization of the key that asks: the only one whose records exist.
func (x *exchange) org() uid.ID { return x.admitted.Key.OrgID }

// by is who asks, for the rules and the audit log.
func (x *exchange) by() auth.Principal {
	k := x.admitted.Key
	return auth.Principal{
		OrgID: k.OrgID, UserID: k.UserID, Key: k,
		Addr: x.clientAddr(), RequestID: string(x.id),
	}
}

// pathID is the uid in the path. A malformed one takes the way of an absent one.
func (x *exchange) pathID() uid.ID { return idOrNowhere(x.path.Params("uid"), 0) }

// body is the request's body as it came; it was never decompressed.
func (x *exchange) body() []byte { return x.http.Request.Body() }

// query reads the parameters of the request.
func (x *exchange) query() *filter.Query { return filter.Read(x.http.URI().QueryString()) }

// ifMatch is the version that If-Match demands (RFC 9110 §13.1.1); 0: any. Of
// several the highest counts: versions only grow, so no older one can be current.
// What we never sent, a weak tag included, matches no version.
func (x *exchange) ifMatch() uint64 {
	lines := x.http.Request.Header.PeekAll("If-Match")
	if len(lines) == 0 || len(lines) == 1 && string(lines[0]) == "*" {
		return 0
	}
	highest := uint64(0)
	for tag := range bytes.SplitSeq(bytes.Join(lines, []byte(",")), []byte(",")) {
		text := string(bytes.TrimSpace(tag))
		v, err := strconv.ParseUint(strings.Trim(text, `"`), 10, 64)
		if err == nil && text == string(appendTag(nil, v)) {
			highest = max(highest, v)
		}
	}
	if highest == 0 {
		return math.MaxUint64
	}
	return highest
}

// tag writes the strong ETag of the record that is answered: its version, which
// does not move with fields that are computed from the clock.
func (x *exchange) tag(version uint64) *exchange {
	x.scratch = appendTag(x.scratch[:0], version)
	x.http.Response.Header.SetCanonical(headerETag, x.scratch)
	return x
}

func appendTag(b []byte, version uint64) []byte {
	return append(strconv.AppendUint(append(b, '"'), version, 10), '"')
}

// answer sends the success envelope around what data writes.
func (x *exchange) answer(status int, message string, data func(w *jsonWriter)) error {
	w := x.newWriter()
	defer x.free(w)
	w.success(status, message, data)
	return x.sendCopy(status, w.buf)
}

// sendCopy answers with JSON that the caller goes on to use for something else.
func (x *exchange) sendCopy(status int, body []byte) error {
	x.http.Response.SetStatusCode(status)
	x.http.Response.Header.SetContentTypeBytes(mediaJSON)
	x.http.Response.SetBody(body)
	return nil
}

// send answers with JSON that stays unchanged for ever: it may be shared.
func (x *exchange) send(status int, body []byte) error {
	x.http.Response.SetStatusCode(status)
	x.http.Response.Header.SetContentTypeBytes(mediaJSON)
	x.http.Response.SetBodyRaw(body)
	return nil
}

// empty is the data of an answer that has none.
func empty(w *jsonWriter) {
	w.open('{')
	w.close('}')
}
