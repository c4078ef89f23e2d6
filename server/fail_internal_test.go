package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"exante/auth"
	"exante/storage"
	"exante/storage/storagetest"
)

// newServer is a server that answers without a network.
func newServer(t *testing.T, log *bytes.Buffer) *Server {
	t.Helper()
	store, clock := storagetest.Open(t, nil)
	authenticator, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: store.Keyring(), Hasher: storagetest.Hasher(t), Now: clock.Now,
		Limits: auth.Limits{{Limit: 10, Every: time.Minute}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Store: store, Auth: authenticator, Now: clock.Now, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request straight to receive.
func ask(s *Server, method, path string) *fasthttp.Response {
	var c fasthttp.RequestCtx
	c.Init(&fasthttp.Request{}, nil, nil)
	c.Request.Header.SetMethod(method)
	c.Request.SetRequestURI(path)
	s.receive(&c)
	return &c.Response
}

// with adds one route to a server that has been made.
func with(t *testing.T, s *Server, h handler) {
	t.Helper()
	if err := s.mount([]route{{"GET", "/test", open, inPath, h}}); err != nil {
		t.Fatal(err)
	}
	s.router = s.app.Handler()
}

func TestPanicBecomesAFixedAnswer(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, &log)
	with(t, s, func(x *exchange) error {
		_ = x.send(200, []byte("half an answer"))
		panic("inner secret")
	})
	for range 2 {
		r := ask(s, "GET", "/test")
		body := string(r.Body())
		if r.StatusCode() != 500 || !strings.Contains(body, `"code":"internal"`) || strings.Contains(body, "secret") || strings.Contains(body, "half") {
			t.Errorf("%d %s", r.StatusCode(), body)
		}
		id := string(r.Header.Peek("X-Request-Id"))
		if !strings.Contains(log.String(), "request_id="+id) || !strings.Contains(log.String(), "panic: inner secret") {
			t.Errorf("the log lacks the panic of %s: %s", id, log.String())
		}
	}
	if r := ask(s, "GET", "/livez"); r.StatusCode() != 200 {
		t.Errorf("afterwards: %d", r.StatusCode())
	}
}

func TestUnknownErrorIsLoggedOnceAndNotShown(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, &log)
	with(t, s, func(*exchange) error { return fmt.Errorf("read page: %w", errors.New("disk on fire")) })
	r := ask(s, "GET", "/test")
	want := fmt.Sprintf(`{"error":%q,"code":"internal","details":[],"request_id":%q}`, internal.text, r.Header.Peek("X-Request-Id"))
	if body := string(r.Body()); body != want || r.StatusCode() != 500 {
		t.Errorf("%d %s, want %s", r.StatusCode(), body, want)
	}
	if n := strings.Count(log.String(), "read page: disk on fire"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}

func TestRefusalsCarryTheirHints(t *testing.T) {
	for _, c := range []struct {
		err           error
		status        int
		header, value string
	}{
		{auth.ErrNoToken, 401, "WWW-Authenticate", `Bearer realm="exante"`},
		{auth.ErrBadToken, 401, "WWW-Authenticate", `Bearer realm="exante", error="invalid_token"`},
		{&auth.ScopeError{Need: auth.PartiesRead}, 403, "WWW-Authenticate", `Bearer error="insufficient_scope", scope="parties:read"`},
		{&auth.LimitError{RetryAfter: 1500 * time.Millisecond}, 429, "Retry-After", "2"},
		{&auth.LimitError{RetryAfter: time.Nanosecond}, 429, "Retry-After", "1"},
		{&auth.BusyError{RetryAfter: 0}, 503, "Retry-After", "1"},
		{storage.ErrClosed, 503, "Retry-After", "1"},
		{storage.ErrNotFound, 404, "Retry-After", ""},
		{storage.ErrUnknown, 500, "Retry-After", ""},
		{fmt.Errorf("wrapped: %w", storage.ErrTooLarge), 413, "Retry-After", ""},
	} {
		var log bytes.Buffer
		s := newServer(t, &log)
		with(t, s, func(*exchange) error { return c.err })
		r := ask(s, "GET", "/test")
		_, after, _ := strings.Cut(r.Header.String(), "\r\n"+c.header+": ")
		if got, _, _ := strings.Cut(after, "\r\n"); r.StatusCode() != c.status || got != c.value {
			t.Errorf("%v: %d, %s = %q, want %d, %q", c.err, r.StatusCode(), c.header, got, c.status, c.value)
		}
		if ours := c.status == 500; ours != (log.Len() > 0) {
			t.Errorf("%v: log = %q", c.err, log.String())
		}
	}
}

func TestHugeAnswersAreNotKeptInMemory(t *testing.T) {
	s := newServer(t, &bytes.Buffer{})
	w := &jsonWriter{buf: make([]byte, 0, maxPooled+1)}
	s.free(w)
	if got := s.newWriter(); got == w || len(got.buf) != 0 {
		t.Error("a huge buffer came back")
	}
}
