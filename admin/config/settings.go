package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Setting is one row of the configuration. From it follow the line in
// exante.toml, the environment variable, the flag of serve and `config show`.
type Setting struct {
	section, name string
	standard      string // the default, in the form that Set reads
	doc           string // one line, in exante.toml and in the help of serve
	bind          func(*Config) value
}

// value is one field of a Config as text. The text is the same in the
// environment and in a flag; a list has its items separated by commas.
type value interface {
	Set(text string) error // the error says what is wrong, not which setting it is
	String() string
	form() form
}

// settings is every setting. A row that nothing in the program reads would be a
// promise that nobody keeps: add the two together.
var settings = []Setting{
	{"server", "listen", "127.0.0.1:8080",
		"Address and port of the API. Port 0 takes a free one.",
		func(c *Config) value { return &field[string]{&c.Server.Listen, parseListen, verbatim, quoted} }},
	{"server", "public_url", "",
		"What links to this server begin with, behind a proxy. Empty: the Host of the request.",
		func(c *Config) value { return &field[string]{&c.Server.PublicURL, parsePublicURL, verbatim, quoted} }},
	{"server", "allowed_hosts", "",
		"Names that requests may carry in Host. Empty: any.",
		func(c *Config) value { return &field[[]string]{&c.Server.AllowedHosts, parseHosts, joined, list} }},
	{"server", "trusted_proxies", "",
		"Addresses or networks whose X-Forwarded-For is believed. Empty: none.",
		func(c *Config) value { return prefixes(&c.Server.TrustedProxies) }},
	{"server", "max_conns_per_ip", "512",
		"Connections that one address may hold open. 0: no limit, for a server behind a proxy.",
		func(c *Config) value { return between(&c.Server.MaxConnsPerIP, 0, 1<<20) }},

	{"server", "tls_cert", "",
		"PEM file of the TLS certificate and its chain; read anew when it is replaced. Empty: no TLS.",
		func(c *Config) value { return &field[string]{&c.Server.TLSCert, optional(parsePath), verbatim, quoted} }},
	{"server", "tls_key", "",
		"PEM file of its private key, which others may not read. Both or none.",
		func(c *Config) value { return &field[string]{&c.Server.TLSKey, optional(parsePath), verbatim, quoted} }},

	{"storage", "dir", "exante-data",
		"Data directory. It belongs to one user, mode 0700, on a local disk.",
		func(c *Config) value { return &field[string]{&c.Storage.Dir, parsePath, verbatim, quoted} }},
	{"storage", "cache", "64MiB",
		"Memory for answers kept ready to send, in KiB, MiB or GiB. 0: none.",
		func(c *Config) value { return &field[int64]{&c.Storage.Cache, parseSize, formatSize, quoted} }},
	{"storage", "min_free", "auto",
		"Free disk space below which writes are refused. auto: 5 % of the disk, at most 512MiB. 0: no watch.",
		func(c *Config) value { return &field[int64]{&c.Storage.MinFree, parseMinFree, formatMinFree, quoted} }},

	{"invoices", "number_pattern", "INV-{YYYY}-{SEQ:6}",
		"Numbers given to invoices when they are sent: {YYYY} is the year, {SEQ:6} the counter on six digits.",
		func(c *Config) value {
			return &field[string]{&c.Invoices.NumberPattern, parseNumberPattern, verbatim, quoted}
		}},

	{"audit", "copy", "",
		"File that every audit record is copied to. Empty: the data directory's path with .audit behind it. none: no copy.",
		func(c *Config) value { return &field[string]{&c.Audit.Copy, parseCopy, verbatim, quoted} }},

	{"auth", "environment", "live",
		"live or test: whether keys begin with ex_live_ or ex_test_. A key of one never opens the other.",
		func(c *Config) value { return oneOf(&c.Auth.Environment, "live", "test") }},
	{"auth", "argon2_memory", "19456",
		"Memory of one argon2id hash in KiB, 8192 to 65536.",
		func(c *Config) value { return between(&c.Auth.Argon2Memory, 8<<10, 64<<10) }},
	{"auth", "argon2_iterations", "2",
		"Passes of one argon2id hash, 1 to 10.",
		func(c *Config) value { return between(&c.Auth.Argon2Iterations, 1, 10) }},
	{"auth", "argon2_parallelism", "1",
		"Threads of one argon2id hash, 1 to 4.",
		func(c *Config) value { return between(&c.Auth.Argon2Parallelism, 1, 4) }},
	{"auth", "default_expiry_days", "0",
		"Days until a new key expires when it is not said, up to 3650. 0: never.",
		func(c *Config) value { return between(&c.Auth.DefaultExpiryDays, 0, 3650) }},
	{"auth", "max_expiry_days", "0",
		"Longest life of a new key in days, up to 3650. 0: no bound.",
		func(c *Config) value { return between(&c.Auth.MaxExpiryDays, 0, 3650) }},

	{"rate_limit", "windows", "600/1m",
		"Requests that a key without limits of its own may make, N/D, several joined by commas. D is 1s to 31d.",
		func(c *Config) value { return limits(&c.RateLimit.Windows) }},
	{"rate_limit", "failures", "1000/1m",
		"Refused requests (401 and 403) that one address may make before it gets 429, N/D.",
		func(c *Config) value { return limits(&c.RateLimit.Failures) }},

	{"admin", "socket", "",
		"Unix socket for the other commands. Empty: admin.sock in the data directory.",
		func(c *Config) value { return &field[string]{&c.Admin.Socket, parseSocket, verbatim, quoted} }},

	{"dashboard", "enabled", "true",
		"Whether people can sign in with a browser.",
		func(c *Config) value { return boolean(&c.Dashboard.Enabled) }},
	{"dashboard", "session_idle", "30m",
		"A session in a browser ends when it was not used for so long, 1m to 24h.",
		func(c *Config) value { return lasting(&c.Dashboard.SessionIdle, time.Minute, 24*time.Hour) }},
	{"dashboard", "session_max", "12h",
		"It ends so long after signing in however it is used, from session_idle to 720h.",
		func(c *Config) value { return lasting(&c.Dashboard.SessionMax, time.Minute, 30*24*time.Hour) }},

	{"backup", "mac_key_file", "",
		"File with a secret of at least 32 bytes, mode 0600, that authenticates backups. Empty: they are not.",
		func(c *Config) value { return &field[string]{&c.Backup.MACKeyFile, parseFile, verbatim, quoted} }},

	{"backup", "dir", "",
		"Directory, on another disk than the data, for the backups that the server makes.",
		func(c *Config) value { return &field[string]{&c.Backup.Dir, parseFile, verbatim, quoted} }},
	{"backup", "every", "",
		"How often the server makes a backup and proves it, such as 24h. Empty: never.",
		func(c *Config) value {
			return &field[time.Duration]{&c.Backup.Every, parseInterval, formatInterval, quoted}
		}},
	{"backup", "keep", "7",
		"How many proved backups are kept in backup.dir.",
		func(c *Config) value { return between(&c.Backup.Keep, 1, 10000) }},
	{"backup", "age_recipients", "",
		"Public keys, age1..., that the backups of the server are encrypted for. Empty: they are not.",
		func(c *Config) value { return &field[[]string]{&c.Backup.AgeRecipients, parseRecipients, joined, list} }},

	{"bootstrap", "organization", "",
		"Organization that serve makes in an empty store. Empty: only if keys or an owner are declared.",
		func(c *Config) value {
			return &field[string]{&c.Bootstrap.Organization, parseOrganization, verbatim, quoted}
		}},
	{"bootstrap", "owner_email", "",
		"Address of its owner. Empty: a placeholder.",
		func(c *Config) value { return &field[string]{&c.Bootstrap.OwnerEmail, parseEmail, verbatim, quoted} }},
	{"bootstrap", "keys", "",
		"API keys that serve makes: name=N scopes=A+B expires_in_days=D secret_file=PATH, see exante keys mint --help.",
		func(c *Config) value {
			return &field[[]DeclaredKey]{&c.Bootstrap.Keys, parseDeclaredKeys, showDeclaredKeys, list}
		}},

	{"log", "level", "info",
		"debug, info, warn or error.",
		func(c *Config) value {
			return &worded{&field[level]{(*level)(&c.Log.Level), parseLevel, formatLevel, quoted}, strings.Fields("debug info warn error")}
		}},
	{"log", "format", "text",
		"text or json.",
		func(c *Config) value { return oneOf(&c.Log.Format, "text", "json") }},
	{"log", "requests", "failures",
		"Requests with a line of their own: all, failures (answered with 400 or more), or none.",
		func(c *Config) value { return oneOf(&c.Log.Requests, "all", "failures", "none") }},

	{"metrics", "listen", "",
		"Address and port of /metrics for Prometheus, in clear and open to all who reach it. Empty: off.",
		func(c *Config) value {
			return &field[string]{&c.Metrics.Listen, optional(parseListen), verbatim, quoted}
		}},
}

