package server

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"exante/auth"
	"exante/server/dashboard"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// operatorOnly are errors that no request meets, or whose meaning is none of a
// client's business: a 500 if one turns up.
var operatorOnly = []string{
	"auth.ErrBadHash", "auth.ErrBadLimits",
	"auth.ErrBadNetworks", "auth.ErrBadScopes", // the handler names the field instead
	"billing.ErrBadQuantity", // likewise
	"storage.ErrInUse", "storage.ErrNotBackedUp", "storage.ErrSecretEnded", "storage.ErrLastOwner", "storage.ErrSignIn", "storage.ErrFullDisk", "storage.ErrCorrupt", "storage.ErrNewer", "storage.ErrNoStore", "storage.ErrUnknown",
	"storage.ErrBackupRunning", "storage.ErrOccupied", "storage.ErrForeignCopy", "storage.ErrBrokenCopy",
}

// exportedErrors parses a package for its exported Err… variables.
func exportedErrors(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir("../" + dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), "../"+dir+"/"+file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for _, name := range spec.Names {
					if strings.HasPrefix(name.Name, "Err") {
						names = append(names, path.Base(dir)+"."+name.Name)
					}
				}
			}
			_, isFunc := n.(*ast.FuncDecl)
			return !isFunc
		})
	}
	return names
}

// tableNames reads the first column of the answers table from its source.
func tableNames(t *testing.T) (names []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "Err") {
			names = append(names, fmt.Sprint(s.X)+"."+s.Sel.Name)
		}
		return true
	})
	return names
}

func TestEveryErrorHasAnAnswer(t *testing.T) {
	table := tableNames(t)
	known := slices.Concat(exportedErrors(t, "auth"), exportedErrors(t, "storage"), exportedErrors(t, "storage/input"), exportedErrors(t, "storage/billing"))
	if len(known) < 20 {
		t.Fatalf("found only %q", known)
	}
	for _, name := range known {
		if inTable, inList := slices.Contains(table, name), slices.Contains(operatorOnly, name); inTable == inList {
			t.Errorf("%s must be in the answers table (is: %v) or in operatorOnly (is: %v)", name, inTable, inList)
		}
	}
	for _, name := range operatorOnly {
		if !slices.Contains(known, name) {
			t.Errorf("operatorOnly names %s, which is gone", name)
		}
	}
}

// pageOnly reports whether no client of the API can meet err.
func pageOnly(err error) bool {
	return slices.Contains([]error{errPageMedia, errPageQuery, dashboard.ErrForgery, dashboard.ErrRole, dashboard.ErrInsecure, storage.ErrKeyEnded}, err)
}

func TestAnswersAreWellFormed(t *testing.T) {
	for i, a := range append(slices.Clone(answers), internal) {
		if a.status < 400 || a.status > 505 || (a.code == onPages) != pageOnly(a.err) || !strings.HasSuffix(a.text, ".") {
			t.Errorf("row %d is %+v", i, a)
		}
		if a.code != strings.ToLower(a.code) || strings.ContainsAny(a.code, " -") {
			t.Errorf("code %q is not snake_case", a.code)
		}
	}
}

func TestTypedErrorsAddDetails(t *testing.T) {
	for _, c := range []struct {
		err  error
		want []string
	}{
		{input.Invalid("due_date", "is before issue_date"), []string{"due_date: is before issue_date"}},
		{&storage.MissingError{Problems: []input.Problem{{Path: "[3]", Reason: "not found"}}}, []string{"[3]: not found"}},
		{&storage.ExistsError{Field: "invoice_number"}, []string{"invoice_number: is taken"}},
		{&billing.LockedError{Fields: []string{"currency", "tax_cents"}}, []string{"currency: no longer changes", "tax_cents: no longer changes"}},
		{&auth.ScopeError{Need: auth.APIKeysWrite, Detail: "scopes: too wide"}, []string{"scopes: too wide"}},
		{&malformedError{"is empty"}, []string{"body: is empty"}},
		{fmt.Errorf("deep: %w", input.Invalid("name", "x")), []string{"name: x"}},
		{errors.New("secret of ours"), nil},
	} {
		if got := details(c.err); !slices.Equal(got, c.want) {
			t.Errorf("details(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestUnreadableRequestsAreSortedByType(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{&fasthttp.ErrSmallBuffer{}, errHeaderTooLong},
		{fasthttp.ErrBodyTooLarge, errBodyTooLarge},
		{fasthttp.ErrTimeout, errTooSlow},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, errTooSlow},
		{&net.OpError{Op: "read", Err: errors.New("connection reset")}, errUnparsed},
		{errors.New("timeout in a text means nothing"), errUnparsed},
	} {
		if got := unparsed(c.err); got != c.want {
			t.Errorf("unparsed(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}
