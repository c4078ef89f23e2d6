package contract_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"exante/server/openapi"
	"exante/server/openapi/contract"
)

func load(t *testing.T) *contract.Document {
	t.Helper()
	site, err := openapi.New()
	if err != nil {
		t.Fatal(err)
	}
	d, err := contract.Load(site.Document.Body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// good is a real answer: a golden one of the server.
func good(t *testing.T) contract.Answer {
	t.Helper()
	golden, err := os.ReadFile("../../testdata/invoice_created.golden")
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(golden), "\n\n")
	a := contract.Answer{Method: "POST", Target: "/api/invoices?x=y", Status: 201, Header: http.Header{}, Body: []byte(body)}
	for _, line := range strings.Split(head, "\n")[1:] {
		name, value, _ := strings.Cut(line, ": ")
		a.Header.Set(name, value)
	}
	return a
}

func TestRealAnswerKeepsToTheDocument(t *testing.T) {
	if err := load(t).Check(good(t)); err != nil {
		t.Error(err)
	}
}

// The check would be worth nothing if it let wrong answers through.
func TestWrongAnswerIsRefused(t *testing.T) {
	d := load(t)
	for _, c := range []struct{ from, to, reason string }{
		{`"age": 0`, `"age": 0.5`, "/data/age"},
		{`"age": 0`, `"age": "0"`, "/data/age"},
		{`"age": 0`, `"age": 0, "secret": 1`, "secret"},
		{`"has_comments": false,`, ``, "has_comments"},
		{`"paid_date": null`, `"paid_date": ""`, "/data/paid_date"},
		{`"paid_date": null`, `"paid_date": "2026-13-23T09:30:02Z"`, "/data/paid_date"},
		{`"paid_date": null`, `"paid_date": "2026-11-23T09:30:02+01:00"`, "/data/paid_date"},
		{`"due_date": "2026-12-23T09:30:02Z"`, `"due_date": null`, "/data/due_date"},
		{`"uid": "01a207bd-b190-7000`, `"uid": "01a207bd-b190-700z`, "/data/uid"},
		{`"total": 5017`, `"total": 9007199254740993`, "/data/total"},
		{`"total": 5017`, `"total": -1`, "/data/total"},
		{`"DRAFT"`, `"draft"`, "/data/status"},
		{`"currency": "EUR"`, `"currency": "EURO"`, "/data/currency"},
		{`"role": "client"`, `"role": "vendor"`, "/data/parties/client/role"},
		{`"status_code": 201`, `"status_code": 200`, "status_code 200 on a 201"},
		{`"phone": null`, `"phone": ""`, "/phone"},
		{`"age": 0`, `"age": 0, "age": 0`, "age"},
		{`{`, `[`, "invalid"},
	} {
		a := good(t)
		text := strings.Replace(string(a.Body), c.from, c.to, 1)
		if text == string(a.Body) {
			t.Fatalf("%s is not in the answer", c.from)
		}
		a.Body = []byte(text)
		if err := d.Check(a); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s for %s: %v, want a word of %s", c.to, c.from, err, c.reason)
		}
	}
}

func TestWrongStatusHeaderOrTypeIsRefused(t *testing.T) {
	d := load(t)
	for reason, change := range map[string]func(*contract.Answer){
		"has no status 418":                      func(a *contract.Answer) { a.Status = 418 },
		"X-Request-Id is missing":                func(a *contract.Answer) { a.Header.Del("X-Request-Id") },
		"Etag is missing":                        func(a *contract.Answer) { a.Header.Del("ETag") },
		"Etag: ":                                 func(a *contract.Answer) { a.Header.Set("ETag", `W/"1"`) },
		"Cache-Control is there 2 times":         func(a *contract.Answer) { a.Header.Add("Cache-Control", "no-store") },
		"RateLimit: ":                            func(a *contract.Answer) { a.Header.Set("RateLimit", "599") },
		"Set-Cookie is not in the document":      func(a *contract.Answer) { a.Header.Set("Set-Cookie", "a=b") },
		`media type "text/html" is not`:          func(a *contract.Answer) { a.Header.Set("Content-Type", "text/html") },
		"HEAD is answered with a body":           func(a *contract.Answer) { *a = headOf(*a) },
		"GET /api/nowhere, status 404":           func(a *contract.Answer) { a.Method, a.Target, a.Status = "GET", "/api/nowhere", 404 },
		"listInvoices, status 200: RateLimit-Po": func(a *contract.Answer) { a.Method, a.Status = "GET", 200; a.Header.Del("RateLimit-Policy") },
	} {
		a := good(t)
		change(&a)
		if err := d.Check(a); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(reason)) {
			t.Errorf("%v, want %s", err, reason)
		}
	}
}

func headOf(a contract.Answer) contract.Answer {
	a.Method, a.Status, a.Body = "HEAD", 200, []byte("{}")
	a.Header.Del("ETag")
	return a
}

func TestMostLiteralPathIsFound(t *testing.T) {
	d := load(t)
	for path, id := range map[string]string{
		"/api/api-keys/current": "getCurrentApiKey", "/api/api-keys/0190b7a0-0000-7000-8000-00000000dead": "getApiKey",
		"/api/api-keys": "listApiKeys",
	} {
		if o := d.Find("GET", path); o == nil || o.ID != id {
			t.Errorf("Find(%s) = %+v, want %s", path, o, id)
		}
	}
	for _, path := range []string{"/api/api-keys/", "/api/api-keys/a/b/c", "/api", ""} {
		if o := d.Find("GET", path); o != nil {
			t.Errorf("Find(%q) = %s", path, o.ID)
		}
	}
}

func TestBrokenDocumentIsRefused(t *testing.T) {
	site, err := openapi.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"$ref": "#/components/schemas/Uid"`, `"$ref": "#/components/schemas/Uidd"`},
		{`"type": "string"`, `"type": "text"`},
		{`"openapi": "3.1.0"`, `"openapi": 3`},
		{`"operationId": "getInvoice"`, `"operationID": "getInvoice"`},
		{`"operationId": "getInvoice"`, `"operationId": "getParty"`},
		{`"overdue_days": 0`, `"overdue_days": "0"`}, // in an example
	} {
		text := strings.Replace(string(site.Document.Body), c[0], c[1], 1)
		if _, err := contract.Load([]byte(text)); err == nil || text == string(site.Document.Body) {
			t.Errorf("a document with %s is taken", c[1])
		}
	}
}
