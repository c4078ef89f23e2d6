package config_test

import (
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"exante/admin/config"
)

// One bad value a setting, from each source: the message names the setting,
// where the value came from, and what is wrong with it.
func TestBadValuesNameSettingAndSource(t *testing.T) {
	inEmptyDir(t)
	bad := map[string]struct{ literal, reason string }{
		"server.listen":            {`"8080"`, "not HOST:PORT"},
		"server.public_url":        {`"billing.example.com"`, "not a URL"},
		"server.allowed_hosts":     {`["a.example:80"]`, "not a host name"},
		"server.trusted_proxies":   {`["10.0.0.1/8"]`, "neither an address nor a network"},
		"server.max_conns_per_ip":  {`-1`, "from 0 to"},
		"server.tls_cert":          {`"a` + "\u202e" + `"`, "can't be printed"},
		"server.tls_key":           {`"a` + "\u202e" + `"`, "can't be printed"},
		"storage.dir":              {`""`, "a path is needed"},
		"storage.cache":            {`"64MB"`, "not a size"},
		"storage.min_free":         {`"15MiB"`, "15MiB is too little to finish a write in: at least 16MiB, or 0 for no watch"},
		"invoices.number_pattern":  {`"INV-{YYYY}"`, "{SEQ}"},
		"audit.copy":               {`"/var/log/"`, "a file is needed, not a directory"},
		"auth.environment":         {`"production"`, "none of [live test]"},
		"auth.argon2_memory":       {`4096`, "from 8192 to 65536"},
		"auth.argon2_iterations":   {`11`, "from 1 to 10"},
		"auth.argon2_parallelism":  {`0`, "from 1 to 4"},
		"auth.default_expiry_days": {`3651`, "from 0 to 3650"},
		"auth.max_expiry_days":     {`-1`, "from 0 to 3650"},
		"rate_limit.windows":       {`"600/5w"`, "not N/D"},
		"rate_limit.failures":      {`"0/1m"`, "not N/D"},
		"admin.socket":             {`"` + strings.Repeat("x", 108) + `"`, "at most 107 bytes"},
		"dashboard.enabled":        {`"yes"`, "true"},
		"dashboard.session_idle":   {`"59s"`, "not a duration such as 90m, from 1m to 24h"},
		"dashboard.session_max":    {`"721h"`, "not a duration such as 90m, from 1m to 720h"},
		"backup.mac_key_file":      {`"` + strings.Repeat("x", 4096) + `"`, "at most 4095 bytes"},
		"backup.dir":               {`"` + strings.Repeat("x", 4096) + `"`, "at most 4095 bytes"},
		"backup.every":             {`"daily"`, "not an interval"},
		"backup.keep":              {`0`, "from 1 to 10000"},
		"backup.age_recipients":    {`["age1nonsense"]`, "not an age recipient"},
		"bootstrap.organization":   {`"` + strings.Repeat("x", 201) + `"`, "must have 1 to 200 characters"},
		"bootstrap.owner_email":    {`"owner"`, "must be an e-mail address"},
		"bootstrap.keys":           {`["scopes=*"]`, "item 1: name is missing"},
		"log.level":                {`"loud"`, "none of [debug info warn error]"},
		"log.format":               {`"xml"`, "none of [text json]"},
		"log.requests":             {`"some"`, "none of [all failures none]"},
		"metrics.listen":           {`"9100"`, "not HOST:PORT"},
	}
	unclaimed := maps.Clone(bad)
	for _, s := range config.Settings() {
		b, ok := bad[s.Key()]
		if !ok {
			t.Errorf("%s has no bad value here: add the row\n\t%q: {`BAD VALUE AS IN THE FILE`, \"WORDS OF ITS ERROR\"},", s.Key(), s.Key())
			continue
		}
		delete(unclaimed, s.Key())
		section, name, _ := strings.Cut(s.Key(), ".")
		text := strings.Trim(b.literal, `[]"`)
		file := writeFile(t, "\n["+section+"]\n"+name+" = "+b.literal+"\n")
		for source, src := range map[string]config.Sources{
			file + ":3":  {File: file},
			s.Variable(): {Environ: []string{s.Variable() + "=" + text}},
			s.Flag():     {Flags: map[string]string{s.Key(): text}},
		} {
			got := loadError(t, src)
			for _, want := range []string{s.Key(), source, b.reason} {
				if !strings.Contains(got, want) {
					t.Errorf("message %q does not say %q", got, want)
				}
			}
		}
	}
	for key := range unclaimed {
		t.Errorf("%s has a bad value here, but is no setting: take the row out", key)
	}
}

