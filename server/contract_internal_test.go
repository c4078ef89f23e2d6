package server

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exante/auth"
	"exante/server/openapi/contract"
)

// pages are routes for people and their browsers, which no client is generated for.
var pages = []string{"/docs"}

func isPage(path string) bool {
	return slices.ContainsFunc(pages, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

func readDocument(t *testing.T) (*contract.Document, []byte) {
	t.Helper()
	text, err := os.ReadFile("openapi/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := contract.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return d, text
}

var placeholder = regexp.MustCompile(`:(\w+)`)

func TestEveryRouteIsInTheDocument(t *testing.T) {
	d, _ := readDocument(t)
	for _, row := range routes() {
		if isPage(row.path) {
			continue
		}
		path := placeholder.ReplaceAllString(row.path, "{$1}")
		i := slices.IndexFunc(d.Operations, func(o *contract.Operation) bool { return o.Method == row.method && o.Path == path })
		if i < 0 {
			t.Errorf("%s %s is not in the document", row.method, path)
			continue
		}
		checkAgainstRow(t, d.Operations[i], row)
	}
}

func checkAgainstRow(t *testing.T, o *contract.Operation, row route) {
	t.Helper()
	var want []string
	if row.access != open && row.access.scope() != auth.AnyKey {
		want = []string{row.access.scope().String()}
	}
	if !slices.Equal(o.Scopes, want) || o.Open != (row.access == open) {
		t.Errorf("%s needs %q (open: %v), the document says %q (open: %v)", o.ID, want, row.access == open, o.Scopes, o.Open)
	}
	if (row.input == inBody) != (o.Body != nil) {
		t.Errorf("%s reads a body: %v, the document says %v", o.ID, row.input == inBody, o.Body != nil)
	}
	var inPathOf, inQueryOf []string
	for _, p := range o.Parameters {
		switch p.In {
		case "path":
			inPathOf = append(inPathOf, ":"+p.Name)
		case "query":
			inQueryOf = append(inQueryOf, p.Name)
		}
	}
	if names := placeholder.FindAllString(row.path, -1); !slices.Equal(inPathOf, names) {
		t.Errorf("%s has %q in its path, the document says %q", o.ID, names, inPathOf)
	}
	if (row.input == inQuery) != (len(inQueryOf) > 0) {
		t.Errorf("%s reads parameters: %v, the document has %q", o.ID, row.input == inQuery, inQueryOf)
	}
}

func TestEveryOperationHasARoute(t *testing.T) {
	d, _ := readDocument(t)
	seen := map[string]bool{}
	for _, o := range d.Operations {
		path := regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(o.Path, ":$1")
		if !slices.ContainsFunc(routes(), func(r route) bool { return r.method == o.Method && r.path == path }) {
			t.Errorf("%s %s (%s) is no route", o.Method, o.Path, o.ID)
		}
		if !regexp.MustCompile(`^[a-z]+[A-Za-z]+$`).MatchString(o.ID) || seen[o.ID] {
			t.Errorf("operationId %q is no good name, or is there twice", o.ID)
		}
		seen[o.ID] = true
		for _, scope := range o.Scopes {
			if !strings.Contains(o.Text("description"), "`"+scope+"`") {
				t.Errorf("the description of %s does not name %s", o.ID, scope)
			}
		}
		if o.Text("summary") == "" || o.Text("description") == "" {
			t.Errorf("%s has no summary or no description", o.ID)
		}
	}
}

// A client can be told no code that it could not read about.
func TestEveryErrorCodeIsInTheDocument(t *testing.T) {
	_, text := readDocument(t)
	var document struct {
		Components struct {
			Schemas struct {
				Error struct {
					Properties struct{ Code struct{ Enum []string } }
				}
				Scope struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	codes := []string{internal.code}
	for _, row := range answers {
		codes = append(codes, row.code)
	}
	codes = slices.DeleteFunc(codes, func(c string) bool { return c == onPages })
	slices.Sort(codes)
	codes = slices.Compact(codes)
	if got := slices.Sorted(slices.Values(document.Components.Schemas.Error.Properties.Code.Enum)); !slices.Equal(got, codes) {
		t.Errorf("codes in the document: %q\nthose of the answers: %q", got, codes)
	}
	if got := document.Components.Schemas.Scope.Enum; !slices.Equal(got, scopeWords()) {
		t.Errorf("scopes in the document: %q, want %q", got, scopeWords())
	}
}