// Settings is every setting there is, by section.
func Settings() []Setting { return slices.Clone(settings) }

// Default is its value when nothing sets it.
func (s Setting) Default() string { return s.standard }

// About explains it in a line.
func (s Setting) About() string { return s.doc }

// Words are all values that it may have; nil if they are not a few fixed words.
func (s Setting) Words() []string {
	if v, ok := s.bind(&Config{}).(*worded); ok {
		return v.words
	}
	return nil
}

// Text is its value in c, in the form of the environment and of flags.
func (s Setting) Text(c *Config) string { return s.bind(c).String() }

// Literal is its value in c as the file has it.
func (s Setting) Literal(c *Config) string { return s.bind(c).form().literal(s.Text(c)) }

// Key is its name in the file, "server.listen".
func (s Setting) Key() string { return s.section + "." + s.name }

// Variable is its name in the environment.
func (s Setting) Variable() string { return "EXANTE_" + strings.ToUpper(s.section+"_"+s.name) }

// Flag is its flag on serve, "--server-listen".
func (s Setting) Flag() string { return "--" + s.FlagName() }

// FlagName is Flag without the dashes.
func (s Setting) FlagName() string { return strings.ReplaceAll(s.section+"-"+s.name, "_", "-") }

func settingNamed(key string) (Setting, bool) {
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Key() == key })
	if i < 0 {
		return Setting{}, false
	}
	return settings[i], true
}

func settingKeys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.Key()
	}
	return keys
}

func isSection(name string) bool {
	return slices.ContainsFunc(settings, func(s Setting) bool { return s.section == name })
}

// TOML writes c as a configuration file that reads back as c.
func TOML(c Config) string {
	var b strings.Builder
	b.WriteString("# Every setting of exante at its default. An environment variable\n" +
		"# EXANTE_<SECTION>_<KEY> overrides this file, a flag --<section>-<key> of\n" +
		"# `exante serve` overrides both. `exante config show` prints what is in effect.\n")
	section := ""
	for _, s := range settings {
		if s.section != section {
			section = s.section
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		v := s.bind(&c)
		fmt.Fprintf(&b, "# %s\n%s = %s\n", s.doc, s.name, v.form().literal(v.String()))
	}
	return b.String()
}
