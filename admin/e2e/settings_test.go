package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the README's table of settings")

// The table of settings in the README says what exante.toml says.
func TestReadmeListsEverySetting(t *testing.T) {
	const begin, end = "<!-- settings: from exante.toml -->\n", "<!-- end of settings -->"
	path := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the README has lost the marks around its table of settings")
	}
	want := settingsTable(t)
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the README's table of settings is out of date: go test ./admin/e2e -run Setting -update\nwant:\n%s", want)
	}
}

// settingsTable turns exante.toml into Markdown.
func settingsTable(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "exante.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var section, comment string
	rows := []string{"| setting | default | meaning |", "|---|---|---|"}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			comment = strings.TrimSpace(comment + " " + strings.TrimPrefix(line, "# "))
		case strings.HasPrefix(line, "["):
			section = line
		case strings.Contains(line, " = "):
			key, value, _ := strings.Cut(line, " = ")
			rows = append(rows, fmt.Sprintf("| `%s` %s | `%s` | %s |", section, key, value, comment))
		}
		if !strings.HasPrefix(line, "#") {
			comment = ""
		}
	}
	if len(rows) < 12 {
		t.Fatalf("only %d settings found in exante.toml", len(rows)-2)
	}
	return strings.Join(rows, "\n") + "\n"
}
