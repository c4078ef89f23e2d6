package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden answers")

// TestGoldenAnswers plays one story, on a fixed clock with fixed randomness, and
// compares every answer with what it was.
func TestGoldenAnswers(t *testing.T) {
	w := startWith(t, func(s *settings) {
		s.store.Rand = rand.NewChaCha8([32]byte{1})
		s.server.Rand = rand.NewChaCha8([32]byte{2})
	})
	story := []struct{ name, method, path, body string }{
		{"party_created", "POST", "/api/parties", `{"name":"Globex","address":"742 Evergreen Terrace","billing_contact":{"name":"Hank Scorpio","email":"hank@globex.example"}}`},
		{"invoice_created", "POST", "/api/invoices", `{"target_party_uid":"$party_created","currency":"EUR","tax_cents":19,"invoice_fields":{"po":"4711","tags":["a","b"],"urgent":true},"line_items":[{"context_type":"PRODUCT","sku":"seat","quantity":2.5,"unit_price":1999}]}`},
		{"line_created", "POST", "/api/invoices/$invoice_created/line_items", `{"context_type":"DISCOUNT","sku":"welcome","unit_price":500}`},
		{"lines_updated", "PUT", "/api/invoices/$invoice_created/line_items", `[{"uid":"$line_created","unit_price":400}]`},
		{"lines_deleted", "DELETE", "/api/invoices/$invoice_created/line_items", `["$line_created"]`},
		{"invoice_sent", "PUT", "/api/invoices/$invoice_created", `{"status":"SENT"}`},
		{"invoice_overdue", "GET", "/api/invoices/$invoice_created", ""},
		{"invoices_listed", "GET", "/api/invoices?status=OVERDUE&sort=-due_date", ""},
		{"parties_listed", "GET", "/api/parties?search=glo", ""},
		{"key_created", "POST", "/api/api-keys", `{"name":"zapier","scopes":["invoices:read"],"expires_in_days":20}`},
		{"key_rotated", "POST", "/api/api-keys/$key_created/rotate", `{"grace_days":7}`},
		{"key_revoked", "DELETE", "/api/api-keys/$key_created", ""},
		{"keys_listed", "GET", "/api/api-keys?state=active", ""},
		{"key_activity", "GET", "/api/api-keys/$key_created/activity", ""},
		{"error_transition", "PUT", "/api/invoices/$invoice_created", `{"status":"DRAFT"}`},
		{"error_locked", "PUT", "/api/invoices/$invoice_created", `{"currency":"USD","tax_cents":0}`},
		{"error_invalid", "POST", "/api/invoices", `{"tax_cents":"1","nope":true}`},
		{"error_malformed", "POST", "/api/invoices", `{`},
		{"error_not_found", "GET", "/api/invoices/" + absent, ""},
		{"error_path", "GET", "/api/nowhere", ""},
		{"error_method", "PATCH", "/api/invoices", ""},
		{"payment_recorded", "POST", "/api/invoices/$invoice_created/payments", `{"amount_cents":1000,"paid_at":"2026-12-24","reference":"wire 4711"}`},
		{"payments_listed", "GET", "/api/invoices/$invoice_created/payments", ""},
	}
	uids := map[string]string{}
	for _, step := range story {
		if step.name == "invoice_overdue" {
			w.clock.Advance(40 * 24 * time.Hour)
		}
		w.clock.Advance(time.Second)
		for name, uid := range uids {
			step.path, step.body = strings.ReplaceAll(step.path, "$"+name, uid), strings.ReplaceAll(step.body, "$"+name, uid)
		}
		r := w.do(step.method, step.path, w.acme.key, step.body)
		var created struct{ Data struct{ UID, Key string } }
		if json.Unmarshal([]byte(r.body), &created) == nil && created.Data.UID != "" {
			uids[step.name] = created.Data.UID
		}
		compareGolden(t, step.name, render(t, step.method, r, created.Data.Key))
	}
}

// render is an answer as text; the secret in it is blotted out.
func render(t *testing.T, method string, r reply, secret string) string {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %d\n", method, r.status)
	for _, name := range []string{"Allow", "Cache-Control", "Content-Type", "ETag", "Exante-Key-Expires-At", "RateLimit",
		"RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Content-Type-Options", "X-Request-Id"} {
		if v := r.header.Get(name); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteString("\n")
	if secret != "" {
		r.body = strings.NewReplacer(secret, "ex_live_[shown once]").Replace(r.body)
	}
	if err := json.Indent(&b, []byte(r.body), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return b.String() + "\n"
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant\n%s", name, got, want)
	}
}

// No golden answer has a member that could carry a hash or a secret.
func TestGoldenAnswersHoldNoSecret(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d golden answers, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"hash", "argon2", "secret", "password", "tag\"", "version\""} {
			if strings.Contains(strings.ToLower(string(text)), word) {
				t.Errorf("%s holds %q", file, word)
			}
		}
	}
}
