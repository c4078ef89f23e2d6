package admin

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// LimitMemory has the garbage collector keep the process within 80 % of what its
// control group may use, so that a burst of writes, which takes the engine hundreds
// of MiB for a moment, is collected and not killed. The rest is for what is no
// heap. GOMEMLIMIT, where it is set, stays in force.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := groupMemory("/proc/self/cgroup", "/sys/fs/cgroup"); limit < math.MaxInt64 {
		debug.SetMemoryLimit(limit / 10 * 8)
	}
}

// groupMemory is the smallest memory.max, in bytes, of the control group that the
// file at membership names, and of those that it is in (cgroups(7), version 2).
// math.MaxInt64: there is none.
func groupMemory(membership, root string) int64 {
	least := int64(math.MaxInt64)
	text, err := os.ReadFile(membership)
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for group = filepath.Clean("/" + group); ; group = filepath.Dir(group) {
			if text, err := os.ReadFile(filepath.Join(root, group, "memory.max")); err == nil {
				if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
					least = min(least, n)
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}
