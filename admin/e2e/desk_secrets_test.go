package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
)

// What an operator hands in or is given is in nothing that the program writes, shows
// or starts: a declared key, a password, the key of backups, the private half that a
// proof is made with, and setup links but where they are told.
func TestNoSecretOfTheDeskIsLeftBehind(t *testing.T) {
	home := t.TempDir()
	secret, macKey := filepath.Join(home, "zapier.key"), filepath.Join(home, "mac")
	const password, mac = "planted-password-7531", "planted-mac-key-8642-planted-mac-key"
	mustShell(t, "keys", "mint", "--output", secret)
	token, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(macKey, []byte(mac), 0o600); err != nil {
		t.Fatal(err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	planted := []string{strings.TrimSpace(string(token)), password, mac, "AGE-SECRET-KEY-"}

	dir := filepath.Join(home, "kept", "data")
	to := filepath.Join(home, "kept", "backups")
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir, "--log-format", "json", "--log-requests", "all", "--metrics-listen", "127.0.0.1:0",
		"--bootstrap-keys", "name=zapier scopes=* secret_file="+secret, "--bootstrap-owner-email", "o@blue.example",
		"--backup-mac-key-file", macKey, "--backup-age-recipients", id.Recipient().String(), "--backup-dir", to, "--backup-every", "1s")
	seen := map[string]string{"the server itself": ofProcess(s.cmd.Process.Pid)}
	s.waitFor("a proof's process", func() bool {
		children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
		for _, file := range children {
			pids, _ := os.ReadFile(file)
			for _, pid := range strings.Fields(string(pids)) {
				var n int
				if _, err := fmt.Sscan(pid, &n); err == nil {
					seen["a proof's process"] = ofProcess(n)
				}
			}
		}
		return strings.Contains(seen["a proof's process"], "restore\x00--dry-run") && strings.Contains(seen["a proof's process"], "EXANTE_BACKUP_MAC_KEY_FILE=")
	})
	shellOut := func(stdin string, args ...string) {
		cmd := exec.Command(binary(t), append(args, "--data-dir", dir)...)
		cmd.Env, cmd.Stdin = cleanEnv(), strings.NewReader(stdin)
		out, _ := cmd.CombinedOutput() // one of them is refused
		seen[strings.Join(args, " ")] = string(out)
	}
	told := setupToken(t, s.told("/setup/"))
	s.call("GET", "/setup/"+told, "", "")
	s.call("GET", "/api/"+told, "", "")
	link := setupToken(t, mustShell(t, "users", "password", "o@blue.example", "--link", "--data-dir", dir))
	invited := setupToken(t, shell(t, "users", "create", "--email", "a@blue.example", "--data-dir", dir).stderr)
	planted = append(planted, told, link, invited)
	shellOut(password+"\n", "users", "password", "o@blue.example", "--stdin", "--json")
	shellOut(password+"\x01\xff\n", "users", "password", "o@blue.example", "--stdin", "--json")
	shellOut("leaked: "+planted[0]+"\n", "keys", "identify", "--json")
	shellOut("", "audit", "list", "--json")
	shellOut("", "status", "--json")
	s.call("GET", "/api/invoices", planted[0], "").want(t, 200)
	s.waitFor("two proofs", func() bool { return strings.Count(s.output.String(), "made and proved a backup") >= 2 })
	seen["metrics"] = scrape(t, s)
	s.stop()
	seen["output of serve"] = strings.Replace(s.output.String(), told, "", 1)
	shellOut("", "config", "show")
	for name, text := range diskContents(t, filepath.Join(home, "kept")) {
		seen[name] = string(text)
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", name, info.Mode(), err)
		}
	}
	for place, text := range seen {
		if i := slices.IndexFunc(planted, func(p string) bool { return strings.Contains(text, p) || strings.Contains(text, p[len(p)/3:]) }); i >= 0 {
			t.Errorf("secret %d is in %s", i, place)
		}
	}
	if !strings.Contains(seen["output of serve"], "made a declared api key") || !strings.Contains(seen["metrics"], "exante_") || len(seen) < 12 {
		t.Errorf("the search sees little: %d places", len(seen))
	}
}

// setupToken is the end of the setup link in a text.
func setupToken(t *testing.T, text string) string {
	t.Helper()
	m := regexp.MustCompile(`/setup/(ex_setup_\S+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no setup link in %s", text)
	}
	return m[1]
}

// told is what the server has printed once sign is in it.
func (s *server) told(sign string) string {
	s.t.Helper()
	s.waitFor(sign, func() bool { return strings.Contains(s.output.String(), sign) })
	return s.output.String()
}

// ofProcess is what every user may see of a process, and what its owner may.
func ofProcess(pid int) string {
	var all strings.Builder
	for _, file := range []string{"cmdline", "environ", "comm"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)) // it may be gone
		all.Write(text)
	}
	return all.String()
}

func scrape(t *testing.T, s *server) string {
	t.Helper()
	m := regexp.MustCompile(`metrics on (http://[^\s"]+)`).FindStringSubmatch(s.output.String())
	if m == nil {
		t.Fatalf("no address of the metrics:\n%s", s.output)
	}
	resp, err := http.Get(m[1])
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
