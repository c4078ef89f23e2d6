package admin_test

import (
	"strings"
	"testing"
)

// A key that was given another name is still the one whose secret is declared: its
// server starts.
func TestRenamedKeyIsReported(t *testing.T) {
	d := declare(t, fullDeclaration)
	d.serveOnce(t)
	must(t, "keys", "set", d.keys(t)[0].UID, "--name", "renamed", "--config", d.file)
	if log := d.serveOnce(t); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, `item="name=zapier name" declared=zapier found=renamed`) {
		t.Errorf("logged\n%s", log)
	}
	if keys := d.keys(t); len(keys) != 1 || keys[0].Name != "renamed" {
		t.Errorf("keys = %+v", keys)
	}
}
