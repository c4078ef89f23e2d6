package admin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exante/admin"
	"exante/storage"
)

// declared is an installation with a configuration file beside its data directory.
type declared struct{ dir, file, secret string }

func declare(t *testing.T, bootstrap string) declared {
	t.Helper()
	d := declared{dir: dataDir(t)}
	d.file, d.secret = filepath.Join(filepath.Dir(d.dir), "exante.toml"), filepath.Join(filepath.Dir(d.dir), "zapier.key")
	must(t, "keys", "mint", "--output", d.secret)
	d.write(t, bootstrap)
	return d
}

// write makes bootstrap the declaration; FILE in it is the file of the secret.
func (d declared) write(t *testing.T, bootstrap string) {
	t.Helper()
	text := "[storage]\ndir = \"" + d.dir + "\"\n[bootstrap]\n" + strings.ReplaceAll(bootstrap, "FILE", d.secret) + "\n"
	if err := os.WriteFile(d.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serveOnce starts a server, stops it, and returns what it logged.
func (d declared) serveOnce(t *testing.T) string {
	t.Helper()
	c := start(t, program("serve", "--listen", "127.0.0.1:0", "--config", d.file), "listening on")
	if code := c.signal(t, syscall.SIGTERM); code != 0 {
		t.Fatalf("exit %d:\n%s", code, c.output.String())
	}
	must(t, "verify", "--config", d.file)
	return c.output.String()
}

func (d declared) keys(t *testing.T) []admin.JudgedKey {
	t.Helper()
	return decode[[]admin.JudgedKey](t, must(t, "keys", "list", "--json", "--config", d.file))
}

// audit is the audit log, but for the setup links that every start tells of.
func (d declared) audit(t *testing.T) string {
	t.Helper()
	store := openStore(t, d.dir)
	defer store.Close()
	entries, err := store.Audit(t.Context(), storage.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, e := range entries {
		if e.Action == "user.setup.create" {
			continue
		}
		fmt.Fprintf(&lines, "%s by %s\n", e.Action, e.Actor.Kind)
	}
	return lines.String()
}

const fullDeclaration = `organization = "Blue Harbor"
owner_email = "o@blue.example"
keys = ["name=zapier scopes=invoices:read expires_in_days=90 rate_limit=5/1m allowed_cidrs=10.0.0.0/8 secret_file=FILE"]`

func TestServeMakesWhatIsDeclaredOnce(t *testing.T) {
	d := declare(t, fullDeclaration)
	first := d.serveOnce(t)
	if !strings.Contains(first, "made the declared organization") || !strings.Contains(first, "made a declared api key") {
		t.Errorf("logged\n%s", first)
	}
	keys := d.keys(t)
	if len(keys) != 1 || keys[0].Name != "zapier" || strings.Join(keys[0].Scopes, " ") != "invoices:read" || keys[0].State != "active" ||
		strings.Join(keys[0].RateLimits, " ") != "5/1m" || strings.Join(keys[0].AllowedCIDRs, " ") != "10.0.0.0/8" || keys[0].ExpiresAt == nil {
		t.Fatalf("keys = %+v", keys)
	}
	if users := must(t, "users", "list", "--config", d.file, "--json"); !strings.Contains(users, `"email":"o@blue.example"`) {
		t.Errorf("users = %s", users)
	}
	log := d.audit(t)
	for _, want := range []string{"org.create by system\n", "user.create by system\n", "key.create by system\n"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, log)
		}
	}
	if err := os.Remove(d.secret); err != nil { // it has done its work
		t.Fatal(err)
	}
	if again := d.serveOnce(t); strings.Contains(again, "WARN") || strings.Contains(again, "made") {
		t.Errorf("the second start logged\n%s", again)
	}
	if after := d.audit(t); after != log {
		t.Errorf("the second start is in the audit log:\n%s", after)
	}
}

func TestRevokedKeyIsNeverMadeAgain(t *testing.T) {
	d := declare(t, fullDeclaration)
	d.serveOnce(t)
	must(t, "keys", "revoke", d.keys(t)[0].UID, "--yes", "--config", d.file)
	if log := d.serveOnce(t); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, `item="name=zapier state" declared=active found=revoked`) {
		t.Errorf("logged\n%s", log)
	}
	if keys := d.keys(t); len(keys) != 1 || keys[0].State != "revoked" {
		t.Errorf("keys = %+v", keys)
	}
}

