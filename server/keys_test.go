package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/server"
	"exante/storage"
)

func TestKeyIsShownOnce(t *testing.T) {
	w := start(t, nil)
	r := w.do("POST", "/api/api-keys", w.acme.key,
		`{"name":"zapier","scopes":["invoices:read"],"expires_in_days":30,"allowed_cidrs":["127.0.0.0/8","2001:db8::/32"]}`)
	k := w.data(r, 201)
	key, _ := k["key"].(string)
	if !strings.HasPrefix(key, "ex_live_") || k["key_snippet"] != "ex_live_..."+key[len(key)-4:] || r.header.Get("ETag") == "" {
		t.Errorf("key %v, snippet %v", key, k["key_snippet"])
	}
	if !strings.Contains(r.body, `"message":"API key created"`) {
		t.Errorf("body = %s", r.body)
	}
	w.data(w.get("/api/invoices", key), 200)
	for _, path := range []string{"/api/api-keys", "/api/api-keys/" + k["uid"].(string)} {
		if strings.Contains(w.get(path, w.acme.key).body, key[8:]) {
			t.Errorf("%s shows the key again", path)
		}
	}
	want := map[string]any{"name": "zapier", "state": "active", "expires_at": "2026-12-23T09:30:00Z", "revoked_at": nil, "last_used_at": nil}
	for name, value := range want {
		if k[name] != value {
			t.Errorf("%s = %v, want %v", name, k[name], value)
		}
	}
	if got := fmt.Sprint(k["scopes"], k["allowed_cidrs"], k["rate_limits"]); got != "[invoices:read] [127.0.0.0/8 2001:db8::/32] [1000000/1m]" {
		t.Errorf("lists = %s", got)
	}
}

