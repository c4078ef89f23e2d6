package dashboard_test

import (
	"fmt"
	"strings"
	"testing"

	"exante/auth"
	"exante/storage"
)

// hostile is what somebody may call himself.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.Org}} & <i>`, "&lt;b&gt;"}

func TestHostileNamesStayText(t *testing.T) {
	s := open(t)
	owner := s.as(s.acme.owner)
	for n, name := range hostile {
		r := owner.post("/settings/users", "email", fmt.Sprintf("h%d@acme.example", n), "name", name, "role", "viewer").shows(200)
		r.hides(name)
		u, err := s.store.FindUser(t.Context(), fmt.Sprintf("h%d@acme.example", n))
		s.must(err)
		_, _, err = s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: name, Scopes: auth.FullAccess, UserID: u.ID})
		s.must(err)
		owner.post("/settings/organization", "name", name, "currency", "USD", "version", fmt.Sprint(n+1)).leadsTo("/settings/organization")
		for _, path := range []string{"/settings/users", userPath(u, ""), userPath(u, "/role"), userPath(u, "/disable"), "/settings/organization", "/audit", "/settings/account"} {
			owner.get(path).shows(200, name).hides(name)
		}
		for _, path := range []string{"/settings/users?find=", "/audit?who=", "/audit?action=", "/audit?from=", "/audit?before="} {
			owner.get(path + strings.NewReplacer("<", "%3C", ">", "%3E", `"`, "%22", "'", "%27", " ", "+", "&", "%26", ";", "%3B", "{", "%7B", "}", "%7D").Replace(name)).hides(name)
		}
	}
}

// What turns the text around it (Trojan Source, CVE-2021-42574) gets into no name.
func TestNamesTurnNoText(t *testing.T) {
	s := open(t)
	owner := s.as(s.acme.owner)
	for _, name := range []string{"a\u202eb", "a\u2066b", "a\x00b"} {
		owner.post("/settings/users", "email", "x@acme.example", "name", name, "role", "viewer").shows(422).hides("\x00")
		owner.post("/settings/organization", "name", name, "currency", "USD", "version", "1").shows(422)
	}
}