func TestWhatDiffersIsReportedAndLeftAlone(t *testing.T) {
	d := declare(t, fullDeclaration)
	d.serveOnce(t)
	before, log := d.keys(t), d.audit(t)
	d.write(t, `organization = "Red Harbor"
owner_email = "p@blue.example"
keys = ["name=zapier scopes=* expires_in_days=30 secret_file=FILE"]`)
	if err := os.Remove(d.secret); err != nil {
		t.Fatal(err)
	}
	must(t, "keys", "mint", "--output", d.secret)
	said := d.serveOnce(t)
	wants := []string{
		`setting=bootstrap.organization from=` + d.file + `:4 declared="Red Harbor" found="Blue Harbor"`,
		`setting=bootstrap.owner_email from=` + d.file + `:5 declared=p@blue.example found=o@blue.example`,
		`item="name=zapier scopes" declared=* found=invoices:read`,
		`item="name=zapier expires_in_days" declared=30 found=90`,
		`item="name=zapier rate_limit" declared="" found=5/1m`,
		`item="name=zapier allowed_cidrs" declared="" found=10.0.0.0/8`,
		`item="name=zapier secret_file" declared=` + d.secret + ` found="the key has another secret"`,
	}
	for _, want := range wants {
		if !strings.Contains(said, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if n := strings.Count(said, "level=WARN"); n != len(wants) || t.Failed() {
		t.Errorf("%d warnings, want %d:\n%s", n, len(wants), said)
	}
	if fmt.Sprint(d.keys(t)[0].Scopes, len(d.keys(t))) != fmt.Sprint(before[0].Scopes, len(before)) || d.audit(t) != log {
		t.Error("something was changed")
	}
}

// The successor of a key that was rotated has its name: the declaration still
// means the key that its file opens.
func TestRotatedKeyIsReported(t *testing.T) {
	d := declare(t, fullDeclaration)
	d.serveOnce(t)
	must(t, "keys", "rotate", d.keys(t)[0].UID, "--grace-days", "7", "--config", d.file)
	if log := d.serveOnce(t); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "declared=active found=retiring") {
		t.Errorf("logged\n%s", log)
	}
}

func TestWhereDeclaredKeysBelong(t *testing.T) {
	const keys = `keys = ["name=zapier scopes=* secret_file=FILE"]`
	d := declare(t, `organization = "Third"`+"\n"+keys)
	must(t, "init", "--name", "First", "--config", d.file)
	must(t, "orgs", "create", "--name", "Second", "--config", d.file)
	d.serveOnce(t)
	if orgs := must(t, "orgs", "list", "--config", d.file); !strings.Contains(orgs, "Third") || len(d.keys(t)) != 1 {
		t.Errorf("orgs\n%s, keys %v", orgs, d.keys(t))
	}
	for bootstrap, want := range map[string]string{
		keys: `declared="none, but there are several" found="3 organizations"`,
		`organization = "Second"` + "\n" + strings.ReplaceAll(keys, "zapier", "other"): "has the secret of another key",
	} {
		d.write(t, bootstrap)
		if strings.Contains(bootstrap, "other") {
			fails(t, 2, want, "serve", "--config", d.file, "--listen", "127.0.0.1:0")
		} else if log := d.serveOnce(t); !strings.Contains(log, want) {
			t.Errorf("logged\n%s", log)
		}
	}
	if len(d.keys(t)) != 1 {
		t.Errorf("keys = %v", d.keys(t))
	}
}

func TestBadSecretFilesAreRefused(t *testing.T) {
	d := declare(t, fullDeclaration)
	text, err := os.ReadFile(d.secret)
	if err != nil {
		t.Fatal(err)
	}
	good := strings.TrimSpace(string(text))
	write := func(text string, mode os.FileMode) func() {
		return func() {
			if err := os.WriteFile(d.secret, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(d.secret, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		prepare func()
		want    string
	}{
		"absent":        {func() {}, "no such file or directory"},
		"others read":   {write(good, 0o604), "is open to other users (mode 0604): close it with: chmod 600 " + d.secret},
		"a group reads": {write(good, 0o640), "is open to other users (mode 0640)"},
		"a directory":   {func() { _ = os.Mkdir(d.secret, 0o700) }, "is not a regular file"},
		"a pipe":        {func() { _ = syscall.Mkfifo(d.secret, 0o600) }, "is not a regular file"},
		"empty":         {write("", 0o600), "does not hold one API key"},
		"two keys":      {write(good+"\n"+good+"\n", 0o600), "does not hold one API key"},
		"cut":           {write(good[:45], 0o600), "does not hold one API key"},
		"large":         {write(strings.Repeat(good+"\n", 1e5), 0o600), "does not hold one API key"},
		"a test key":    {write(must(t, "keys", "mint", "--environment", "test"), 0o600), "holds a key of the test environment, and auth.environment is live"},
	} {
		if err := os.RemoveAll(d.secret); err != nil {
			t.Fatal(err)
		}
		c.prepare()
		r := exante(t, "serve", "--config", d.file, "--listen", "127.0.0.1:0")
		place := "bootstrap.keys (" + d.file + ":6): item 1: secret_file: "
		if r.code != 2 || !strings.Contains(r.stderr, place) || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, good[8:30]) {
			t.Errorf("%s: exit %d, %s; want %q", name, r.code, r.stderr, c.want)
		}
	}
	if err := os.RemoveAll(d.secret); err != nil {
		t.Fatal(err)
	}
	write(good+"\r\n", 0o400)()
	d.serveOnce(t)
	if len(d.keys(t)) != 1 {
		t.Error("a good file was refused")
	}
}

func TestMintedSecretIsShownOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	if out := must(t, "keys", "mint"); !anyKey.MatchString(out) || len(out) != 47 {
		t.Errorf("minted %q", out)
	}
	if out := must(t, "keys", "mint", "--environment", "test", "--json"); !strings.HasPrefix(out, `{"key":"ex_test_`) || !strings.HasSuffix(out, `,"file":null}`+"\n") {
		t.Errorf("minted %s", out)
	}
	r := exante(t, "keys", "mint", "--output", "k", "--json")
	info, err := os.Stat("k")
	if r.code != 0 || anyKey.MatchString(r.stdout+r.stderr) || !strings.HasPrefix(r.stdout, `{"key":null,"key_snippet":"ex_live_...`) || err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mint --output = %+v, %v, %v", r, info, err)
	}
	fails(t, 1, "open k: file exists", "keys", "mint", "--output", "k")
	fails(t, 2, `flag --environment: "production" is none of live, test`, "keys", "mint", "--environment", "production")
	if entries, _ := os.ReadDir("."); len(entries) != 1 {
		t.Errorf("left behind %v", entries)
	}
}

// A server that gives up root for the owner of its directory reads the secret as
// that user.
func TestSecretBelongsToTheUserOfTheServer(t *testing.T) {
	needRoot(t)
	parent := openDir(t)
	d := declared{filepath.Join(parent, "data"), filepath.Join(parent, "exante.toml"), filepath.Join(parent, "zapier.key")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(d.dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	must(t, "keys", "mint", "--output", d.secret)
	d.write(t, fullDeclaration)
	out, err := program("serve", "--config", d.file, "--listen", "127.0.0.1:0").CombinedOutput()
	want := "item 1: secret_file: open " + d.secret + ": permission denied: it must belong to the user of the server, uid 65534"
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v: %s, want %q", err, out, want)
	}
	if err := os.Chown(d.secret, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	c := start(t, program("serve", "--config", d.file, "--listen", "127.0.0.1:0"), "listening on")
	if code := c.signal(t, syscall.SIGTERM); code != 0 || !strings.Contains(c.output.String(), "made a declared api key") {
		t.Errorf("exit %d:\n%s", code, c.output.String())
	}
}

// A demonstration has its own data; what is declared is for the real store.
func TestDemoMakesNothingThatIsDeclared(t *testing.T) {
	d := declare(t, fullDeclaration)
	c := start(t, program("serve", "--demo", "--listen", "127.0.0.1:0", "--config", d.file), "/api/invoices")
	if code := c.signal(t, syscall.SIGTERM); code != 0 || strings.Contains(c.output.String(), "declar") {
		t.Errorf("exit %d:\n%s", code, c.output.String())
	}
	if _, err := os.Stat(d.dir); err == nil {
		t.Error("the demonstration made the real store")
	}
}
