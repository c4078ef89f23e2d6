package admin_test

import (
	"regexp"
	"testing"
)

func TestCompactTellsWhatItGaveBack(t *testing.T) {
	dir := dataDir(t)
	fails(t, 1, "no store here", "compact", "--data-dir", dir)
	must(t, "init", "--data-dir", dir)
	for range 4 {
		must(t, "orgs", "create", "--name", "Another", "--data-dir", dir)
	}
	if out := must(t, "compact", "--data-dir", dir); !regexp.MustCompile(`^\d+ MiB before, \d+ MiB after\n$`).MatchString(out) {
		t.Errorf("compact = %q", out)
	}
	type report struct {
		Before int64 `json:"bytes_before"`
		After  int64 `json:"bytes_after"`
	}
	if r := decode[report](t, must(t, "compact", "--json", "--data-dir", dir)); r.Before <= 0 || r.After <= 0 || r.After > 1<<20 {
		t.Errorf("compact --json = %+v", r)
	}
	must(t, "verify", "--data-dir", dir)
}

func TestCompactNeedsAStoppedServer(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	run(t, dir)
	fails(t, 5, "a server runs on it", "compact", "--data-dir", dir)
	fails(t, 5, "stop it, compact, and start it again\nhint: ", "compact", "--data-dir", dir)
}
