// Package config is what an operator sets: in a file, in the environment, by
// flags, each overriding the one before. Anything unknown or malformed is an
// error that names the setting and where it came from.
//
// To add a setting: a field of Config and a row in settings.go, and a bad value in
// values_test.go. No setting is a secret: one that leads to a secret is the path of
// a file.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"exante/admin/suggest"
	"exante/auth"
)

// Config holds every setting. settings.go says what each means, and how it is
// read and checked.
type Config struct {
	Server struct {
		Listen         string
		PublicURL      string // without a slash at the end; "": as the caller reached us
		AllowedHosts   []string
		TrustedProxies []netip.Prefix
		MaxConnsPerIP  int // 0: no limit
		TLSCert        string
		TLSKey         string // "" with TLSCert: no TLS
	}
	Storage struct {
		Dir     string
		Cache   int64 // bytes
		MinFree int64 // bytes; 0: not watched; disk.Auto
	}
	Invoices struct {
		NumberPattern string
	}
	Audit struct {
		Copy string // "": beside the data directory; "none": no copy. See AuditCopy
	}
	Auth struct {
		Environment       auth.Environment
		Argon2Memory      uint32 // KiB
		Argon2Iterations  uint32
		Argon2Parallelism uint8
		DefaultExpiryDays int // 0: never; see Expiry
		MaxExpiryDays     int // 0: no bound
	}
	RateLimit struct {
		Windows  auth.Limits
		Failures auth.Limits
	}
	Admin struct {
		Socket string // "": admin.sock in the data directory
	}
	Dashboard struct {
		Enabled     bool
		SessionIdle time.Duration // a session ends when it was not seen for so long,
		SessionMax  time.Duration // and at the latest so long after it began
	}
	Backup struct {
		MACKeyFile    string // "": backups are not authenticated
		Dir           string
		Every         time.Duration // 0: none are made
		Keep          int
		AgeRecipients []string // none: they are not encrypted
	}
	Bootstrap struct {
		Organization string // "": not declared
		OwnerEmail   string // "": not declared
		Keys         []DeclaredKey
	}
	Log struct {
		Level    slog.Level
		Format   string
		Requests string // "all", "failures" or "none"
	}
	Metrics struct {
		Listen string // "": off
	}
}

// Defaults is the configuration when nothing is set.
func Defaults() Config {
	var c Config
	for _, s := range settings {
		if err := s.bind(&c).Set(s.standard); err != nil {
			panic(s.Key() + ": " + err.Error()) // a row of the table contradicts itself
		}
	}
	return c
}

// SocketPath is where the server of this configuration listens for operators.
func (c *Config) SocketPath() string {
	if c.Admin.Socket != "" {
		return c.Admin.Socket
	}
	return filepath.Join(c.Storage.Dir, "admin.sock")
}

// AuditCopy is the file that the audit log is copied to; "": none.
func (c *Config) AuditCopy() string {
	switch c.Audit.Copy {
	case "none":
		return ""
	case "":
		dir := c.Storage.Dir
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs // "." has no name that something could lie beside
		}
		return dir + ".audit"
	}
	return c.Audit.Copy
}

// Expiry is how many days a new key lives when it is not said, and how many it
// may live at most. With a bound and no default, the bound is the default: else
// saying nothing would get round it. 0: for ever.
func (c *Config) Expiry() (standard, most int) {
	standard, most = c.Auth.DefaultExpiryDays, c.Auth.MaxExpiryDays
	if standard == 0 {
		standard = most
	}
	return standard, most
}

// Argon2 are the costs of new hashes.
func (c *Config) Argon2() auth.Params {
	return auth.Params{
		MemoryKiB: c.Auth.Argon2Memory, Iterations: c.Auth.Argon2Iterations, Parallelism: c.Auth.Argon2Parallelism,
	}
}

// validate checks what no single setting can.
func (c *Config) validate() error {
	if days := c.Auth.MaxExpiryDays; days > 0 && c.Auth.DefaultExpiryDays > days {
		return &Error{Key: "auth.default_expiry_days", Reason: fmt.Sprintf("%d is above auth.max_expiry_days, %d", c.Auth.DefaultExpiryDays, days)}
	}
	switch {
	case c.Server.TLSCert != "" && c.Server.TLSKey == "":
		return &Error{Key: "server.tls_key", Reason: "is needed with server.tls_cert: both or none"}
	case c.Server.TLSCert == "" && c.Server.TLSKey != "":
		return &Error{Key: "server.tls_cert", Reason: "is needed with server.tls_key: both or none"}
	}
	if idle, most := c.Dashboard.SessionIdle, c.Dashboard.SessionMax; most < idle {
		return &Error{Key: "dashboard.session_max", Reason: fmt.Sprintf("%s is below dashboard.session_idle, %s", formatInterval(most), formatInterval(idle))}
	}
	if c.Metrics.Listen != "" && c.Metrics.Listen == c.Server.Listen && !strings.HasSuffix(c.Metrics.Listen, ":0") {
		return &Error{Key: "metrics.listen", Reason: c.Metrics.Listen + " is the address of the API: metrics have one of their own"}
	}
	return c.validateBackups()
}

