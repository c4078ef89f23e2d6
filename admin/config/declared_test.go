package config_test

import (
	"strings"
	"testing"

	"exante/admin/config"
)

// A declaration reads the same from the file, the environment and a flag.
func TestDeclaredKeyFromEverySource(t *testing.T) {
	inEmptyDir(t)
	const one = "name=zapier scopes=invoices:read+parties:read expires_in_days=90 secret_file=/run/secrets/zapier"
	const two = "name=ci scopes=* allowed_cidrs=10.0.0.0/8+::1/128 rate_limit=600/1m+20000/24h secret_file=/run/secrets/ci"
	for _, src := range []config.Sources{
		{File: writeFile(t, "[bootstrap]\nkeys = [\n  \""+one+"\",\n  \""+two+"\",\n]\n")},
		{Environ: []string{"EXANTE_BOOTSTRAP_KEYS=" + one + ", " + two}},
		{Flags: map[string]string{"bootstrap.keys": one + "," + two}},
	} {
		keys := mustLoad(t, src).Bootstrap.Keys
		if len(keys) != 2 || keys[0].String() != one || keys[1].String() != two {
			t.Fatalf("%+v reads as %v", src, keys)
		}
		k := keys[0]
		if k.Name != "zapier" || k.Scopes.String() != "invoices:read,parties:read" || k.ExpiresInDays != 90 || k.SecretFile != "/run/secrets/zapier" {
			t.Errorf("read %+v", k)
		}
	}
}

func TestBadDeclarationsNameTheItemAndTheWord(t *testing.T) {
	inEmptyDir(t)
	good := "name=a scopes=* secret_file=/a"
	for text, want := range map[string]string{
		good + ",":                                "item 2: name is missing",
		"name=a secret_file=/a":                   "item 1: scopes is missing; scopes=* is full access",
		good + ",name=b scopes=*":                 "item 2: secret_file is missing: the secret stands in a file alone",
		good + ",name=a scopes=*":                 "item 2: secret_file is missing",
		good + "," + good:                         "item 2: another item has name=a",
		good + ",name=b scopes=* secret_file=//a": "item 2: another item has secret_file=/a",
		"name=a name=b":                           "item 1: name is given twice",
		"name= scopes=*":                          "item 1: name: is not 1 to 64 letters",
		"name=ä":                                  "item 1: name: is not 1 to 64 letters",
		"name=a scopes=":                          "item 1: scopes: unknown or empty scopes",
		"name=a scopes=invoices:destroy":          `item 1: scopes: unknown or empty scopes: "invoices:destroy"`,
		"name=a expires_in_days=0":                "item 1: expires_in_days",
		"name=a expires_in_days=3651":             "item 1: expires_in_days",
		"name=a rate_limit=many":                  "item 1: rate_limit: malformed rate limit",
		"name=a allowed_cidrs=10.0.0.1/8":         "item 1: allowed_cidrs: malformed network",
		"name=a secret_file=":                     "item 1: secret_file: a path is needed",
		"name=my key":                             "item 1: word 2 is not WHAT=VALUE",
		"name=a secret=hunter2":                   "item 1: word 2 is none of name, scopes",
		strings.Repeat(good+",", 100) + good:      "declares 101 keys, at most 100",
	} {
		got := loadError(t, config.Sources{Environ: []string{"EXANTE_BOOTSTRAP_KEYS=" + text}})
		if !strings.HasPrefix(got, "bootstrap.keys (EXANTE_BOOTSTRAP_KEYS): "+want) && !strings.Contains(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("%.80q: message %q, want %q", text, got, want)
		}
	}
}

func TestDeclaredKeyLivesWithinTheBound(t *testing.T) {
	inEmptyDir(t)
	file := writeFile(t, "[auth]\nmax_expiry_days = 30\n[bootstrap]\nkeys = [\"name=a scopes=* expires_in_days=31 secret_file=/a\"]\n")
	want := "bootstrap.keys (" + file + ":4): item 1: expires_in_days: 31 is above auth.max_expiry_days, 30"
	if got := loadError(t, config.Sources{File: file}); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

// A key in a setting is refused, wherever it stands, and never repeated.
func TestNoSettingHoldsAKey(t *testing.T) {
	inEmptyDir(t)
	const token = "ex_live_0123456789abcdefghijABCDEFGHIJkl3XpU9a"
	for _, s := range config.Settings() {
		section, name, _ := strings.Cut(s.Key(), ".")
		for _, src := range []config.Sources{
			{Environ: []string{s.Variable() + "=" + token}},
			{Flags: map[string]string{s.Key(): "name=a scopes=* secret_file=/a/" + token[:30]}},
			{File: writeFile(t, "["+section+"]\n"+name+" = [\""+token+"\"]\n")},
			{File: writeFile(t, "["+section+"]\n"+name+" = \""+token+"\"\n")},
		} {
			if got := loadError(t, src); !strings.Contains(got, s.Key()) || strings.Contains(got, token[8:28]) {
				t.Errorf("%s: message %q", s.Key(), got)
			}
		}
	}
}

func TestSecretInAVariableIsToldWhereSecretsGo(t *testing.T) {
	inEmptyDir(t)
	for name, want := range map[string]string{
		"EXANTE_BOOTSTRAP_KEYS_FILE": "unknown setting EXANTE_BOOTSTRAP_KEYS_FILE (environment): did you mean EXANTE_BOOTSTRAP_KEYS?: a secret is read from a file whose path is set",
		"EXANTE_TURBO_FILE":          "unknown setting EXANTE_TURBO_FILE (environment): a secret is read from a file whose path is set",
	} {
		if got := loadError(t, config.Sources{Environ: []string{name + "=/run/secrets/x"}}); !strings.HasPrefix(got, want) {
			t.Errorf("message %q, want %q", got, want)
		}
	}
}
