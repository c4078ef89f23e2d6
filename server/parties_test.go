package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPartyIsMadeShownAndChanged(t *testing.T) {
	w := start(t, nil)
	r := w.do("POST", "/api/parties", w.acme.key, `{"name":"Ärzte GmbH","address":"1 Main St\nBerlin","billing_contact":{"name":"Bo","email":"bo@example.com"}}`)
	p := w.data(r, 201)
	sameNames(t, "a party", p, strings.Fields("uid name address billing_contact role created_at updated_at"))
	contact := p["billing_contact"].(map[string]any)
	sameNames(t, "a contact", contact, strings.Fields("uid party_uid name title email phone"))
	if p["name"] != "Ärzte GmbH" || contact["party_uid"] != p["uid"] || contact["title"] != nil || r.header.Get("ETag") == "" {
		t.Errorf("party = %v", p)
	}
	path := "/api/parties/" + p["uid"].(string)
	if got := w.data(w.get(path, w.acme.key), 200); fmt.Sprint(got) != fmt.Sprint(p) {
		t.Errorf("get = %v, want %v", got, p)
	}
	w.clock.Advance(time.Minute)
	tag := r.header.Get("ETag")
	w.refused(w.do("PUT", path, w.acme.key, `{"name":"B"}`, "If-Match", `"77"`), 412, "precondition_failed")
	got := w.data(w.do("PUT", path, w.acme.key, `{"name":"B","billing_contact":null}`, "If-Match", tag), 200)
	if got["name"] != "B" || got["billing_contact"] != nil || got["address"] != p["address"] || got["updated_at"] != "2026-11-23T09:31:00Z" {
		t.Errorf("changed = %v", got)
	}
}

func TestBadPartiesAreRefused(t *testing.T) {
	w := start(t, nil)
	for body, want := range map[string][]string{
		`{}`:                                     {"name: is required"},
		`{"name":null}`:                          {"name: must be a string"},
		`{"name":"a","role":"client","uid":"x"}`: {"role: is not known here", "uid: is not known here"},
		`{"name":"a","billing_contact":{"email":7,"fax":1}}`: {"billing_contact.name: is required", "billing_contact.email: must be a string", "billing_contact.fax: is not known here"},
		`{"name":"a","billing_contact":"Bo"}`:                {"billing_contact: must be an object"},
		`{"name":"` + strings.Repeat("é", 201) + `"}`:        {"name: must have 1 to 200 characters"},
	} {
		if details := w.refused(w.do("POST", "/api/parties", w.acme.key, body), 422, "invalid"); !slices.Equal(details, want) {
			t.Errorf("%.60s: details = %q, want %q", body, details, want)
		}
	}
	for _, body := range []string{``, `{"name":"a"}{}`, `{"name":"a","name":"b"}`, "{\"name\":\"\xff\"}"} {
		r := w.do("POST", "/api/parties", w.acme.key, body, "Content-Type", "application/json")
		if details := w.refused(r, 400, "malformed_json"); len(details) != 1 || !strings.HasPrefix(details[0], "body: ") {
			t.Errorf("%q: details = %q", body, details)
		}
	}
}

func TestPartiesAreSearchedAndSorted(t *testing.T) {
	w := start(t, nil)
	for _, name := range []string{"Beta", "alpha", "Gamma"} {
		w.party(w.acme.key, name)
		w.clock.Advance(time.Second)
	}
	for query, want := range map[string]string{
		"":                          "Gamma alpha Beta",
		"?sort=name":                "alpha Beta Gamma",
		"?search=MA":                "Gamma",
		"?per_page=1&page=2":        "alpha",
		"?sort=created_at&search=a": "Beta alpha Gamma",
	} {
		var names []string
		data := w.data(w.get("/api/parties"+query, w.acme.key), 200)
		for _, item := range data["items"].([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}