// Effective is a configuration with the source of each value.
type Effective struct {
	Config
	File string            // the file that was read; "": none
	from map[string]string // by setting
}

// Source is where a setting has its value from: "default", "exante.toml:3",
// "EXANTE_LOG_LEVEL" or "--log-level".
func (e *Effective) Source(key string) string { return e.from[key] }

// Sources are what a configuration is read from, weakest first.
type Sources struct {
	File    string // "": exante.toml if there is one
	Environ []string
	Flags   map[string]string // by setting: flags of serve
	DataDir *string           // --data-dir; nil: not given
}

// Load reads a configuration and reports every mistake in it, not only the first.
func Load(src Sources) (*Effective, error) {
	e := &Effective{Config: Defaults(), from: map[string]string{}}
	for _, s := range settings {
		e.from[s.Key()] = "default"
	}
	problems := errors.Join(e.readFile(src.File), e.readEnvironment(src.Environ))
	for _, s := range settings {
		if text, given := src.Flags[s.Key()]; given {
			problems = errors.Join(problems, e.set(s, text, s.Flag()))
		}
	}
	if dir, _ := settingNamed("storage.dir"); src.DataDir != nil {
		problems = errors.Join(problems, e.set(dir, *src.DataDir, "--data-dir"))
	}
	if problems == nil {
		problems = errors.Join(e.validate(), e.validateKeys())
	}
	return e, problems
}

func (e *Effective) set(s Setting, text, from string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return &Error{Key: s.Key(), From: from, Reason: "has a character that can't be printed"}
	}
	if leaks.MatchString(text) {
		return &Error{Key: s.Key(), From: from, Reason: "holds an API key, which must stand in a file alone: " + howSecrets}
	}
	if err := s.bind(&e.Config).Set(text); err != nil {
		return &Error{Key: s.Key(), From: from, Reason: err.Error()}
	}
	e.from[s.Key()] = from
	return nil
}

// leaks is what a setting never holds: an API key, or most of one. Whatever is a setting can be shown, logged and copied.
var leaks = regexp.MustCompile(`ex_(live|test)_[0-9A-Za-z]{20}`)

// howSecrets says how a secret reaches the program.
const howSecrets = "a secret is read from a file whose path is set, as by secret_file=PATH in bootstrap.keys"

func (e *Effective) readEnvironment(environ []string) error {
	var problems error
	for _, pair := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "EXANTE_") || name == "EXANTE_API_KEY" { // the latter belongs to clients
			continue
		}
		i := slices.IndexFunc(settings, func(s Setting) bool { return s.Variable() == name })
		if i < 0 {
			var all []string
			for _, s := range settings {
				all = append(all, s.Variable())
			}
			unknown := &Error{Key: name, From: "environment", Unknown: true, Near: suggest.Nearest(name, all)}
			if strings.HasSuffix(name, "_FILE") {
				unknown.Reason = howSecrets
			}
			problems = errors.Join(problems, unknown)
			continue
		}
		problems = errors.Join(problems, e.set(settings[i], text, name))
	}
	return problems
}

// ErrSetting is what every Error Is.
var ErrSetting = errors.New("bad setting")

// Error is one refused setting, with where it came from.
type Error struct {
	Key     string
	From    string // "": from nowhere in particular
	Reason  string // of an unknown setting: what to do instead; may be ""
	Unknown bool   // there is no such setting
	Near    string // the known name that it resembles; "": none
}

func (e *Error) Error() string {
	where := ""
	if e.From != "" && e.From != e.Key {
		where = " (" + e.From + ")"
	}
	if e.Unknown {
		text := fmt.Sprintf("unknown setting %s%s", e.Key, where)
		if e.Near != "" {
			text += ": did you mean " + e.Near + "?"
		}
		if e.Reason != "" {
			text += ": " + e.Reason
		}
		return text
	}
	return fmt.Sprintf("%s%s: %s", e.Key, where, e.Reason)
}

// Is makes every Error an ErrSetting.
func (e *Error) Is(target error) bool { return target == ErrSetting }
