package input_test

import (
	"strings"
	"testing"

	"exante/storage/input"
)

func TestNamesAreShownWithoutHarm(t *testing.T) {
	key := "ex_live_" + strings.Repeat("aB3dE", 7) + "xyz"
	for name, want := range map[string]string{
		"total_cents": "total_cents", "": `""`, "a b": `"a b"`, "a\x1b[2J": `"a\x1b[2J"`, `a"b`: `"a\"b"`, "é": `"é"`,
		key: `"ex_live_aB3dEaB3…"`, strings.Repeat("é", 33): `"` + strings.Repeat("é", 16) + `…"`,
	} {
		if got := input.ShortName(name); got != want {
			t.Errorf("ShortName(%q) = %s, want %s", name, got, want)
		}
	}
}
