package admin

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exante/storage"
	"exante/storage/input"
)

// Refusals of requests: an operator needs no key and writes no invoice.
var requestsOnly = []string{
	"auth.ErrNoToken", "auth.ErrBadHeader", "auth.ErrBadToken", "auth.ErrExpired", "auth.ErrRevoked", "auth.ErrSuspended",
	"auth.ErrScope", "auth.ErrNetwork", "auth.ErrLimited", "billing.ErrBadQuantity",
	"storage.ErrSignIn", "storage.ErrReused", "storage.ErrInProgress",
	"storage.ErrFileTooLarge", "storage.ErrTooManyFiles", "storage.ErrFilesTooLarge", "storage.ErrTooManyAttachments",
}

// errorsOf lists the exported Err… variables of a package, as pkg.ErrName.
func errorsOf(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	for _, file := range parseDir(t, dir) {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, n := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						names = append(names, filepath.Base(dir)+"."+n.Name)
					}
				}
			}
		}
	}
	return names
}

func parseDir(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// rowsOfTable lists what the table of outcomes mentions, as it is written.
func rowsOfTable(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "outcomes" {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			switch e := row.(*ast.CompositeLit).Elts[0].(type) {
			case *ast.SelectorExpr:
				rows = append(rows, fmt.Sprintf("%s.%s", e.X, e.Sel))
			case *ast.Ident:
				rows = append(rows, "admin."+e.Name)
			}
		}
		return false
	})
	return rows
}

func TestEveryErrorHasAnExitCode(t *testing.T) {
	rows := rowsOfTable(t)
	found := slices.Concat(errorsOf(t, "../auth"), errorsOf(t, "../storage"), errorsOf(t, "../storage/input"), errorsOf(t, "../storage/billing"), errorsOf(t, "transfer"),
		errorsOf(t, "../storage/archive"), errorsOf(t, "sealed"))
	if len(found) < 25 {
		t.Fatalf("only %d errors found: the walk is broken", len(found))
	}
	for _, name := range found {
		inTable, listed := slices.Contains(rows, name), slices.Contains(requestsOnly, name)
		if inTable == listed {
			t.Errorf("%s: give it a row in outcomes, or list it in this test as met by requests only", name)
		}
	}
}

func TestEveryErrorOfTheDeskHasAnExitCode(t *testing.T) {
	rows := rowsOfTable(t)
	for _, file := range parseDir(t, ".") {
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					for _, n := range spec.(*ast.ValueSpec).Names {
						if strings.HasPrefix(n.Name, "err") && !slices.Contains(rows, "admin."+n.Name) {
							t.Errorf("%s has no row in outcomes", n.Name)
						}
					}
				}
			}
		}
	}
}

// An error that crosses the socket is told, and ends, as one that did not.
func TestErrorsSurviveTheSocket(t *testing.T) {
	codes := map[string]bool{}
	for _, o := range outcomes {
		if o.code == "" || codes[o.code] {
			t.Errorf("%v has the code %q, which is empty or taken", o.err, o.code)
		}
		codes[o.code] = true
		local := fmt.Errorf("pay the piper: %w", o.err)
		remote := failureOf(local).err()
		if !errors.Is(remote, o.err) {
			t.Errorf("%v came back as %v", o.err, remote)
		}
		sameReport(t, local, remote)
	}
	sameReport(t, errors.New("something of ours"), failureOf(errors.New("something of ours")).err())
	refused := fmt.Errorf("make it: %w", input.Invalid("name", "is too long"))
	sameReport(t, refused, failureOf(refused).err())
}

func sameReport(t *testing.T, local, remote error) {
	t.Helper()
	var a, b bytes.Buffer
	codeA, codeB := report(&a, local), report(&b, remote)
	if a.String() != b.String() || codeA != codeB || a.Len() == 0 {
		t.Errorf("local: %d %q, remote: %d %q", codeA, a.String(), codeB, b.String())
	}
}

func TestReportNamesRefusedFieldsAndGivesAHint(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		want string
	}{
		{nil, 0, ""},
		{errors.New("boom"), 1, "exante: boom\n"},
		{usagef("see: x", "bad %s", "flag"), 2, "exante: bad flag\nhint: see: x\n"},
		{usagef("", "bad flag"), 2, "exante: bad flag\n"},
		{fmt.Errorf("api key x: %w", storage.ErrNotFound), 3, "exante: api key x: no such record\n"},
		{&input.InvalidError{Problems: []input.Problem{{Path: "name", Reason: "is empty"}, {Path: "scopes", Reason: "unknown"}}}, 4,
			"exante: invalid name: is empty\nexante: invalid scopes: unknown\n"},
		{fmt.Errorf("data: %w", storage.ErrInUse), 5, "exante: data: store is in use by another process\nhint: another process has it open: let it finish, or stop it\n"},
	} {
		var out bytes.Buffer
		if code := report(&out, c.err); code != c.code || out.String() != c.want {
			t.Errorf("report(%v) = %d %q, want %d %q", c.err, code, out.String(), c.code, c.want)
		}
	}
}
