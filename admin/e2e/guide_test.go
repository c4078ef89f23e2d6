package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/admin/certificate/certtest"
)

// A guide is a clone in which the README's operator guide is followed.
type guide struct {
	*testing.T
	dir    string
	blocks []string
}

// do runs a block as it stands there, and looks for words in what it printed.
func (g guide) do(block int, want ...string) string {
	g.Helper()
	out := sh(g.T, g.dir, nil, g.blocks[block])
	g.has(out, want...)
	return out
}

func (g guide) has(out string, want ...string) {
	g.Helper()
	for _, w := range want {
		if !regexp.MustCompile(w).MatchString(out) {
			g.Errorf("no %s in\n%s", w, out)
		}
	}
}

func (g guide) file(name string) string {
	g.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		g.Fatal(err)
	}
	return string(text)
}

// serve runs the guide's command, on a free port, with settings of the guide.
func (g guide) serve(settings string) *server {
	g.Helper()
	write(g.T, filepath.Join(g.dir, "settings.toml"), settings)
	args := append(strings.Fields(g.blocks[blockServe])[1:], "--config", "settings.toml", "--listen", "127.0.0.1:0")
	cmd := exec.Command(filepath.Join(g.dir, "exante"), args...)
	cmd.Dir = g.dir
	return start(g.T, cmd)
}

func newGuide(t *testing.T) guide { return guide{t, freshClone(t), fenced(t, "sh")} }

// installed is a guide in a directory that has the program and nothing else.
func installed(t *testing.T) guide {
	t.Helper()
	g := guide{t, dataDir(t), fenced(t, "sh")}
	sh(t, filepath.Dir(g.dir), nil, "mkdir data && cp '"+binary(t)+"' data/exante")
	return g
}

// The whole guide, from the build to the move, with the server stopped and again
// with it running.
func TestReadmeOperatorGuide(t *testing.T) {
	needs(t, "age-keygen")
	t.Run("stopped", func(t *testing.T) {
		g := newGuide(t)
		g.setUp()
		g.dayToDay()
		g.last()
	})
	t.Run("running", func(t *testing.T) {
		g := newGuide(t)
		g.setUp()
		s := g.serve(adapted(t, settingsWith(t, "requests"), "127.0.0.1:9090", "127.0.0.1:0"))
		g.do(blockWatch, "(?m)^ready$", "(?m)^all is well$", "organizations 1")
		metrics := regexp.MustCompile(`metrics on http://(\S+)/metrics`).FindStringSubmatch(s.output.String())
		if metrics == nil {
			t.Fatalf("no port for metrics:\n%s", s.output)
		}
		g.has(sh(t, g.dir, nil, adapted(t, g.blocks[blockMetrics], "127.0.0.1:9090", metrics[1])), "(?m)^exante_build_info{.*} 1$")
		s.call("GET", "/api/invoices", "", "").want(t, 401)
		s.waitFor("the refused request in the log", func() bool {
			return regexp.MustCompile(`(?m)^{.*"status":401.*}$`).MatchString(s.output.String())
		})
		g.dayToDay()
		s.stop()
		g.last()
	})
}

func (g guide) setUp() {
	g.Helper()
	g.do(blockSetUp, printedKey.String(), "active +ex_live_[.]{3}.{4} +zapier")
	g.do(blockMint)
	g.has(g.file("zapier.key"), "^"+printedKey.String())
	g.do(blockUnit, "useradd --system", "systemctl daemon-reload")
	unit := adapted(g.T, g.file("exante.service"), "=/usr/local/bin/exante ", "=/bin/true ")
	if systemd, err := exec.LookPath("systemd-analyze"); err == nil {
		write(g.T, filepath.Join(g.dir, "checked.service"), unit)
		if out, err := exec.Command(systemd, "verify", filepath.Join(g.dir, "checked.service")).CombinedOutput(); err != nil || len(out) > 0 {
			g.Errorf("systemd-analyze verify: %v\n%s", err, out)
		}
	} else {
		g.Log("the unit is not checked: ", err)
	}
	g.has(sh(g.T, g.dir, nil, "./exante config show --config installed.toml"), "/var/lib/exante/data")
}

