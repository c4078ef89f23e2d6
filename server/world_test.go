package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"exante/auth"
	"exante/server"
	"exante/server/openapi"
	"exante/server/openapi/contract"
	"exante/storage"
	"exante/storage/storagetest"
)

// world is a real server on a real port over a real store, with two tenants in it.
type world struct {
	tb     testing.TB
	store  *storage.Store
	auth   *auth.Authenticator
	hasher *auth.Hasher
	server *server.Server
	addr   string
	clock  *storagetest.Clock
	log    *storagetest.Log
	acme   tenant
	rival  tenant
}

// tenant is an organization and a key of it that may do everything.
type tenant struct {
	org storage.Organization
	by  auth.Principal // an operator, acting in org
	key string
	id  string // uid of key
}

// begin is the first instant of every world.
var begin = storagetest.Begin

// settings are what a test may change before a world starts.
type settings struct {
	server server.Options
	auth   auth.AuthenticatorOptions
	store  storage.Options
}

// start opens a world with generous limits.
func start(tb testing.TB, change func(*server.Options)) *world {
	return startWith(tb, func(s *settings) {
		if change != nil {
			change(&s.server)
		}
	})
}

func startWith(tb testing.TB, change func(*settings)) *world {
	tb.Helper()
	w := &world{tb: tb, clock: storagetest.NewClock(), log: &storagetest.Log{}}
	s := settings{
		store: storagetest.Options(tb, w.clock),
		auth: auth.AuthenticatorOptions{Environment: auth.Live, Now: w.clock.Now,
			Limits: limits(tb, "1000000/1m"), Failures: limits(tb, "1000000/1m")},
		server: server.Options{Now: w.clock.Now, Environment: auth.Live,
			Log:        slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			RequestLog: slog.New(slog.NewTextHandler(w.log, nil))},
	}
	change(&s)
	w.store = storagetest.Reopen(tb, s.store)
	s.auth.Hasher = s.store.Hasher
	w.hasher = s.store.Hasher
	var err error
	s.auth.Keyring, s.auth.Ledger = w.store.Keyring(), w.store
	w.auth, err = auth.NewAuthenticator(s.auth)
	w.must(err)
	s.server.Store, s.server.Auth = w.store, w.auth
	w.server, err = server.New(s.server)
	w.must(err)
	w.listen()
	w.acme, w.rival = w.tenant("Acme"), w.tenant("Rival")
	return w
}

// listen serves until the test ends.
func (w *world) listen() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ln) }()
	w.tb.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx := context.Background() // the test's own has ended
		w.must(w.server.Shutdown(ctx))
		w.must(<-served)
		w.must(w.auth.Close(ctx))
	})
}

func limits(tb testing.TB, text string) auth.Limits {
	l, err := auth.ParseLimits(text)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func (w *world) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) tenant(name string) tenant {
	w.tb.Helper()
	org, by := storagetest.Org(w.tb, w.store, name)
	t := tenant{org: org, by: by}
	t.id, t.key = w.mint(t, storage.KeyDraft{Name: name + " root", Scopes: auth.FullAccess})
	return t
}

// mint makes a key as an operator would.
func (w *world) mint(t tenant, d storage.KeyDraft) (id, key string) {
	w.tb.Helper()
	k, token, err := w.store.CreateKey(w.tb.Context(), t.by, d)
	w.must(err)
	return k.ID.String(), token.Reveal()
}

// reply is an answer, read to the end.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request; headers are name, value, name, value…
func (w *world) do(method, path, key, body string, headers ...string) reply {
	w.tb.Helper()
	req, err := http.NewRequestWithContext(w.tb.Context(), method, "http://"+w.addr+path, strings.NewReader(body))
	w.must(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		if headers[i] == "Content-Type" {
			req.Header.Del("Content-Type")
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	answer := contract.Answer{Method: method, Target: path, Status: resp.StatusCode, Header: resp.Header, Body: text}
	if err := document(w.tb).Check(answer); err != nil {
		w.tb.Errorf("the answer is not in the OpenAPI document: %v", err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// document is the contract that every answer is held against.
func document(tb testing.TB) *contract.Document {
	tb.Helper()
	d, err := loadDocument()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

var loadDocument = sync.OnceValues(func() (*contract.Document, error) {
	site, err := openapi.New()
	if err != nil {
		return nil, err
	}
	if *update { // the examples are being made
		return contract.Load(site.Document.Body, openapi3.DisableExamplesValidation())
	}
	return contract.Load(site.Document.Body)
})

func (w *world) get(path, key string) reply { return w.do("GET", path, key, "") }

// data is the data of a success with that status, as decoded JSON.
func (w *world) data(r reply, status int) map[string]any {
	w.tb.Helper()
	var envelope struct {
		Status     string
		StatusCode int `json:"status_code"`
		Message    string
		Data       map[string]any
	}
	if err := json.Unmarshal([]byte(r.body), &envelope); err != nil || r.status != status || envelope.StatusCode != status || envelope.Status != "success" || envelope.Message == "" {
		w.tb.Fatalf("%d %s (%v), want a success with %d", r.status, r.body, err, status)
	}
	return envelope.Data
}

// refused checks that a reply is the error with that status and code, and returns its details.
func (w *world) refused(r reply, status int, code string) []string {
	w.tb.Helper()
	var e struct {
		Error, Code string
		Details     []string
		RequestID   string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil || r.status != status || e.Code != code || e.Error == "" || e.Details == nil {
		w.tb.Fatalf("%d %s (%v), want %d %s", r.status, r.body, err, status, code)
	}
	if id := r.header.Get("X-Request-Id"); id == "" || id != e.RequestID {
		w.tb.Errorf("X-Request-Id %q, body says %q", id, e.RequestID)
	}
	return e.Details
}

// party, invoice and line make records through the API and return what was answered.
func (w *world) party(key, name string) map[string]any {
	w.tb.Helper()
	return w.data(w.do("POST", "/api/parties", key, fmt.Sprintf(`{"name":%q}`, name)), 201)
}

func (w *world) invoice(key, fields string) map[string]any {
	w.tb.Helper()
	party := w.party(key, "Client")["uid"]
	if fields != "" {
		fields = "," + fields
	}
	return w.data(w.do("POST", "/api/invoices", key, fmt.Sprintf(`{"target_party_uid":%q%s}`, party, fields)), 201)
}
