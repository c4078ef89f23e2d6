package server

import (
	"slices"
	"strings"
	"testing"

	"exante/auth"
)

func TestEveryRouteSaysWhoMayAsk(t *testing.T) {
	for _, r := range routes() {
		name := r.method + " " + r.path
		api := strings.HasPrefix(r.path, "/api/")
		switch {
		case r.access == undeclared:
			t.Errorf("%s has no scope", name)
		case api && r.access == open:
			t.Errorf("%s is open to everybody", name)
		case !api && r.access != open:
			t.Errorf("%s wants a key outside of /api", name)
		case api && r.access == anyKey && r.path != "/api/api-keys/current":
			t.Errorf("%s is open to every key", name)
		}
		if r.handle == nil {
			t.Errorf("%s has no handler", name)
		}
		if api && r.access != anyKey {
			if writes := strings.HasSuffix(r.access.scope().String(), ":write"); writes == (r.method == "GET") {
				t.Errorf("%s wants %s", name, r.access.scope())
			}
		}
		if r.input == inBody && r.method == "GET" {
			t.Errorf("%s reads a body", name)
		}
	}
}

func TestRouteWithoutScopeIsRefused(t *testing.T) {
	s := &Server{}
	err := s.mount([]route{{method: "GET", path: "/api/secret", handle: live}})
	if err == nil || !strings.Contains(err.Error(), "GET /api/secret says not who may ask") {
		t.Errorf("mount = %v", err)
	}
}

func TestRoutesAreDistinctAndReachable(t *testing.T) {
	var seen []string
	for _, r := range routes() {
		name := r.method + " " + r.path
		if slices.Contains(seen, name) {
			t.Errorf("%s stands twice", name)
		}
		// Fiber takes the first match: a parameter before a word would hide it.
		for _, earlier := range seen {
			if matches(earlier, name) {
				t.Errorf("%s hides %s", earlier, name)
			}
		}
		seen = append(seen, name)
	}
}

// matches reports whether a path of the table is caught by a pattern before it.
func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(p, q, func(a, b string) bool { return a == b || strings.HasPrefix(a, ":") })
}

func TestScopesSurviveTheTable(t *testing.T) {
	for _, s := range append(auth.AllScopes(), auth.AnyKey) {
		if got := needs(s).scope(); got != s {
			t.Errorf("needs(%v).scope() = %v", s, got)
		}
	}
	if needs(auth.AnyKey) != anyKey {
		t.Error("needs(AnyKey) is not anyKey")
	}
}
