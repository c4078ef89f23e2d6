package admin

import (
	"strings"
	"testing"
)

func TestFlagsMayStandAnywhere(t *testing.T) {
	for in, want := range map[string]string{
		"keys list":                              "keys list --",
		"keys revoke U --yes":                    "keys revoke --yes -- U",
		"keys revoke --yes U":                    "keys revoke --yes -- U",
		"--data-dir D keys revoke U --json":      "keys revoke --data-dir=D --json -- U",
		"keys --data-dir=D revoke --yes=false U": "keys revoke --data-dir=D --yes=false -- U",
		"keys revoke -- --yes":                   "keys revoke -- --yes",
		"keys create --name --json":              "keys create --name=--json --",
		"keys create -name N":                    "keys create --name=N --",
		"keys show U -h":                         "keys show --help --",
		"-h keys show":                           "keys show --help --",
		"keys -h show U V --bogus --json --json": "keys show --help --",
		"keys create -h --name":                  "keys create --help --",
		"keys create --name=x --help --org":      "keys create --help --",
		"help keys show":                         "keys show --help --",
		"help":                                   "--help --",
		"keys --help":                            "keys --help --",
		"--version":                              "version --",
		"serve --listen 127.0.0.1:0":             "serve --listen=127.0.0.1:0 --",
		"serve --admin-socket=":                  "serve --admin-socket= --",
		"keys show -":                            "keys show -- -",
	} {
		got, err := arrange((&shell{}).app(), append([]string{"exante"}, strings.Fields(in)...))
		if err != nil || strings.Join(got, " ") != "exante "+want {
			t.Errorf("arrange(%s) = %v, %v, want %s", in, got, err, want)
		}
	}
}

func TestMisuseIsNamed(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "a command is missing: one of serve, init",
		"keys":                       "a command is missing: one of create, list",
		"keyz list":                  `unknown command "keyz": did you mean keys?`,
		"keys revok U":               `unknown command "keys revok": did you mean revoke?`,
		"frobnicate":                 `unknown command "frobnicate"`,
		"keys list --jsn":            "unknown flag --jsn: did you mean --json?",
		"keys list --yes":            "unknown flag --yes",
		"keys list --listen x":       "unknown flag --listen",
		"keys create --name":         "flag --name needs a value",
		"keys list --json --json":    "flag --json is given twice",
		"keys list --org a --org b":  "flag --org is given twice",
		"serve --server-listn x":     "unknown flag --server-listn: did you mean --server-listen?",
		"keys list --data-dir --bad": "",
	} {
		_, err := arrange((&shell{}).app(), append([]string{"exante"}, strings.Fields(in)...))
		switch {
		case want == "" && err != nil:
			t.Errorf("arrange(%s) = %v", in, err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("arrange(%s) = %v, want %s", in, err, want)
		}
	}
}

func FuzzArrange(f *testing.F) {
	f.Add("keys revoke U --yes --data-dir D")
	f.Add("-- - --=x --name")
	f.Fuzz(func(t *testing.T, line string) {
		args := append([]string{"exante"}, strings.Split(line, " ")...)
		got, err := arrange((&shell{}).app(), args)
		if err == nil && len(got) > len(args)+2 {
			t.Errorf("arrange(%q) = %q: more than was given", args, got)
		}
	})
}
