package suggest_test

import (
	"testing"

	"exante/admin/suggest"
)

func TestNearestIsTheSmallestSlip(t *testing.T) {
	known := []string{"create", "list", "revoke", "rotate"}
	for word, want := range map[string]string{
		"creat": "create", "crate": "create", "lst": "list", "revok": "revoke", "roate": "rotate",
		"list": "list", "delete": "", "x": "", "": "",
	} {
		if got := suggest.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