func TestPublicURL(t *testing.T) {
	inEmptyDir(t)
	for text, want := range map[string]string{
		"": "", "https://billing.example.com": "https://billing.example.com", "http://[::1]:8080/": "http://[::1]:8080",
		"https://example.com/exante/": "https://example.com/exante",
	} {
		e := mustLoad(t, config.Sources{Flags: map[string]string{"server.public_url": text}})
		if e.Server.PublicURL != want {
			t.Errorf("%q reads as %q, want %q", text, e.Server.PublicURL, want)
		}
	}
	for _, text := range []string{"example.com", "//example.com", "ftp://example.com", "https://", "https:example.com", "https://a b",
		"https://user@example.com", "https://example.com?a=b", "https://example.com?", "https://example.com#a", "https://example.com#",
		`https://example.com/"`, "javascript:alert(1)", "https://:80"} {
		if got := loadError(t, config.Sources{Flags: map[string]string{"server.public_url": text}}); !strings.Contains(got, "is not a URL") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestNumberPattern(t *testing.T) {
	inEmptyDir(t)
	for pattern, good := range map[string]bool{
		"INV-{YYYY}-{SEQ:6}": true, "{SEQ}": true, "R{SEQ:12}/{YYYY}": true,
		"": false, "INV": false, "{YYYY}": false, "{SEQ}{SEQ}": false, "{SEQ:0}": false, "{SEQ:13}": false, "{SEQ:x}": false,
		"{SEQ6}": false, "{SEQ": false, "{MM}{SEQ}": false, "{YYYY}{YYYY}{SEQ}": false, "{SEQ}" + strings.Repeat("x", 60): false,
	} {
		_, err := config.Load(config.Sources{Environ: []string{"EXANTE_INVOICES_NUMBER_PATTERN=" + pattern}})
		if (err == nil) != good {
			t.Errorf("pattern %q: %v, want accepted = %v", pattern, err, good)
		}
	}
}

func TestSessionsOfTheDashboard(t *testing.T) {
	inEmptyDir(t)
	e := mustLoad(t, config.Sources{})
	if d := e.Dashboard; !d.Enabled || d.SessionIdle != 30*time.Minute || d.SessionMax != 12*time.Hour {
		t.Errorf("by default %+v", d)
	}
	file := writeFile(t, "[dashboard]\nenabled = false\nsession_idle = \"1h30m\"\nsession_max = \"720h\"\n")
	if d := mustLoad(t, config.Sources{File: file}).Dashboard; d.Enabled || d.SessionIdle != 90*time.Minute || d.SessionMax != 30*24*time.Hour {
		t.Errorf("from a file %+v", d)
	}
	env := func(idle, most string) config.Sources {
		return config.Sources{Environ: []string{"EXANTE_DASHBOARD_SESSION_IDLE=" + idle, "EXANTE_DASHBOARD_SESSION_MAX=" + most}}
	}
	mustLoad(t, env("1h", "60m"))
	if got := loadError(t, env("24h", "23h59m")); !strings.Contains(got, "dashboard.session_max: 1439m is below dashboard.session_idle, 24h") {
		t.Errorf("message %q", got)
	}
	for literal, want := range map[string]string{`"false"`: "true or false without quotes", `0`: "true or false without quotes", `False`: ""} {
		got := loadError(t, config.Sources{File: writeFile(t, "[dashboard]\nenabled = "+literal+"\n")})
		if !strings.Contains(got, want) {
			t.Errorf("%s: message %q does not say %q", literal, got, want)
		}
	}
	for _, idle := range []string{"", "0", "30", "-30m", "1d", "59.9s", "24h1s", "1h1h1"} {
		if got := loadError(t, env(idle, "720h")); !strings.Contains(got, "dashboard.session_idle") {
			t.Errorf("idle %q: %q", idle, got)
		}
	}
}

func TestScheduledBackups(t *testing.T) {
	inEmptyDir(t)
	env := func(every, dir string) config.Sources {
		return config.Sources{Environ: []string{"EXANTE_BACKUP_EVERY=" + every, "EXANTE_BACKUP_DIR=" + dir, "EXANTE_STORAGE_DIR=/srv/exante/data"}}
	}
	for every, want := range map[string]string{"24h": "24h", "90m": "90m", "1s": "1s", "1h0m30s": "1h0m30s", "1440m": "24h", "": ""} {
		e := mustLoad(t, env(every, "/mnt/safe"))
		for _, s := range config.Settings() {
			if got := s.Text(&e.Config); s.Key() == "backup.every" && got != want {
				t.Errorf("every %q reads %q, want %q", every, got, want)
			}
		}
	}
	for _, every := range []string{"0", "999ms", "-1h", "24", "1d", "9000h"} {
		if got := loadError(t, env(every, "/mnt/safe")); !strings.Contains(got, "not an interval") {
			t.Errorf("every %q: %q", every, got)
		}
	}
	for dir, want := range map[string]string{
		"": "backup.dir: is needed", "/srv/exante/data": "in the data directory", "/srv/exante/data/backups": "in the data directory",
		"/srv/exante/x/../data/b": "in the data directory",
	} {
		if got := loadError(t, env("24h", dir)); !strings.Contains(got, want) {
			t.Errorf("dir %q: message %q does not say %q", dir, got, want)
		}
	}
	for _, dir := range []string{"/srv/exante/data2", "/srv/exante", "/srv/exante/..data", "backups"} {
		mustLoad(t, env("24h", dir))
	}
}

// Values come back from the file as they were, whatever they are.
func TestRenderedFileReadsBack(t *testing.T) {
	inEmptyDir(t)
	e := mustLoad(t, config.Sources{Environ: []string{
		"EXANTE_SERVER_LISTEN=[::1]:0", "EXANTE_SERVER_ALLOWED_HOSTS=A.example, b.example",
		"EXANTE_SERVER_TRUSTED_PROXIES=10.0.0.0/8,::1", "EXANTE_STORAGE_DIR=/srv/a \"b\"", "EXANTE_STORAGE_CACHE=3GiB",
		"EXANTE_BOOTSTRAP_KEYS=name=a scopes=* secret_file=/a, name=b scopes=parties:read+invoices:read allowed_cidrs=10.0.0.0/8+::/0 " +
			"rate_limit=5/1s+600/1m expires_in_days=9 secret_file=/b",
		"EXANTE_BOOTSTRAP_ORGANIZATION=Blue  \"Harbor\", Ltd", "EXANTE_BOOTSTRAP_OWNER_EMAIL=O@B.example",
		"EXANTE_RATE_LIMIT_WINDOWS=20/4s,5/1s", "EXANTE_LOG_LEVEL=warn", "EXANTE_AUTH_ARGON2_MEMORY=8192",
	}})
	back := mustLoad(t, config.Sources{File: writeFile(t, config.TOML(e.Config))})
	if !reflect.DeepEqual(e.Config, back.Config) {
		t.Errorf("read back\n%+v, want\n%+v\n%s", back.Config, e.Config, config.TOML(e.Config))
	}
	if got := e.Server.TrustedProxies[1].String(); got != "::1/128" {
		t.Errorf("an address alone = %s, want that address", got)
	}
	if got := strings.Join(e.Server.AllowedHosts, " "); got != "a.example b.example" {
		t.Errorf("hosts = %s", got)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(config.TOML(config.Defaults()))
	f.Add("[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = []\n")
	f.Add("a.b.c = 1\n[[server]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := config.Load(config.Sources{File: writeFile(t, text)})
		if err != nil {
			if !errors.Is(err, config.ErrSetting) {
				t.Errorf("error %v is no ErrSetting", err)
			}
			return
		}
		back, err := config.Load(config.Sources{File: writeFile(t, config.TOML(e.Config))})
		if err != nil || !reflect.DeepEqual(e.Config, back.Config) {
			t.Errorf("accepted %q, which reads back as %+v, %v", text, back, err)
		}
	})
}

// The API's port is behind keys, the metrics' is not.
func TestMetricsHaveAPortOfTheirOwn(t *testing.T) {
	inEmptyDir(t)
	at := func(api, metrics string) config.Sources {
		return config.Sources{Flags: map[string]string{"server.listen": api, "metrics.listen": metrics}}
	}
	if got := loadError(t, at("127.0.0.1:8080", "127.0.0.1:8080")); !strings.Contains(got, "metrics.listen: 127.0.0.1:8080 is the address of the API") {
		t.Errorf("message = %q", got)
	}
	mustLoad(t, at("127.0.0.1:0", "127.0.0.1:0"))
	mustLoad(t, at("127.0.0.1:8080", ""))
}

func TestTLSTakesBothFiles(t *testing.T) {
	inEmptyDir(t)
	with := func(cert, key string) config.Sources {
		return config.Sources{Flags: map[string]string{"server.tls_cert": cert, "server.tls_key": key}}
	}
	if got := loadError(t, with("cert.pem", "")); got != "server.tls_key: is needed with server.tls_cert: both or none" {
		t.Errorf("message = %q", got)
	}
	if got := loadError(t, with("", "key.pem")); got != "server.tls_cert: is needed with server.tls_key: both or none" {
		t.Errorf("message = %q", got)
	}
	mustLoad(t, with("", ""))
	mustLoad(t, with("cert.pem", "key.pem"))
}
