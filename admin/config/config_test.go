package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"exante/admin/config"
)

// inEmptyDir runs the test where there is no exante.toml.
func inEmptyDir(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exante.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, src config.Sources) *config.Effective {
	t.Helper()
	e, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// loadError loads what must be refused and returns the message.
func loadError(t *testing.T, src config.Sources) string {
	t.Helper()
	_, err := config.Load(src)
	if err == nil {
		t.Fatalf("Load(%+v) succeeded", src)
	}
	if !errors.Is(err, config.ErrSetting) {
		t.Errorf("error %v is no ErrSetting", err)
	}
	return err.Error()
}

func TestShippedFileIsTheDefaults(t *testing.T) {
	shipped, err := os.ReadFile("../../exante.toml")
	if err != nil {
		t.Fatal(err)
	}
	if want := config.TOML(config.Defaults()); string(shipped) != want {
		t.Errorf("exante.toml is not the rendering of the defaults, which is:\n%s", want)
	}
	e := mustLoad(t, config.Sources{File: "../../exante.toml"})
	if !reflect.DeepEqual(e.Config, config.Defaults()) {
		t.Errorf("exante.toml reads as\n%+v, want\n%+v", e.Config, config.Defaults())
	}
	for _, s := range config.Settings() {
		if !strings.HasPrefix(e.Source(s.Key()), "../../exante.toml:") {
			t.Errorf("source of %s = %q, want a line of the file", s.Key(), e.Source(s.Key()))
		}
		if n := strings.Count(s.About(), "\n"); n != 0 || len(s.About()) > 120 {
			t.Errorf("%s is not explained in one line: %q", s.Key(), s.About())
		}
	}
}

func TestNoFileMeansDefaults(t *testing.T) {
	inEmptyDir(t)
	e := mustLoad(t, config.Sources{})
	if !reflect.DeepEqual(e.Config, config.Defaults()) {
		t.Errorf("config = %+v, want the defaults", e.Config)
	}
	if e.File != "" || e.Source("log.level") != "default" {
		t.Errorf("file = %q, source = %q", e.File, e.Source("log.level"))
	}
}

func TestFileInTheWorkingDirectoryIsRead(t *testing.T) {
	inEmptyDir(t)
	if err := os.WriteFile("exante.toml", []byte("[log]\nlevel = \"debug\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := mustLoad(t, config.Sources{})
	if got := e.Log.Level.String() + " " + e.Source("log.level") + " " + e.File; got != "DEBUG exante.toml:2 exante.toml" {
		t.Errorf("level, source, file = %s", got)
	}
}

// A stronger source wins, and the source that won is named.
func TestPrecedence(t *testing.T) {
	inEmptyDir(t)
	file := writeFile(t, "[server]\nlisten = \"127.0.0.1:1\"\n")
	src := config.Sources{File: file}
	check := func(listen, source string) {
		t.Helper()
		e := mustLoad(t, src)
		if e.Server.Listen != listen || e.Source("server.listen") != source {
			t.Errorf("listen = %s from %s, want %s from %s", e.Server.Listen, e.Source("server.listen"), listen, source)
		}
	}
	check("127.0.0.1:1", file+":2")
	src.Environ = []string{"PATH=/bin", "EXANTE_SERVER_LISTEN=127.0.0.1:2"}
	check("127.0.0.1:2", "EXANTE_SERVER_LISTEN")
	src.Flags = map[string]string{"server.listen": "127.0.0.1:3"}
	check("127.0.0.1:3", "--server-listen")
}

func TestDataDirFlagOutranksAll(t *testing.T) {
	inEmptyDir(t)
	dir := "/d/../d/"
	e := mustLoad(t, config.Sources{
		Environ: []string{"EXANTE_STORAGE_DIR=/b"}, Flags: map[string]string{"storage.dir": "/c"}, DataDir: &dir,
	})
	if e.Storage.Dir != "/d" || e.Source("storage.dir") != "--data-dir" || e.SocketPath() != "/d/admin.sock" {
		t.Errorf("dir = %s from %s, socket %s", e.Storage.Dir, e.Source("storage.dir"), e.SocketPath())
	}
}

func TestClientsVariableIsIgnored(t *testing.T) {
	inEmptyDir(t)
	mustLoad(t, config.Sources{Environ: []string{"EXANTE_API_KEY=ex_live_x"}})
}

func TestUnknownNamesAreErrors(t *testing.T) {
	inEmptyDir(t)
	for _, c := range []struct {
		name string
		src  config.Sources
		want string
	}{
		{"key", config.Sources{File: writeFile(t, "[server]\nlisten = \"127.0.0.1:1\"\nlisen = \"x\"\n")}, "unknown setting server.lisen"},
		{"its line", config.Sources{File: writeFile(t, "[server]\nlisen = \"x\"\n")}, ".toml:2): did you mean server.listen?"},
		{"section", config.Sources{File: writeFile(t, "[servr]\n")}, "unknown setting servr"},
		{"top-level key", config.Sources{File: writeFile(t, "listen = \"x\"\n")}, "unknown setting listen"},
		{"section as a value", config.Sources{File: writeFile(t, "server = 3\n")}, "unknown setting server"},
		{"table below a setting", config.Sources{File: writeFile(t, "[server.listen]\nhost = \"x\"\n")}, "server.listen"},
		{"variable", config.Sources{Environ: []string{"EXANTE_LOG_LEVL=debug"}}, "unknown setting EXANTE_LOG_LEVL (environment): did you mean EXANTE_LOG_LEVEL?"},
		{"variable unlike any", config.Sources{Environ: []string{"EXANTE_TURBO=1"}}, "unknown setting EXANTE_TURBO (environment)"},
	} {
		if got := loadError(t, c.src); !strings.Contains(got, c.want) {
			t.Errorf("%s: message %q does not say %q", c.name, got, c.want)
		}
	}
}

func TestWrongTypesAreErrors(t *testing.T) {
	inEmptyDir(t)
	for text, want := range map[string]string{
		"[server]\nlisten = 8080\n":                "must be a string in quotes",
		"[server]\nmax_conns_per_ip = \"512\"\n":   "must be a whole number without quotes",
		"[server]\nmax_conns_per_ip = 1.5\n":       "must be a whole number without quotes",
		"[server]\nallowed_hosts = \"a\"\n":        "must be an array of strings",
		"[server]\nallowed_hosts = [1]\n":          "must be an array of strings",
		"[server]\nallowed_hosts = [\"a,b\"]\n":    "must be an array of strings",
		"[log]\nlevel = true\n":                    "must be a string in quotes",
		"[log]\nlevel = \"info\"\nlevel = \"x\"\n": "line 3",
		"[log\n": "expected '.' or ']'",
	} {
		if got := loadError(t, config.Sources{File: writeFile(t, text)}); !strings.Contains(got, want) {
			t.Errorf("message %q does not say %q", got, want)
		}
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	inEmptyDir(t)
	got := loadError(t, config.Sources{
		File:    writeFile(t, "[log]\nlevel = \"loud\"\nformat = \"xml\"\n"),
		Environ: []string{"EXANTE_TURBO=1"}, Flags: map[string]string{"server.listen": "x"},
	})
	for _, want := range []string{"log.level", "log.format", "EXANTE_TURBO", "--server-listen"} {
		if !strings.Contains(got, want) {
			t.Errorf("message %q does not say %q", got, want)
		}
	}
}

// An empty variable in a script must not mean the default directory.
func TestEmptyDataDirIsAnError(t *testing.T) {
	inEmptyDir(t)
	empty := ""
	if got := loadError(t, config.Sources{DataDir: &empty}); got != "storage.dir (--data-dir): a path is needed" {
		t.Errorf("message = %q", got)
	}
}

func TestUnprintableValueIsAnError(t *testing.T) {
	inEmptyDir(t)
	for _, text := range []string{"a\x00b", "a\nb", "a\x1b[2J", "a\xffb", "a\u202eb"} {
		if got := loadError(t, config.Sources{Environ: []string{"EXANTE_STORAGE_DIR=" + text}}); !strings.Contains(got, "can't be printed") {
			t.Errorf("message = %q", got)
		}
	}
}

func TestMissingNamedFileIsAnError(t *testing.T) {
	inEmptyDir(t)
	if got := loadError(t, config.Sources{File: "absent.toml"}); !strings.Contains(got, "--config: open absent.toml") {
		t.Errorf("message = %q", got)
	}
}

func TestDefaultExpiryStaysWithinTheBound(t *testing.T) {
	inEmptyDir(t)
	env := func(standard, most string) config.Sources {
		return config.Sources{Environ: []string{"EXANTE_AUTH_DEFAULT_EXPIRY_DAYS=" + standard, "EXANTE_AUTH_MAX_EXPIRY_DAYS=" + most}}
	}
	if got := loadError(t, env("91", "90")); !strings.Contains(got, "auth.default_expiry_days: 91 is above auth.max_expiry_days, 90") {
		t.Errorf("message = %q", got)
	}
	for _, c := range []struct {
		standard, most         string
		wantStandard, wantMost int
	}{{"0", "0", 0, 0}, {"30", "0", 30, 0}, {"0", "90", 90, 90}, {"30", "90", 30, 90}} {
		e := mustLoad(t, env(c.standard, c.most))
		if standard, most := e.Expiry(); standard != c.wantStandard || most != c.wantMost {
			t.Errorf("Expiry(%s, %s) = %d, %d, want %d, %d", c.standard, c.most, standard, most, c.wantStandard, c.wantMost)
		}
	}
}
