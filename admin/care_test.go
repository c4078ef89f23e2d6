package admin_test

import (
	"fmt"
	"strings"
	"testing"

	"exante/admin"
	"exante/storage"
)

// uidNamed is the uid of the key with that name, or of the newest session.
func uidNamed(t *testing.T, dir, name string) string {
	t.Helper()
	if name != "session" {
		return keyNamed(t, dir, name).UID
	}
	all := decode[[]admin.Session](t, must(t, "sessions", "list", "--json", "--data-dir", dir))
	if len(all) == 0 {
		t.Fatal("nobody is signed in")
	}
	return all[len(all)-1].UID
}

// secrets are those of keys that a transcript brings as leaked, by directory and name.
var secrets = map[string]string{}

// leak makes a key whose secret a transcript may bring.
func leak(t *testing.T, dir, name string) {
	t.Helper()
	key := decode[admin.NewKey](t, must(t, "keys", "create", "--name", name, "--json", "--data-dir", dir))
	secrets[dir+name] = key.Key.Reveal()
}

// browse signs a user in on the open store, or on the one in dir if none is open.
func browse(t *testing.T, dir string, store *storage.Store, email string) {
	t.Helper()
	if store == nil {
		store = openStore(t, dir)
		defer store.Close()
	}
	if _, err := signIn(t.Context(), store, email); err != nil {
		t.Fatal(err)
	}
}

var care = []string{
	"users create --email ada@b.example --name Ada --role admin",
	"users role ada@b.example owner",
	"users role ada@b.example viewer --json",
	"users role ada@b.example emperor",
	"users role ada@b.example",
	"users password ada@b.example",
	"users password ada@b.example --link",
	"users password --link ada@b.example --json",
	"users password ada@b.example --link --stdin < " + password,
	"users password nobody@b.example --link",
	"users password ada@b.example --stdin < " + password + "\nsecond line",
	"users password ada@b.example --stdin < qwertyuiop",
	"users password ada@b.example --stdin < short",
	"users password ada@b.example --stdin",
	"users password ada@b.example --stdin < \xff\xfe\xff\xfe\xff\xfe\xff\xfe",
	"users password nobody@b.example --stdin < " + password,
	"signin ada@b.example",
	"signin ada@b.example",
	"sessions list",
	"sessions list --user ada@b.example --json",
	"sessions end @session",
	"sessions end @session --yes",
	"sessions end --yes",
	"sessions end @session --user ada@b.example --yes",
	"sessions end one two",
	"sessions end --user ada@b.example --yes",
	"sessions list",

	"keys create --name hers --user ada@b.example",
	"keys set @hers",
	"keys set @hers --name Hers --rate-limit 60/1m --allowed-cidrs 192.0.2.0/24,2001:db8::/32",
	"keys set @Hers --rate-limit default --allowed-cidrs any --json",
	"keys set @Hers --allowed-cidrs ,",
	"keys set @Hers --rate-limit many",
	"keys set @Hers --scopes invoices:read,parties:write --expires-in-days 30",
	"keys set @Hers --scopes invoices:write --json",
	"keys set @Hers --scopes parties:read,*",
	"keys set @Hers --scopes ,",
	"keys set @Hers --expires-in-days 31",
	"keys set @Hers --expires-in-days soon",
	"keys set @Hers --expires-at 2001-01-01",
	"keys set @Hers --expires-at never",
	"users disable ada@b.example",
	"users list",
	"keys show @Hers",
	"keys rotate @Hers",
	"keys create --name more --user ada@b.example",
	"keys identify < @leaked",
	"keys identify --json < @leaked",
	"users password ada@b.example --link",
	"users enable ada@b.example",
	"users create --email bob@b.example --json",
	"keys revoke @Hers --yes",
	"keys set @Hers --name x",
	"keys identify --revoke < @leaked",
	"keys identify < @leaked",
	"keys identify < " + strange,
	"keys identify < " + strange[:40],
	"keys identify < nothing in here",
	"keys identify",

	`invoices import - --format ndjson --id 1 < {"party":{"name":"Globex & Sons"},"invoice_number":"B-1","currency":"EUR","line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":12345}]}`,
	"invoices show B-1",
	"invoices void B-1 --yes",
	"invoices send B-1",
	"invoices pay B-1 --amount 23.45 --date 2026-11-23 --reference wire",
	"invoices pay B-1 --amount 1 --json",
	"invoices pay B-1 --amount 1,50",
	"invoices pay B-1 --amount 100.00",
	"invoices pay B-1",
	"invoices pay B-1 --amount-cents x",
	"invoices show B-1 --json",
	"invoices void B-1",
	"invoices void B-1 --yes",
	"invoices send B-1",
	"invoices show B-2",
	"orgs create --name Second",
	"invoices show B-1",
	"verify",
}

func TestCareOnAStoppedServer(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	leak(t, dir, "leaked")
	golden(t, "care", transcript(t, dir, nil, care))
}

func TestCareOnARunningServer(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	leak(t, dir, "leaked")
	golden(t, "care", transcript(t, dir, run(t, dir).store, care))
}

func TestEndlessInputIsRefused(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	for stdin, line := range map[string]string{
		strings.Repeat("x", 10_000):     "users password a@b.example --stdin",
		strings.Repeat("ex_", 1<<20):    "keys identify",
		strings.Repeat("x", 257) + "\n": "users password owner --stdin",
	} {
		r := exanteGiven(t, stdin, append(strings.Fields(line), "--data-dir", dir)...)
		if r.code != 4 && r.code != 3 || strings.Contains(r.stderr, "xxx") || r.stdout != "" {
			t.Errorf("%s: %+v", line, r)
		}
	}
}

// Neither what is printed nor what the store keeps has a secret that was brought.
func TestCareKeepsSecrets(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	leak(t, dir, "leaked")
	must(t, "users", "create", "--email", "ada@b.example", "--data-dir", dir)
	store := run(t, dir).store
	var out strings.Builder
	var link string
	for _, c := range []struct{ stdin, line string }{
		{password, "users password ada@b.example --stdin"},
		{password, "users password ada@b.example --stdin --json"},
		{secrets[dir+"leaked"], "keys identify"},
		{"Bearer " + secrets[dir+"leaked"], "keys identify --revoke --json"},
		{"", "users password ada@b.example --link"},
	} {
		r := exanteGiven(t, c.stdin, append(strings.Fields(c.line), "--data-dir", dir)...)
		if r.code != 0 {
			t.Errorf("%s: %+v", c.line, r)
		}
		if strings.Contains(c.line, "--link") {
			_, token := linkIn(t, r.stdout)
			link = token.Reveal()
			continue
		}
		out.WriteString(r.stdout + r.stderr)
	}
	log, err := store.Audit(t.Context(), storage.AuditQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%+v", log)
	for _, leaked := range []string{password, secrets[dir+"leaked"], "$argon2id$", link, link[len(link)-43:]} {
		if strings.Contains(out.String(), leaked) {
			t.Errorf("%q is in %s", leaked, out.String())
		}
	}
}
