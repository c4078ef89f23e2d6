package admin

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestTheSmallestLimitOfTheControlGroupsCounts(t *testing.T) {
	for _, c := range []struct {
		name, membership string
		files            map[string]string // directory → memory.max
		want             int64
	}{
		{"none", "0::/a/b\n", nil, math.MaxInt64},
		{"no bound", "0::/a/b\n", map[string]string{"a/b": "max\n", "a": "max\n"}, math.MaxInt64},
		{"its own", "0::/a/b\n", map[string]string{"a/b": "268435456\n", "a": "536870912\n"}, 268435456},
		{"of one above", "0::/a/b\n", map[string]string{"a/b": "max\n", "a": "536870912\n"}, 536870912},
		{"in a container", "0::/\n", map[string]string{".": "1073741824\n"}, 1073741824},
		{"version 1 beside it", "4:memory:/x\n0::/a\n", map[string]string{"a": "1048576\n", "x": "1\n"}, 1048576},
		{"nonsense", "0::/a\n", map[string]string{"a": "-5\n"}, math.MaxInt64},
	} {
		root := t.TempDir()
		membership := filepath.Join(root, "membership")
		if err := os.WriteFile(membership, []byte(c.membership), 0o600); err != nil {
			t.Fatal(err)
		}
		for dir, text := range c.files {
			if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, dir, "memory.max"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := groupMemory(membership, root); got != c.want {
			t.Errorf("%s: groupMemory = %d, want %d", c.name, got, c.want)
		}
	}
	if got := groupMemory("/nowhere", "/nowhere"); got != math.MaxInt64 {
		t.Errorf("without control groups: %d", got)
	}
}

func TestGOMEMLIMITStays(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Setenv("GOMEMLIMIT", "1GiB")
	LimitMemory()
	if after := debug.SetMemoryLimit(-1); after != before {
		t.Errorf("the limit went from %d to %d", before, after)
	}
}
