package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fenced are the README's blocks in a language, in their order.
func fenced(t *testing.T, language string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("the README has no %s block", language)
	}
	return out
}

// settingsWith is the README's block of settings in which a key is set.
func settingsWith(t *testing.T, key string) string {
	t.Helper()
	for _, block := range fenced(t, "toml") {
		if regexp.MustCompile(`(?m)^` + key + ` = `).MatchString(block) {
			return block
		}
	}
	t.Fatalf("the README sets no %s", key)
	return ""
}

// adapted is text with each old string, which must be in it, replaced by the new
// one that follows it: what a test may change is a port, a path or a key.
func adapted(t *testing.T, text string, oldNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("no %q in\n%s", oldNew[i], text)
		}
		text = strings.ReplaceAll(text, oldNew[i], oldNew[i+1])
	}
	return text
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
