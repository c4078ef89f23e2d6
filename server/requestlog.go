package server

import (
	"log/slog"
	"time"
)

// logRequest tells what was asked of whom, and never with what: no header, query,
// body or path, for a path may hold a mistyped secret.
func (x *exchange) logRequest(status int, took time.Duration) {
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("request_id", string(x.id)), slog.String("route", x.routeName()), slog.Int("status", status))
	if n := x.answerBytes(); n >= 0 {
		attrs = append(attrs, slog.Int("bytes", n))
	}
	attrs = append(attrs, slog.Int64("duration_us", took.Microseconds()), slog.String("peer", x.clientAddr().String()))
	if key := x.admitted.Key; key != nil {
		attrs = append(attrs, slog.String("key_uid", key.ID.String()))
	}
	x.options.RequestLog.LogAttrs(x.life, slog.LevelInfo, "request", attrs...)
}

// routeName is the route as people are told it.
func (x *exchange) routeName() string {
	if x.http.IsHead() {
		return x.counters.head
	}
	return x.counters.name
}

// answerBytes is the length of the answer's body; -1 for an export, whose length
// nobody knows before its end.
func (x *exchange) answerBytes() int {
	r := &x.http.Response
	switch {
	case x.http.IsHead():
		return 0
	case r.IsBodyStream():
		return max(-1, r.Header.ContentLength())
	}
	return len(r.Body())
}