func TestKeyOmitsNothing(t *testing.T) {
	w := start(t, nil)
	k := w.data(w.do("POST", "/api/api-keys", w.acme.key, `{"name":"plain"}`), 201)
	if got := fmt.Sprint(k["scopes"], k["expires_at"], k["allowed_cidrs"]); got != "[*] <nil> <nil>" {
		t.Errorf("defaults = %s", got)
	}
	for _, name := range []string{"uid", "name", "key_snippet", "user_uid", "organization_uid", "scopes", "last_used_at", "expires_at",
		"revoked_at", "created_at", "updated_at", "state", "rotated_to_uid", "rotated_from_uid", "rate_limits", "allowed_cidrs", "retires_at", "key"} {
		if _, there := k[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestExpiryHasADefaultAndAMaximum(t *testing.T) {
	w := start(t, func(o *server.Options) { o.DefaultExpiryDays, o.MaxExpiryDays = 10, 20 })
	for body, want := range map[string]string{
		`{"name":"a"}`:                        "2026-12-03T09:30:00Z",
		`{"name":"a","expires_in_days":null}`: "2026-12-03T09:30:00Z",
		`{"name":"a","expires_in_days":20}`:   "2026-12-13T09:30:00Z",
	} {
		if got := w.data(w.do("POST", "/api/api-keys", w.acme.key, body), 201)["expires_at"]; got != want {
			t.Errorf("%s: expires_at = %v, want %s", body, got, want)
		}
	}
	details := w.refused(w.do("POST", "/api/api-keys", w.acme.key, `{"name":"a","expires_in_days":21}`), 422, "invalid")
	if !slices.Equal(details, []string{"expires_in_days: must be 1 to 20"}) {
		t.Errorf("details = %q", details)
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	w := start(t, nil)
	for body, want := range map[string]string{
		`{}`:          "name: is required",
		`{"name":""}`: "name: must not be empty",
		`{"name":"` + strings.Repeat("x", 201) + `"}`: "name: must have 1 to 200 characters",
		`{"name":"a","scopes":[]}`:                    "scopes: must have 1 to 32 elements",
		`{"name":"a","scopes":null}`:                  "scopes: must be an array of strings",
		`{"name":"a","scopes":["root"]}`:              "scopes: must be one of *, invoices:read, invoices:write, parties:read, parties:write, api_keys:read, api_keys:write",
		`{"name":"a","scopes":[1]}`:                   "scopes[0]: must be a string",
		`{"name":"a","expires_in_days":0}`:            "expires_in_days: must be 1 to 3650",
		`{"name":"a","expires_in_days":1.0}`:          "expires_in_days: must be an integer",
		`{"name":"a","allowed_cidrs":["10.0.0.1/8"]}`: "allowed_cidrs: must be networks such as 192.0.2.0/24 or 2001:db8::/32, host bits zero",
		`{"name":"a","rate_limits":["1/1s"]}`:         "rate_limits: is not known here",
		`{"name":"a","user_uid":"x"}`:                 "user_uid: is not known here",
	} {
		if details := w.refused(w.do("POST", "/api/api-keys", w.acme.key, body), 422, "invalid"); !slices.Contains(details, want) {
			t.Errorf("%.60s: details = %q, want %q", body, details, want)
		}
	}
}

func TestKeyGrantsOnlyWhatItCovers(t *testing.T) {
	w := start(t, nil)
	_, narrow := w.mint(w.acme, storage.KeyDraft{Name: "narrow", Scopes: scopes(t, "api_keys:write", "invoices:write"), ExpiresAt: begin.Add(20 * 24 * time.Hour)})
	w.data(w.do("POST", "/api/api-keys", narrow, `{"name":"ok","scopes":["invoices:read"],"expires_in_days":20}`), 201)
	for _, body := range []string{`{"name":"a"}`, `{"name":"a","scopes":["parties:read"],"expires_in_days":1}`, `{"name":"a","scopes":["invoices:read"],"expires_in_days":21}`} {
		r := w.do("POST", "/api/api-keys", narrow, body)
		if details := w.refused(r, 403, "insufficient_scope"); len(details) != 1 {
			t.Errorf("%s: details = %q", body, details)
		}
		if got := r.header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_scope", scope="api_keys:write"` {
			t.Errorf("WWW-Authenticate = %s", got)
		}
	}
}

func TestCurrentKeyIsTheOneThatAsks(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "me", Scopes: scopes(t, "parties:read")})
	k := w.data(w.get("/api/api-keys/current", key), 200)
	if k["uid"] != id || k["last_used_at"] != "2026-11-23T09:30:00Z" {
		t.Errorf("current = %v", k)
	}
}

func TestKeysAreListedInEveryState(t *testing.T) {
	w := start(t, nil)
	w.mint(w.acme, storage.KeyDraft{Name: "b short", Scopes: auth.FullAccess, ExpiresAt: begin.Add(time.Hour)})
	goneID, _ := w.mint(w.acme, storage.KeyDraft{Name: "a gone", Scopes: auth.FullAccess})
	w.data(w.do("DELETE", "/api/api-keys/"+goneID, w.acme.key, ""), 200)
	oldID, _ := w.mint(w.acme, storage.KeyDraft{Name: "c old", Scopes: auth.FullAccess})
	w.data(w.do("POST", "/api/api-keys/"+oldID+"/rotate", w.acme.key, `{"grace_days":2}`), 201)
	w.clock.Advance(2 * time.Hour)
	for query, want := range map[string]string{
		"?sort=name":                        "a gone revoked, Acme root active, b short expired, c old retiring, c old active",
		"?sort=-name&state=active":          "c old active, Acme root active",
		"?state=revoked,expired&sort=+name": "a gone revoked, b short expired",
		"?search=SHORT":                     "b short expired",
		"?search=nothing":                   "",
		"?sort=created_at":                  "Acme root active, b short expired, a gone revoked, c old retiring, c old active",
		"":                                  "c old active, c old retiring, a gone revoked, b short expired, Acme root active",
		"?sort=-last_used_at&state=active":  "Acme root active, c old active",
		"?sort=-expires_at&state=expired":   "b short expired",
	} {
		var got []string
		for _, item := range w.data(w.get("/api/api-keys"+query, w.acme.key), 200)["items"].([]any) {
			k := item.(map[string]any)
			got = append(got, fmt.Sprint(k["name"], " ", k["state"]))
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s, want %s", query, text, want)
		}
	}
	for query, want := range map[string]string{
		"?state=dead": "state: must be one of active, retiring, expired, revoked",
		"?page=2":     "page: is not a known parameter",
		"?sort=scope": "sort: must be one of name, created_at, last_used_at, expires_at, after a minus sign for descending order",
	} {
		if details := w.refused(w.get("/api/api-keys"+query, w.acme.key), 422, "invalid"); !slices.Equal(details, []string{want}) {
			t.Errorf("%s: details = %q", query, details)
		}
	}
}

func TestRotatedKeyRetires(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "prod", Scopes: scopes(t, "invoices:read"), ExpiresAt: begin.Add(100 * 24 * time.Hour)})
	w.clock.Advance(time.Hour)
	r := w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, `{"grace_days":3}`)
	next := w.data(r, 201)
	if next["rotated_from_uid"] != id || next["name"] != "prod" || next["expires_at"] != "2027-03-03T10:30:00Z" {
		t.Errorf("successor = %v", next)
	}
	old := w.data(w.get("/api/api-keys/"+id, w.acme.key), 200)
	if old["state"] != "retiring" || old["rotated_to_uid"] != next["uid"] || old["retires_at"] != "2026-11-26T10:30:00Z" || old["revoked_at"] != nil {
		t.Errorf("old = %v", old)
	}
	w.data(w.get("/api/invoices", key), 200)
	w.data(w.get("/api/invoices", next["key"].(string)), 200)
	w.refused(w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, ""), 409, "key_not_active")
	w.clock.Advance(3 * 24 * time.Hour)
	w.refused(w.get("/api/invoices", key), 401, "api_key_revoked")
	old = w.data(w.get("/api/api-keys/"+id, w.acme.key), 200)
	if old["state"] != "revoked" || old["revoked_at"] != "2026-11-26T10:30:00Z" {
		t.Errorf("old, later = %v", old)
	}
}