func (g guide) dayToDay() {
	g.Helper()
	g.do(blockPeople, "enabled")
	g.has(g.file("nightly.key"), "^"+printedKey.String())
	g.has(sh(g.T, g.dir, nil, "./exante users list"), "admin +enabled +bob@")
	out := g.do(blockInvoices, "dry run: 2 lines read, 2 imported", "(?m)^status +VOID$", "remaining +500.00 EUR")
	if n := strings.Count(out, "2 lines read, 2 imported"); n != 2 {
		g.Errorf("%d imports did it all, want the dry run and the real one:\n%s", n, out)
	}
	if n := strings.Count(g.file("books.ndjson"), "\n"); n != 2 {
		g.Errorf("%d invoices were exported, want 2", n)
	}
	g.do(blockLeak, "name +nightly-export", "state +revoked")
	g.do(blockBackup, "encrypted +no", "can be restored; nothing was kept")
	g.do(blockSealed, "encrypted +yes", "can be restored; nothing was kept")
	g.do(blockRestore, "restored to restored", "records, 0 findings")
	g.do(blockAudit, "key.revoke", "key.create", "records, 0 findings")
}

// last is what is done with the server stopped.
func (g guide) last() {
	g.Helper()
	g.do(blockCompact, "MiB before")
	g.do(blockUpgrade, "before-upgrade.backup", "0 findings", "(?m)^exante ")
	g.do(blockMove, "restored to moved", "revoked +ex_live_.* nightly-export", "active +ex_live_.* zapier")
}

// What the guide puts into exante.toml is accepted by the program itself.
func TestReadmeSettingsLoad(t *testing.T) {
	for _, block := range fenced(t, "toml") {
		file := filepath.Join(t.TempDir(), "exante.toml")
		write(t, file, strings.Replace(block, `"age1..."`, `"`+recipient+`"`, 1))
		mustShell(t, "config", "check", "--config", file)
	}
}

// recipient is of an identity that nobody has.
const recipient = "age1sj2fpt4jeqqr473alnga8awz2jjwu0luxquz8ptumydg0tjrsersraxkqy"

func TestReadmeServerSetsItselfUp(t *testing.T) {
	g := installed(t)
	g.do(blockMint)
	key := printedKey.FindString(g.file("zapier.key"))
	settings := settingsWith(t, "owner_email")
	for _, status := range []int{200, 401} { // again, after it was revoked
		s := g.serve(settings)
		s.call("GET", "/api/invoices", key, "").want(t, status)
		sh(t, g.dir, nil, `./exante keys identify --revoke < zapier.key`)
		s.stop()
	}
}

func TestReadmeTLS(t *testing.T) {
	g := installed(t)
	pair := certtest.New(t, "n", time.Now().Add(90*24*time.Hour))
	cert, key := pemFiles(t, pair)
	trust(t, pair)
	s := g.serve(adapted(t, settingsWith(t, "tls_cert"), "/etc/exante/fullchain.pem", cert, "/etc/exante/privkey.pem", key))
	s.call("GET", "/livez", "", "").want(t, 200)
	s.stop()
}

// The server makes the backup that the guide asks for: it is restored with both
// keys, and by nobody who lacks one.
func TestReadmeScheduledBackup(t *testing.T) {
	needs(t, "age-keygen")
	g := installed(t)
	to := filepath.Join(g.dir, "disk")
	sh(t, g.dir, nil, "mkdir disk && ./exante init")
	g.do(blockBackup)
	g.do(blockSealed)
	own := strings.TrimSpace(sh(t, g.dir, nil, "age-keygen -y age.key"))
	settings := adapted(t, settingsWith(t, "age_recipients"), "/mnt/backup/exante", to, "/mnt/audit", to, "/etc/exante/mac.key", filepath.Join(g.dir, "mac.key"), "age1...", own)
	s := g.serve(settings)
	s.waitFor("a proved backup", func() bool { return len(backupsIn(t, to, ".backup.age")) == 1 })
	s.stop()
	if _, err := os.Stat(filepath.Join(to, "exante.audit")); err != nil {
		t.Errorf("no audit copy on the other disk: %v", err)
	}
	restore := "./exante restore --dry-run --input '" + backupsIn(t, to, ".backup.age")[0] + "'"
	g.has(sh(t, g.dir, []string{"EXANTE_BACKUP_MAC_KEY_FILE=mac.key"}, restore+" --age-identity age.key"), "can be restored")
	g.has(sh(t, g.dir, nil, restore+" --age-identity age.key 2>&1 && exit 1; echo exit $?"), "exit 2", "mac_key_file")
	g.has(sh(t, g.dir, nil, restore+" 2>&1 && exit 1; echo exit $?"), "exit 2", "--age-identity FILE")
}
