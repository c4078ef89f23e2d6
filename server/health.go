package server

import (
	"time"

	"github.com/valyala/fasthttp"
)

// live says that the process answers. It never touches the store.
func live(x *exchange) error {
	return x.send(fasthttp.StatusOK, []byte(`{"status":"alive"}`))
}

// ready says whether requests should be sent here. A store that has failed takes
// no more writes, and the process is about to end. One that is short of disk space
// takes none either, but goes on reading and verifying keys.
func ready(x *exchange) error {
	state := "ready"
	switch {
	case x.draining.Load():
		state = "draining"
	case x.store.Health() != nil:
		state = "failed"
	}
	if state != "ready" {
		x.retryAfter(time.Second)
		return x.send(fasthttp.StatusServiceUnavailable, []byte(`{"status":"`+state+`","degraded":[]}`))
	}
	w := x.newWriter()
	defer x.free(w)
	w.open('{')
	w.text("status", state)
	w.texts("degraded", x.store.Troubles())
	w.close('}')
	return x.sendCopy(fasthttp.StatusOK, w.buf)
}
