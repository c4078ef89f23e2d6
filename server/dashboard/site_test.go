package dashboard_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/server"
	"exante/storage"
	"exante/storage/storagetest"
)

// site is a real server with pages on a real port, over a real store in which two
// organizations are, each with a user of every role.
type site struct {
	tb    testing.TB
	store *storage.Store
	auth  *auth.Authenticator
	clock *storagetest.Clock
	log   *storagetest.Log
	url   string
	acme  company
	rival company
}

// company is an organization and its people. Each has the password of passwordOf.
type company struct {
	org                  storage.Organization
	by                   auth.Principal // an operator, acting in org
	owner, admin, viewer storage.User
}

func passwordOf(u storage.User) string { return "correct horse " + string(u.Role) }

// open starts a site where passwords cost nothing and any number may be checked at once.
func open(tb testing.TB, change ...func(*server.Options)) *site {
	tb.Helper()
	return openBehind(tb, storagetest.Hasher(tb), change...)
}

// openBehind starts a site with a gate of its own before argon2id. A key may be wrong often.
func openBehind(tb testing.TB, gate *auth.Hasher, change ...func(*server.Options)) *site {
	tb.Helper()
	s := &site{tb: tb, clock: storagetest.NewClock(), log: &storagetest.Log{}}
	stored := storagetest.Options(tb, s.clock)
	stored.Hasher = gate
	s.store = storagetest.Reopen(tb, stored)
	limits, err := auth.ParseLimits("1000000/1m")
	s.must(err)
	s.auth, err = auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: s.store.Keyring(), Hasher: stored.Hasher, Ledger: s.store,
		Limits: limits, Failures: limits, Now: s.clock.Now,
	})
	s.must(err)
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	options := server.Options{
		Store: s.store, Auth: s.auth, Environment: auth.Live, Now: s.clock.Now, Log: log, RequestLog: log,
		Dashboard: &server.DashboardOptions{SessionIdle: 30 * time.Minute, SessionMax: 12 * time.Hour},
	}
	for _, c := range change {
		c(&options)
	}
	s.listen(options)
	s.acme, s.rival = s.company("Acme"), s.company("Rival")
	return s
}

// listen serves until the test ends.
func (s *site) listen(o server.Options) {
	s.tb.Helper()
	made, err := server.New(o)
	s.must(err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.url = "http://" + ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- made.Serve(ln) }()
	s.tb.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		s.must(made.Shutdown(ctx))
		s.must(<-served)
		s.must(s.auth.Close(ctx))
	})
}

func (s *site) company(name string) company {
	s.tb.Helper()
	c := company{}
	c.org, c.by = storagetest.Org(s.tb, s.store, name)
	owner, err := s.store.OwnerOf(s.tb.Context(), c.org.ID)
	s.must(err)
	c.owner = s.withPassword(c, owner)
	for _, role := range []storage.Role{storage.Admin, storage.Viewer} {
		u, err := s.store.CreateUser(s.tb.Context(), c.by, storage.UserDraft{
			Email: string(role) + "@" + strings.ToLower(name) + ".example", Name: name + " " + string(role), Role: role,
		})
		s.must(err)
		if u = s.withPassword(c, u); role == storage.Admin {
			c.admin = u
		} else {
			c.viewer = u
		}
	}
	return c
}

func (s *site) withPassword(c company, u storage.User) storage.User {
	s.tb.Helper()
	u, err := s.store.SetPassword(s.tb.Context(), c.by, u.ID, auth.NewPassword(passwordOf(u)))
	s.must(err)
	return u
}

func (s *site) must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
}

// visitor is a browser without a script: it keeps cookies, and says where from it asks.
type visitor struct {
	*site
	client *http.Client
}

// visitor comes for the first time.
func (s *site) visitor() *visitor {
	s.tb.Helper()
	jar, err := cookiejar.New(nil)
	s.must(err)
	v := &visitor{site: s, client: &http.Client{Jar: jar, Timeout: time.Minute}}
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.tb.Cleanup(v.client.CloseIdleConnections)
	return v
}

// as is a visitor who has signed in as u.
func (s *site) as(u storage.User) *visitor {
	s.tb.Helper()
	v := s.visitor()
	v.post("/sign-in", "email", u.Email, "password", passwordOf(u)).leadsTo("/")
	return v
}

// reply is a response, read to the end.
type reply struct {
	tb     testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// get asks for a page, and goes nowhere else.
func (v *visitor) get(path string, headers ...string) reply {
	v.tb.Helper()
	return v.send("GET", path, "", headers...)
}

// post sends a form of names and values, as a page of the site does.
func (v *visitor) post(path string, pairs ...string) reply {
	v.tb.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.send("POST", path, form.Encode(), "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")
}

// send sends a request; headers are name, value, name, value…
func (v *visitor) send(method, path, body string, headers ...string) reply {
	v.tb.Helper()
	req, err := http.NewRequestWithContext(v.tb.Context(), method, v.url+path, strings.NewReader(body))
	v.must(err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := v.client.Do(req)
	v.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	v.must(err)
	return reply{v.tb, method + " " + path, resp.StatusCode, resp.Header, string(text)}
}

// shows checks for a page with that status and these texts in it.
func (r reply) shows(status int, texts ...string) reply {
	r.tb.Helper()
	if r.status != status {
		r.tb.Fatalf("%s: %d, want %d\n%s", r.what, r.status, status, r.text())
	}
	for _, text := range texts {
		if !strings.Contains(r.text(), text) {
			r.tb.Errorf("%s does not show %q:\n%s", r.what, text, r.text())
		}
	}
	return r
}

// hides checks that none of the texts is anywhere in the page.
func (r reply) hides(texts ...string) reply {
	r.tb.Helper()
	for _, text := range texts {
		if strings.Contains(r.body, text) {
			r.tb.Errorf("%s has %q", r.what, text)
		}
	}
	return r
}

// leadsTo checks for a redirection to a path.
func (r reply) leadsTo(path string) reply {
	r.tb.Helper()
	if got := r.header.Get("Location"); r.status != http.StatusSeeOther || got != path {
		r.tb.Fatalf("%s: %d to %q, want %q\n%s", r.what, r.status, got, path, r.text())
	}
	return r
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
	chars  = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&")
)

// text is what a reader sees of the page, roughly.
func (r reply) text() string {
	return chars.Replace(strings.TrimSpace(spaces.ReplaceAllString(tags.ReplaceAllString(r.body, " "), " ")))
}

func escaped(s string) string { return url.QueryEscape(s) }
