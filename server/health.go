package server

import "github.com/valyala/fasthttp"

// live says that the process answers. It never touches the store.
func live(x *exchange) error {
	return x.send(fasthttp.StatusOK, []byte(`{"status":"alive"}`))
}

// ready says whether requests should be sent here.
func ready(x *exchange) error {
	if x.draining.Load() {
		return x.send(fasthttp.StatusServiceUnavailable, []byte(`{"status":"draining","degraded":[]}`))
	}
	return x.send(fasthttp.StatusOK, []byte(`{"status":"ready","degraded":[]}`))
}
