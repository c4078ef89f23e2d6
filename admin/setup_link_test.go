package admin_test

import (
	"errors"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"exante/admin"
	"exante/auth"
	"exante/storage"
)

var printedLink = regexp.MustCompile(`(?m)^(?:dashboard: )?(http://\S+)/setup/(ex_setup_\S+)$`)

// linkIn is the one setup link in a text, and where it leads.
func linkIn(t *testing.T, text string) (base string, token auth.SetupToken) {
	t.Helper()
	all := printedLink.FindAllStringSubmatch(text, -1)
	if len(all) != 1 {
		t.Fatalf("%d links in %s", len(all), text)
	}
	token, ok := auth.ParseSetup(all[0][2])
	if !ok {
		t.Fatalf("what stands in the link is none of a setup link's: %s", text)
	}
	return all[0][1], token
}

// leads reports whose link it is, "" if it leads nowhere.
func leads(t *testing.T, store *storage.Store, token auth.SetupToken) string {
	t.Helper()
	user, _, err := store.Setup(t.Context(), token)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	return user.Email
}

// A link that was made beside a running server leads to it; one that was made while
// it was stopped leads to where it will be.
func TestSetupLinkOfAUser(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	create := func(email string) (base string, token auth.SetupToken) {
		t.Helper()
		r := exante(t, "users", "create", "--email", email, "--data-dir", dir)
		if r.code != 0 || len(r.stdout) != 37 {
			t.Fatalf("%+v", r)
		}
		return linkIn(t, r.stderr)
	}
	base, ada := create("ada@b.example")
	if base != "http://127.0.0.1:8080" {
		t.Errorf("stopped, the link leads to %s", base)
	}
	replaced := must(t, "users", "password", "ada@b.example", "--link", "--data-dir", dir)
	_, second := linkIn(t, replaced)
	store := run(t, dir).store
	if leads(t, store, ada) != "" || leads(t, store, second) != "ada@b.example" {
		t.Errorf("the first link leads to %q, the second to %q", leads(t, store, ada), leads(t, store, second))
	}
	_, bob := create("bob@b.example")
	made := decode[admin.NewUser](t, must(t, "users", "create", "--email", "eve@b.example", "--json", "--data-dir", dir))
	_, eve := linkIn(t, made.SetupURL.Reveal())
	if leads(t, store, bob) != "bob@b.example" || leads(t, store, eve) != "eve@b.example" || made.SetupExpiresAt == nil {
		t.Errorf("links of %q and %q, until %v", leads(t, store, bob), leads(t, store, eve), made.SetupExpiresAt)
	}
	if ends, err := time.Parse(time.RFC3339, *made.SetupExpiresAt); err != nil || time.Until(ends) > storage.SetupTime || time.Until(ends) < storage.SetupTime-time.Minute {
		t.Errorf("it ends at %s, %v", *made.SetupExpiresAt, err)
	}
}

func TestWithoutADashboardThereIsNoLink(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	t.Setenv("EXANTE_DASHBOARD_ENABLED", "false")
	r := exante(t, "users", "create", "--email", "ada@b.example", "--data-dir", dir)
	if r.code != 0 || len(r.stdout) != 37 || strings.Contains(r.stderr, "/setup/") {
		t.Errorf("%+v", r)
	}
	made := decode[admin.NewUser](t, must(t, "users", "create", "--email", "bob@b.example", "--json", "--data-dir", dir))
	if made.SetupURL != nil || made.SetupExpiresAt != nil || made.Email != "bob@b.example" {
		t.Errorf("%+v", made)
	}
	fails(t, 2, "dashboard.enabled: is false", "users", "password", "ada@b.example", "--link", "--data-dir", dir)
	t.Setenv("EXANTE_DASHBOARD_ENABLED", "true")
	t.Setenv("EXANTE_SERVER_LISTEN", "127.0.0.1:0")
	fails(t, 2, "server.listen: takes a free port", "users", "password", "ada@b.example", "--link", "--data-dir", dir)
}

// While nobody can sign in the server tells of a link, a new one at each start.
func TestServeTellsOfASetupLink(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	serve := func(sign string, flags ...string) string {
		t.Helper()
		c := start(t, program(append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", dir}, flags...)...), sign)
		must(t, "verify", "--data-dir", dir) // by which it has told all that it has to tell
		if code := c.signal(t, syscall.SIGTERM); code != 0 {
			t.Fatalf("exit %d\n%s", code, c.output.String())
		}
		return c.output.String()
	}
	base, first := linkIn(t, serve("/setup/"))
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9]\d*$`).MatchString(base) {
		t.Errorf("the link leads to %s", base)
	}
	out := serve("/setup/", "--server-public-url", "http://billing.example.com", "--log-format", "json", "--log-level", "debug")
	base, second := linkIn(t, out)
	if base != "http://billing.example.com" || strings.Index(out, "listening on") > strings.Index(out, "/setup/") {
		t.Errorf("the link leads to %s\n%s", base, out)
	}
	store := openStore(t, dir)
	owner := leads(t, store, second)
	if leads(t, store, first) != "" || !strings.HasPrefix(owner, "owner@") {
		t.Errorf("the first link leads to %q, the second to %q", leads(t, store, first), owner)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if out := serve("listening on", "--dashboard-enabled", "false"); strings.Contains(out, "setup") {
		t.Errorf("without a dashboard it tells\n%s", out)
	}
	if r := exanteGiven(t, password+"\n", "users", "password", owner, "--stdin", "--data-dir", dir); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if out := serve("listening on"); strings.Contains(out, "setup") {
		t.Errorf("somebody can sign in, and it tells\n%s", out)
	}
}

// Nothing can be set up where there is nobody.
func TestServeOfAnEmptyStoreTellsOfNoLink(t *testing.T) {
	dir := dataDir(t)
	c := start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
	must(t, "verify", "--data-dir", dir) // by which it has told all that it has to tell
	if code := c.signal(t, syscall.SIGTERM); code != 0 || strings.Contains(c.output.String(), "setup") {
		t.Errorf("exit %d\n%s", code, c.output.String())
	}
}

func TestDemoTellsOfItsDashboard(t *testing.T) {
	cmd := program("serve", "--demo", "--listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "TMPDIR="+openDir(t), "EXANTE_SERVER_PUBLIC_URL=https://billing.example.com")
	c := start(t, cmd, "dashboard: ")
	c.await(t, "exante keys list --data-dir")
	base, token := linkIn(t, c.output.String())
	dir := regexp.MustCompile(`exante keys list --data-dir (\S+)`).FindStringSubmatch(c.output.String())
	if !strings.HasPrefix(base, "http://127.0.0.1:") || dir == nil || token.Name().OrgID.IsZero() {
		t.Fatalf("the link leads to %s", base)
	}
	// The demonstration knows the link that it told of: another one replaces it.
	_, other := linkIn(t, must(t, "users", "password", "owner@tidewater.example", "--link", "--data-dir", dir[1]))
	if token.Name().UserID != other.Name().UserID || token.Name().ID == other.Name().ID {
		t.Errorf("links %v and %v", token.Name(), other.Name())
	}
	if code := c.signal(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d:\n%s", code, c.output.String())
	}
}
