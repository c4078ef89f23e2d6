package config

import (
	"fmt"
	"strconv"
	"strings"

	"exante/storage/kv/disk"
)

// parseSize reads a number of bytes: 0, 512KiB, 64MiB, 2GiB.
func parseSize(s string) (int64, error) {
	bad := fmt.Errorf("%q is not a size such as 64MiB, from 0 to 1024GiB", s)
	if s == "0" {
		return 0, nil
	}
	for shift, unit := range map[uint]string{10: "KiB", 20: "MiB", 30: "GiB"} {
		if digits, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 31)
			if err != nil || n == 0 || n<<shift > 1<<40 {
				return 0, bad
			}
			return int64(n << shift), nil
		}
	}
	return 0, bad
}

func formatSize(n int64) string {
	switch {
	case n == 0:
		return "0"
	case n%(1<<30) == 0:
		return fmt.Sprintf("%dGiB", n>>30)
	case n%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", n>>20)
	}
	return fmt.Sprintf("%dKiB", n>>10)
}

// parseMinFree reads auto, 0, or a size that is large enough to work with.
func parseMinFree(s string) (int64, error) {
	if s == "auto" {
		return disk.Auto, nil
	}
	n, err := parseSize(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is neither auto nor a size such as 512MiB", s)
	case n != 0 && n < disk.LeastMinFree:
		return 0, fmt.Errorf("%s is too little to finish a write in: at least %s, or 0 for no watch", s, formatSize(disk.LeastMinFree))
	}
	return n, nil
}

func formatMinFree(n int64) string {
	if n == disk.Auto {
		return "auto"
	}
	return formatSize(n)
}
