package admin_test

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"

	"exante/admin"
	"exante/storage"
)

// transcript runs command lines on dir and writes down what a person sees. A
// word such as @zapier stands for the uid of that key; what comes after " < " is
// standard input. A line that begins with "signin" is no command: that user signs in.
func transcript(t *testing.T, dir string, store *storage.Store, lines []string) string {
	t.Helper()
	n := &normal{dir: dir}
	var out strings.Builder
	for _, line := range lines {
		if email, ok := strings.CutPrefix(line, "signin "); ok {
			browse(t, dir, store, email)
			continue
		}
		out.WriteString("$ exante " + line + "\n")
		line, stdin, _ := strings.Cut(line, " < ")
		args := strings.Fields(line)
		for i, a := range args {
			if name, ok := strings.CutPrefix(a, "@"); ok {
				args[i] = uidNamed(t, dir, name)
			}
		}
		if name, ok := strings.CutPrefix(stdin, "@"); ok {
			stdin = "curl -H 'Authorization: Bearer " + secrets[dir+name] + "'"
		}
		r := exanteGiven(t, stdin, append(args, "--data-dir", dir)...)
		out.WriteString(r.stdout)
		for l := range strings.Lines(r.stderr) {
			out.WriteString("! " + l)
		}
		if r.code != 0 {
			out.WriteString("= exit " + string(rune('0'+r.code)) + "\n")
		}
		for l := range strings.Lines(r.stdout) {
			if !strings.Contains(line, "--json") && !strings.Contains(l, "/setup/") && len([]rune(strings.TrimSuffix(l, "\n"))) > 80 {
				t.Errorf("%s prints more than 80 columns: %s", line, l)
			}
		}
	}
	return n.text(out.String())
}

func keyNamed(t *testing.T, dir, name string) admin.JudgedKey {
	t.Helper()
	for _, k := range decode[[]admin.JudgedKey](t, must(t, "keys", "list", "--json", "--data-dir", dir)) {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no key %s", name)
	return admin.JudgedKey{}
}

var commands = []string{
	"orgs list",
	"orgs set --name Harbor --currency eur",
	"orgs set --currency EUR --json",
	"orgs set --currency dollars",
	"orgs set tidewater --name x",
	"orgs set",
	"keys create --name zapier --scopes invoices:read,parties:read --expires-in-days 90",
	"keys create --name ci --rate-limit 600/1m,20000/24h --allowed-cidrs 10.0.0.0/8 --json",
	"keys create --name a-name-that-is-longer-than-its-column",
	"keys list",
	"keys list --json",
	"keys show @zapier",
	"keys show @ci --json",
	"keys show zapier",
	"keys rotate @zapier --grace-days 7",
	"keys rotate @zapier",
	"keys rotate @ci --grace-days soon",
	"keys revoke @ci",
	"keys revoke @ci --yes",
	"keys revoke --yes @ci --json",
	"keys list",
	"keys create --name x --scopes invoices:destroy",
	"keys create --name x --expires-in-days many",
	"orgs create --name Second --owner-email o@second.example",
	"orgs create --name Third --owner-email o@second.example",
	"orgs create --name Third --json",
	"orgs list",
	"orgs list --json",
	"orgs set --name x",
	"keys create --name x",
	"users create --email ada@b.example",
	"users list",
	"users list --json",
	"audit list --limit 5",
	"audit list --action key. --oldest-first --key @zapier",
	"audit list --action key.borrow --since soon",
	"audit list --limit 0",
	"audit verify",
	"verify",
	"verify --yes",
}

// What a person sees is the same with the server stopped and running.
func TestCommandsOnAStoppedServer(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	golden(t, "commands", transcript(t, dir, nil, commands))
}

func TestCommandsOnARunningServer(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	golden(t, "commands", transcript(t, dir, run(t, dir).store, commands))
}

func TestHelpTexts(t *testing.T) {
	var out strings.Builder
	for _, c := range admin.CommandLines() {
		help := must(t, append(strings.Fields(c), "--help")...)
		out.WriteString("$ exante " + c + " --help\n" + help + "\n")
		if isCommand := !strings.Contains(help, "COMMANDS"); isCommand && !(strings.Contains(help, "EXIT CODES") && strings.Contains(help, "EXAMPLES")) {
			t.Errorf("%s: help without examples or exit codes", c)
		}
	}
	golden(t, "help", out.String())
}

func TestConfigShowNamesSources(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("exante.toml", []byte("[server]\nallowed_hosts = [\"a.example\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := must(t, "config", "show", "--data-dir", "/srv/exante")
	for _, want := range []string{
		"server.allowed_hosts      exante.toml:2                   [\"a.example\"]\n",
		"storage.dir               --data-dir                      \"/srv/exante\"\n",
		"auth.argon2_memory        EXANTE_AUTH_ARGON2_MEMORY       8192\n",
		"log.level                 default                         \"info\"\n",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("config show lacks %q:\n%s", want, shown)
		}
	}
	type row struct{ Setting, Value, Source, Default, Variable, About string }
	for _, r := range decode[[]row](t, must(t, "config", "show", "--json")) {
		if r.Variable == "" || r.About == "" || r.Source == "" {
			t.Errorf("incomplete row %+v", r)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	if r := exante(t, "config", "check"); r.code != 0 || r.stdout != "" || r.stderr != "the configuration is good (no file was read)\n" {
		t.Errorf("config check = %+v", r)
	}
	if got := must(t, "config", "check", "--json"); got != `{"ok":true,"file":null}`+"\n" {
		t.Errorf("config check --json = %s", got)
	}
	if err := os.WriteFile("exante.toml", []byte("[server]\nlisten = \"x\"\n[log]\nlevel = \"y\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, 2, "exante: server.listen (exante.toml:2): \"x\" is not HOST:PORT\nexante: log.level (exante.toml:4)", "config", "check")
	t.Setenv("EXANTE_NONSENSE", "1")
	fails(t, 2, "unknown setting EXANTE_NONSENSE (environment)", "keys", "list")
}

func TestEmptyFlagIsRefused(t *testing.T) {
	fails(t, 2, "flag --org has an empty value\nhint: see: exante keys list --help", "keys", "list", "--org", "")
	fails(t, 2, "flag --data-dir has an empty value", "verify", "--data-dir=")
}

func TestVersionNamesWhatItIsMadeOf(t *testing.T) {
	type version struct{ Version, Commit, Go, Badger, Fiber, Fasthttp string }
	v := decode[version](t, must(t, "version", "--json"))
	// The linker records no modules in a test binary: that the versions are
	// right is for the end-to-end tests.
	if !strings.HasPrefix(v.Go, "go1.") || v.Badger == "" || v.Version == "" || v.Commit == "" {
		t.Errorf("version = %+v", v)
	}
	if text := must(t, "--version"); !strings.Contains(text, "badger    "+v.Badger+"\n") {
		t.Errorf("version = %s", text)
	}
}

// full is a standard output on a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A key that nobody could read is no quiet success.
func TestKeyThatCouldNotBePrintedIsNamed(t *testing.T) {
	dir := dataDir(t)
	for _, flags := range [][]string{nil, {"--json"}} {
		var stderr bytes.Buffer
		args := append([]string{"exante", "keys", "create", "--name", "lost", "--data-dir", dir}, flags...)
		code := admin.Main(args, strings.NewReader(""), full{}, &stderr, nil, nil)
		if uid := keyNamed(t, dir, "lost").UID; code != 1 || flags == nil && !strings.Contains(stderr.String(), "revoke "+uid+" and make another") {
			t.Errorf("exit %d, %s", code, stderr.String())
		}
	}
}
