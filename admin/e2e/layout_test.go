package e2e

import (
	"debug/buildinfo"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// root is the repository, seen from this package.
const root = "../.."

// mayImport is the import direction: a top-level package may use itself and
// those listed here. main uses all of them. What main hands to admin, the tests
// of admin take from where main does.
var mayImport = map[string][]string{
	"auth":    {},
	"storage": {"auth"},
	"server":  {"auth", "storage"},
	"admin":   {"auth", "storage"},
	"main":    {"auth", "storage", "server", "admin"},
}

// shared are packages of ours that only tests use, and that tests of any package
// may share.
var shared = []string{"exante/server/openapi/contract", "exante/admin/certificate/certtest"}

// pure are packages of rules, which know no store: all of ours that they may
// import, but for themselves.
var pure = map[string][]string{
	"storage/input":          {},
	"storage/billing":        {"auth/uid", "storage/input"},
	"server/dashboard/chart": {},
}

// homes gives each third-party module its one folder (with what lies below
// it), so that replacing a dependency touches one place. Tests are free.
var homes = map[string]string{
	"github.com/alexedwards/argon2id":    "auth",
	"golang.org/x/crypto":                "auth",
	"github.com/google/uuid":             "auth/uid",
	"github.com/dgraph-io/badger":        "storage/kv",
	"github.com/dgraph-io/ristretto":     "storage/kv", // buffers that Badger takes
	"github.com/fxamacker/cbor":          "storage",
	"golang.org/x/text":                  "storage/input",
	"github.com/gofiber/fiber":           "server",
	"github.com/valyala/fasthttp":        "server",
	"github.com/go-json-experiment/json": "server",
	"github.com/prometheus":              "server/metrics",
	"github.com/urfave/cli":              "admin",
	"github.com/BurntSushi/toml":         "admin",
	"filippo.io/age":                     "admin/sealed",
	"pgregory.net/rapid":                 "storage/kv/kvtest",
	"github.com/getkin/kin-openapi":      "server/openapi/contract",
	"github.com/santhosh-tekuri":         "server/openapi/contract",
	"golang.org/x/sys":                   "", // the operating system is everybody's
}

// sourceFiles maps each Go file (relative path) to the paths it imports.
func sourceFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[rel] = []string{}
		for _, im := range f.Imports {
			p, _ := strconv.Unquote(im.Path.Value)
			files[rel] = append(files[rel], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Fatalf("only %d Go files found: the walk is broken", len(files))
	}
	return files
}

func topOf(rel string) string {
	top, _, below := strings.Cut(filepath.ToSlash(rel), "/")
	if !below {
		return "main"
	}
	return top
}

func TestImportsRunOneWay(t *testing.T) {
	for file, imports := range sourceFiles(t) {
		top := topOf(file)
		allowed, known := mayImport[top]
		if !known {
			t.Errorf("%s: lies outside main.go, auth, storage, server and admin", file)
		}
		for _, path := range imports {
			ours, ok := strings.CutPrefix(path, "exante/")
			if !ok || slices.Contains(shared, path) && strings.HasSuffix(file, "_test.go") {
				continue
			}
			isTest := top == "admin" && strings.HasSuffix(file, "_test.go") && ours == "server"
			if to := strings.Split(ours, "/")[0]; to != top && !slices.Contains(allowed, to) && !isTest {
				t.Errorf("%s imports %s: %s may not know %s", file, path, top, to)
			}
		}
	}
}

func TestRulesKnowNoStore(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range sourceFiles(t) {
		dir := filepath.ToSlash(filepath.Dir(file))
		allowed, isPure := pure[dir]
		seen[dir] = true
		for _, path := range imports {
			ours, ok := strings.CutPrefix(path, "exante/")
			if isPure && ok && ours != dir && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s: %s may import %q of ours", file, path, dir, allowed)
			}
		}
	}
	for dir := range pure {
		if !seen[dir] {
			t.Errorf("there is no %s", dir)
		}
	}
}

func TestEachDependencyHasOneHome(t *testing.T) {
	for file, imports := range sourceFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		dir := filepath.ToSlash(filepath.Dir(file))
		for _, path := range imports {
			if !strings.Contains(strings.Split(path, "/")[0], ".") {
				continue // standard library, or ours
			}
			module := ""
			for m := range homes {
				if path == m || strings.HasPrefix(path, m+"/") {
					module = m
				}
			}
			home := homes[module]
			switch {
			case module == "":
				t.Errorf("%s imports %s, which has no home: give it one in this test", file, path)
			case home != "" && dir != home && !strings.HasPrefix(dir, home+"/"):
				t.Errorf("%s imports %s, whose home is %s", file, path, home)
			}
		}
	}
}

func TestWhatTestsShareIsNotInTheProgram(t *testing.T) {
	for file, imports := range sourceFiles(t) {
		for _, path := range imports {
			if slices.Contains(shared, path) && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s imports %s, which is for tests", file, path)
			}
		}
	}
}

func TestTopLevelIsFixed(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	fixed := []string{"main.go", "server", "storage", "auth", "admin", "go.mod", "go.sum", "exante.toml", "README.md"}
	ignored := []string{"exante", "exante-data", "dist"} // as .gitignore says
	for _, e := range entries {
		name := e.Name()
		if slices.Contains(ignored, name) || slices.Contains([]string{".test", ".prof", ".out"}, filepath.Ext(name)) {
			continue
		}
		if !strings.HasPrefix(name, ".") && !slices.Contains(fixed, name) {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}

func TestDangerousNamesAreAbsent(t *testing.T) {
	forbidden := map[string]string{
		"BypassLockGuard":    "two processes would write one store",
		"RunValueLogGC":      "no value ever reaches the value log",
		"WithInMemory":       "nothing would be durable",
		".BodyParser(":       "it binds forms and unknown fields to JSON structs",
		"c.Body()":           "it inflates compressed bodies without a limit",
		"InsecureSkipVerify": "it accepts any certificate",
	}
	for file := range sourceFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			code, _, _ := strings.Cut(line, "//")
			for name, why := range forbidden {
				if strings.Contains(code, name) {
					t.Errorf("%s uses %s: %s", file, name, why)
				}
			}
		}
	}
}

// Below these versions a dependency is known to lose data, to smuggle requests
// or to have an advisory against it.
func TestDependenciesAreNotOlderThanTheirFixes(t *testing.T) {
	info, err := buildinfo.ReadFile(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range info.Deps {
		got[d.Path] = d.Version
	}
	for module, floor := range map[string]string{
		"github.com/valyala/fasthttp":     "v1.78.0",
		"github.com/gofiber/fiber/v2":     "v2.52.15",
		"github.com/dgraph-io/badger/v4":  "v4.9.6",
		"golang.org/x/crypto":             "v0.58.0",
		"github.com/alexedwards/argon2id": "v1.0.0",
		"github.com/urfave/cli/v2":        "v2.27.7",
	} {
		if v := got[module]; !semver.IsValid(v) || semver.Compare(v, floor) < 0 {
			t.Errorf("%s is %q, want at least %s", module, v, floor)
		}
	}
}
