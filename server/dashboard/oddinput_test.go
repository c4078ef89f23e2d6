package dashboard_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/server/dashboard"
	"exante/storage"
	"exante/storage/billing"
)

// oddValues are what no form of ours sends.
func oddValues() []string {
	return []string{
		"", " ", "-1", "0", "1000000000", "18446744073709551615", "99999999999999999999999", "1e309", "NaN", "-0.00", "٣", "９",
		"0000-00-00", "9999-12-31", "2026-02-30", "\x00", "\xff\xfe", "a\r\nSet-Cookie: x=1", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
		"{{.}}", "%", "%zz", "..", "*", ",", ",,,,", "a,b;c d", strings.Repeat("9", 5000), strings.Repeat("é", 2500), strings.Repeat("a,", 2500), strings.Repeat("1/1m,", 1000),
	}
}

// oddFields are the fields of all forms and filters, and one that there is not.
var oddFields = []string{
	"email", "password", "current", "next", "name", "role", "self", "currency", "version", "once", "access", "scopes", "allowed_cidrs", "rate_limits",
	"expires_in_days", "expires_on", "grace_days", "amount", "paid_at", "reference", "_method",
	"page", "per_page", "find", "state", "finding", "owner", "sort", "span", "after", "before", "who", "action", "from", "to", "search", "client", "status",
	"due_date_from", "due_date_to", "issue_date_from", "paid_date_to", "total_from", "total_to", "overdue_days_from", "updated_since", "collection_method",
	"invoice_number", "target_party_uid", "nothing",
}

// queried are the pages that read their query.
var queried = []string{"/sign-in", "/invoices", "/audit", "/settings/users", "/settings/api-keys", "/settings/api-keys/:uid"}

// TestOddInputIsAnsweredByAPage sends every route what no form of ours sends, one
// field after the other and all at once: each answer is a page or a redirection to one
// of ours, none is an error of ours, and nothing takes long.
func TestOddInputIsAnsweredByAPage(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn"), 10000, billing.Sent)
	k, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "Odd"})
	link := s.setup(s.acme, s.acme.admin)
	fill := func(path string) string {
		of := map[string]string{"/invoices": inv.ID.String(), "/settings/users": s.acme.viewer.ID.String(), "/settings/api-keys": k.ID.String()}
		for begin, id := range of {
			if strings.HasPrefix(path, begin) {
				path = strings.Replace(path, ":uid", id, 1)
			}
		}
		return somewhere(strings.Replace(path, "/setup/:token", link, 1))
	}
	for _, row := range dashboard.Routes() {
		if row.Path == "/sign-out" || strings.HasSuffix(row.Path, "/end") || row.Path == "/settings/account/password" || strings.HasPrefix(row.Path, "/assets/") {
			continue // they end the session, or slow down its owner; or read nothing
		}
		path := fill(row.Path)
		for _, value := range oddValues() {
			all := url.Values{}
			for _, name := range oddFields {
				all.Add(name, value)
				all.Add(name, value+"2")
				if len(value) < 100 && slices.Contains(queried, row.Path) && row.Method == http.MethodGet {
					v.odd(row.Method, path, url.Values{name: {value, value}})
				}
			}
			if row.Method == http.MethodPost || len(value) < 20 {
				v.odd(row.Method, path, all)
			}
		}
	}
}

// odd sends one request and looks at its answer.
func (v *visitor) odd(method, path string, fields url.Values) reply {
	v.tb.Helper()
	began := time.Now()
	var r reply
	if method == http.MethodGet {
		r = v.send(method, path+"?"+fields.Encode(), "")
	} else {
		r = v.send(method, path, fields.Encode(), "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")
	}
	brief := fields.Encode()
	brief = brief[:min(len(brief), 80)]
	to := r.header.Get("Location")
	switch {
	case r.status >= 500:
		v.tb.Errorf("%s %s with %s: %d\n%s", method, path, brief, r.status, r.text())
	case r.status == http.StatusSeeOther && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, "\\")):
		v.tb.Errorf("%s %s with %s leads to %.80q", method, path, brief, to)
	case r.status != http.StatusSeeOther && r.header.Get("Content-Type") != "text/html; charset=utf-8":
		v.tb.Errorf("%s %s with %s: %d, %s\n%.200s", method, path, brief, r.status, r.header.Get("Content-Type"), r.body)
	}
	if took := time.Since(began); took > 2*time.Second {
		v.tb.Errorf("%s %s with %s took %s", method, path, brief, took)
	}
	return r
}

// Fields without end are refused or answered like any other.
func TestHugeFormsAreBounded(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	huge := strings.Repeat("x", 1<<20-200)
	for _, row := range dashboard.Routes() {
		if row.Method != http.MethodPost || row.Path == "/sign-out" || strings.HasSuffix(row.Path, "/end") {
			continue
		}
		path := somewhere(row.Path)
		for _, name := range []string{"email", "name", "scopes", "rate_limits", "allowed_cidrs", "amount", "reference", "currency", "next"} {
			v.odd(row.Method, path, url.Values{name: {huge}})
		}
		many := url.Values{}
		for range 10_000 {
			many.Add("scopes", "invoices:read")
		}
		v.odd(row.Method, path, many)
	}
	few := "Sec-Fetch-Site same-origin Content-Type application/x-www-form-urlencoded"
	for body, want := range map[string]int{
		strings.Repeat("a=1&", 250_000): 400, strings.Repeat("x", 1<<20+1): 413, "a=%zz": 400, "a=1;b=2": 400,
	} {
		r := v.send("POST", "/settings/organization", body, strings.Fields(few)...)
		if r.status != want || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%.20s: %d %s, want %d", body, r.status, r.header.Get("Content-Type"), want)
		}
	}
}

// A path that is too long to be gone back to is not.
func TestSignInLeadsToNoEndlessPath(t *testing.T) {
	s := open(t)
	v := s.visitor()
	v.post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner), "next", "/"+strings.Repeat("x", 4000)).leadsTo("/")
}

// A HEAD is a GET without a body, and no other method stands for a POST.
func TestMethodsAreWhatTheySay(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	for _, row := range dashboard.Routes() {
		path := somewhere(row.Path)
		if row.Method == http.MethodGet {
			get, head := v.get(path), v.send("HEAD", path, "")
			if head.status != get.status || head.body != "" || head.header.Get("Location") != get.header.Get("Location") {
				t.Errorf("HEAD %s: %d with %d bytes, GET: %d", path, head.status, len(head.body), get.status)
			}
			s.visitor().send("HEAD", path, "").hides("<")
			continue
		}
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			if r := v.send(method, path, "", "Sec-Fetch-Site", "same-origin"); r.status != 405 {
				t.Errorf("%s %s: %d", method, path, r.status)
			}
		}
	}
	v.send("GET", "/settings/account/sessions/all/end?_method=POST", "", "X-HTTP-Method-Override", "POST", "X-Method-Override", "POST").shows(405)
	v.get("/overview").shows(200)
}
