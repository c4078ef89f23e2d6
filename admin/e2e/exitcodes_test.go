package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each row of the README's table of exit codes is what a real command ends with, and
// where something is to be done the message says what.
func TestReadmeExitCodes(t *testing.T) {
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	served := dataDir(t)
	s := serve(t, served)
	wrecked := dataDir(t)
	mustShell(t, "init", "--data-dir", wrecked)
	if err := os.Remove(filepath.Join(wrecked, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(t.TempDir(), "taken")
	write(t, taken, "something else")

	ends := map[int]struct {
		says string
		args []string
	}{
		0: {"", []string{"verify", "--data-dir", dir}},
		1: {"the file exists already", []string{"backup", "--output", taken, "--data-dir", dir}},
		2: {"server.listen (--server-listen)", []string{"serve", "--listen", "nowhere", "--data-dir", dir}},
		3: {"no such record", []string{"keys", "show", "4711", "--data-dir", dir}},
		4: {"invalid email", []string{"users", "create", "--email", "bob", "--data-dir", dir}},
		5: {"stop it", []string{"compact", "--data-dir", served}},
		6: {"no server runs here", []string{"status", "--data-dir", dir}},
		7: {"restore a backup", []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", wrecked}},
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d) \| ([^|]+) \|`).FindAllStringSubmatch(string(readme), -1)
	if len(rows) != len(ends) {
		t.Errorf("the README has %d exit codes, want %d", len(rows), len(ends))
	}
	for _, row := range rows {
		code, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		end := ends[code]
		if r := shell(t, end.args...); r.code != code || !strings.Contains(r.stderr, end.says) {
			t.Errorf("exante %s: exit %d, want %d (%s) and %q\n%s", strings.Join(end.args, " "), r.code, code, row[2], end.says, r.stderr)
		}
	}
	s.stop()
}