func TestRotationBodyIsOptional(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "prod", Scopes: auth.FullAccess})
	for body, want := range map[string]string{
		`{"grace_days":31}`: "grace_days: must be 0 to 30", `{"grace_days":-1}`: "grace_days: must be 0 to 30",
		`{"grace_days":"1"}`: "grace_days: must be an integer", `{"days":1}`: "days: is not known here", `[]`: "body: must be an object",
	} {
		if details := w.refused(w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, body), 422, "invalid"); !slices.Equal(details, []string{want}) {
			t.Errorf("%s: details = %q", body, details)
		}
	}
	w.refused(w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, " "), 400, "malformed_json")
	w.refused(w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, "{}", "Content-Type", "text/plain"), 415, "unsupported_media_type")
	w.data(w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, "", "Content-Type", "application/x-www-form-urlencoded"), 201)
	w.refused(w.get("/api/invoices", key), 401, "api_key_revoked")
}

func TestActivityCountsOutcomes(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "busy", Scopes: scopes(t, "invoices:read"), Limits: limits(t, "3/1m")})
	for range 4 {
		w.do("GET", "/api/invoices", key, "", "User-Agent", "curl/8")
	}
	w.get("/api/parties", key)
	a := w.data(w.get("/api/api-keys/"+id+"/activity", w.acme.key), 200)
	if got := fmt.Sprint(a["last_used_at"], a["last_used_ip"], a["last_used_user_agent"]); got != "2026-11-23T09:30:00Z127.0.0.1curl/8" &&
		got != "2026-11-23T09:30:00Z 127.0.0.1 curl/8" {
		t.Errorf("last used = %s", got)
	}
	want := "[map[forbidden:1 hour:2026-11-23T09:00:00Z rate_limited:1 requests:5 server_errors:0 unauthorized:0]]"
	if got := fmt.Sprint(a["buckets"]); got != want {
		t.Errorf("buckets = %s, want %s", got, want)
	}
	if got := w.data(w.get("/api/api-keys/"+id+"/activity?to=2026-11-22", w.acme.key), 200)["buckets"]; len(got.([]any)) != 0 {
		t.Errorf("the day before: %v", got)
	}
	details := w.refused(w.get("/api/api-keys/"+id+"/activity?from=2020-01-01&to=2026-01-01", w.acme.key), 422, "invalid")
	if !slices.Equal(details, []string{"from: must be at most 366 days before to"}) {
		t.Errorf("details = %q", details)
	}
}

func TestIfMatchGuardsKeys(t *testing.T) {
	w := start(t, nil)
	id, key := w.mint(w.acme, storage.KeyDraft{Name: "k", Scopes: auth.FullAccess})
	tag := w.get("/api/api-keys/"+id, w.acme.key).header.Get("ETag")
	w.refused(w.do("DELETE", "/api/api-keys/"+id, w.acme.key, "", "If-Match", `"999"`), 412, "precondition_failed")
	w.refused(w.do("POST", "/api/api-keys/"+id+"/rotate", w.acme.key, "", "If-Match", `W/`+tag), 412, "precondition_failed")
	w.data(w.get("/api/invoices", key), 200)
	w.data(w.do("DELETE", "/api/api-keys/"+id, w.acme.key, "", "If-Match", tag), 200)
	w.refused(w.get("/api/invoices", key), 401, "api_key_revoked")
}
