package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"exante/admin/sealed"
)

func (c *Config) validateBackups() error {
	dir := c.Backup.Dir
	if c.Backup.Every == 0 {
		return nil
	}
	if dir == "" {
		return &Error{Key: "backup.dir", Reason: "is needed where backup.every is set"}
	}
	within, err := filepath.Rel(absolute(c.Storage.Dir), absolute(dir))
	if err == nil && within != ".." && !strings.HasPrefix(within, "../") {
		return &Error{Key: "backup.dir", Reason: dir + " is in the data directory, and would be lost with it"}
	}
	return nil
}

// absolute is path without regard to where the process runs, if that can be told.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// parseInterval reads a duration that leaves time for what is done each time.
func parseInterval(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 366*24*time.Hour {
		return 0, fmt.Errorf("%q is not an interval such as 24h or 30m, from 1s to a year", s)
	}
	return d, nil
}

func formatInterval(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

func parseRecipients(s string) ([]string, error) {
	list := split(s)
	_, err := sealed.Recipients(list)
	return list, err
}
