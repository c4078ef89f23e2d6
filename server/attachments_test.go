package server_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// upload is one part of a form.
type upload struct{ field, name, content string }

const formMedia = "multipart/form-data; boundary=b"

// formOf is a form as a client sends it.
func formOf(parts ...upload) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\nContent-Type: text/evil\r\n\r\n%s\r\n", p.field, p.name, p.content)
	}
	return b.String() + "--b--\r\n"
}

// mediaOf is the media type of a body of these tests.
func mediaOf(body string) string {
	if strings.HasPrefix(body, "--") {
		return formMedia
	}
	return "application/json"
}

// attachPath makes an invoice, and is where files for it are sent.
func (w *world) attachPath() (path, invoice string) {
	w.tb.Helper()
	invoice = w.invoice(w.acme.key, "")["uid"].(string)
	return "/api/invoices/" + invoice + "/attachment", invoice
}

func (w *world) send(path, form string, headers ...string) reply {
	w.tb.Helper()
	return w.do("POST", path, w.acme.key, form, append([]string{"Content-Type", formMedia}, headers...)...)
}

// attached are the attachments in an answer that added them.
func (w *world) attached(r reply) (list []map[string]any) {
	w.tb.Helper()
	var envelope struct {
		Message string
		Data    []map[string]any
	}
	if err := json.Unmarshal([]byte(r.body), &envelope); err != nil || r.status != 201 ||
		envelope.Message != fmt.Sprintf("%d file attachment(s) added successfully", len(envelope.Data)) {
		w.tb.Fatalf("%d %s (%v), want attachments", r.status, r.body, err)
	}
	return envelope.Data
}

func (w *world) count(invoice string) int {
	w.tb.Helper()
	list := w.data(w.get("/api/invoices/"+invoice+"/attachments", w.acme.key), 200)
	return int(list["_meta"].(map[string]any)["total_items"].(float64))
}

func TestAttachmentsGoThereAndBack(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	big := noise(3 << 20)
	r := w.send(path, formOf(upload{"files", "report.pdf", "%PDF-1.7 x"}, upload{"files", "big.bin", big}, upload{"files", "empty", ""}))
	added := w.attached(r)
	if r.header.Get("ETag") != `"2"` || len(added) != 3 {
		t.Fatalf("ETag %s, %d attachments", r.header.Get("ETag"), len(added))
	}
	id, err := uid.Parse(w.acme.id)
	w.must(err)
	key, err := w.store.FindKey(id)
	w.must(err)
	first := added[0]
	if len(first) != 10 || first["filename"] != "report.pdf" || first["content_type"] != "application/pdf" || first["file_size"] != 10.0 ||
		first["uploaded_by"] != key.UserID.String() || first["created_on"] != "2026-11-23T09:30:00Z" || first["description"] != nil ||
		first["is_public"] != false || first["invoice_uid"] != invoice {
		t.Errorf("attachment = %v", first)
	}
	list := w.get("/api/invoices/"+invoice+"/attachments?per_page=2", w.acme.key)
	data := w.data(list, 200)
	if items := data["items"].([]any); len(items) != 2 || fmt.Sprint(items[0]) != fmt.Sprint(first) || list.header.Get("ETag") != `"2"` {
		t.Errorf("list = %s, ETag %s", list.body, list.header.Get("ETag"))
	}
	if next := data["_links"].(map[string]any)["next"]; next != "/api/invoices/"+invoice+"/attachments?per_page=2&page=2" {
		t.Errorf("next = %v", next)
	}
	for n, want := range []string{"%PDF-1.7 x", big, ""} {
		got := w.fetch("GET", added[n]["presigned_url"].(string))
		if got.status != 200 || got.body != want || got.header.Get("Content-Length") != fmt.Sprint(len(want)) {
			t.Errorf("%d: %d with %d bytes, Content-Length %s", n, got.status, len(got.body), got.header.Get("Content-Length"))
		}
		head := w.fetch("HEAD", added[n]["presigned_url"].(string))
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != fmt.Sprint(len(want)) {
			t.Errorf("HEAD %d: %d, Content-Length %s", n, head.status, head.header.Get("Content-Length"))
		}
	}
	r = w.do("DELETE", path, w.acme.key, fmt.Sprintf(`{"attachment_uid":%q}`, first["uid"]))
	if w.data(r, 200); r.header.Get("ETag") != `"3"` || !strings.Contains(r.body, `"data":{}`) || w.count(invoice) != 2 {
		t.Errorf("deleted: %s, ETag %s", r.body, r.header.Get("ETag"))
	}
	w.refused(w.fetch("GET", first["presigned_url"].(string)), 404, "not_found")
}

// noise is n bytes of anything.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8(sha256.Sum256([]byte("noise")))
	r.Read(b)
	return string(b)
}

func TestFormsThatAreNoneAreRefused(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	good := upload{"files", "a.txt", "a"}
	field := "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b--\r\n"
	for _, c := range []struct {
		name, form string
		status     int
		code       string
		detail     string
	}{
		{"no part", "--b--\r\n", 422, "invalid", "files: is required"},
		{"nothing", "", 400, "malformed_form", ""},
		{"no form", "hello", 400, "malformed_form", ""},
		{"no end", strings.TrimSuffix(formOf(good), "--b--\r\n"), 400, "malformed_form", ""},
		{"no end, in a head", strings.TrimSuffix(formOf(good), "--b--\r\n") + "--b\r\nContent-Disposition: form-da", 400, "malformed_form", ""},
		{"no end, after a boundary", strings.TrimSuffix(formOf(good), "--\r\n") + "\r\n", 422, "invalid", "files[1]: has no Content-Disposition of form-data that can be read"},
		{"another boundary", strings.ReplaceAll(formOf(good), "--b", "--c"), 400, "malformed_form", ""},
		{"another field", formOf(good, upload{"file", "a", "a"}), 422, "invalid", "file: is not known here"},
		{"a hostile field", formOf(good, upload{"\x1b[2J", "a", "a"}), 400, "malformed_form", ""},
		{"an odd field", formOf(good, upload{"fi les", "a", "a"}), 422, "invalid", `"fi les": is not known here`},
		{"a text field", field, 422, "invalid", "note: is not known here"},
		{"files as text", strings.Replace(field, "note", "files", 1), 422, "invalid", "files[0]: must be a file, with a file name"},
		{"no name", formOf(good, upload{"files", "", "a"}), 422, "invalid", "files[1]: file name must have 1 to 255 characters"},
		{"only a path", formOf(upload{"files", "../", "a"}), 422, "invalid", "files[0]: file name must have 1 to 255 characters"},
		{"long name", formOf(upload{"files", strings.Repeat("x", 256), "a"}), 422, "invalid", "files[0]: file name must have 1 to 255 characters"},
		{"no disposition", "--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n", 422, "invalid", "files[0]: has no Content-Disposition of form-data that can be read"},
		{"other disposition", strings.ReplaceAll(formOf(good), "form-data", "attachment"), 422, "invalid", "files[0]: has no Content-Disposition of form-data that can be read"},
		{"long part head", "--b\r\nX-A: " + strings.Repeat("a", 40_000) + "\r\n\r\nx\r\n--b--\r\n", 400, "malformed_form", ""},
		{"long beginning", strings.Repeat("x\r\n", 20_000) + formOf(good), 400, "malformed_form", ""},
		{"long end", formOf(good) + strings.Repeat("x", 40_000), 400, "malformed_form", ""},
	} {
		r := w.send(path, c.form)
		if r.status != c.status {
			t.Errorf("%s: %d %s", c.name, r.status, r.body)
			continue
		}
		details := w.refused(r, c.status, c.code)
		if got := strings.Join(details, "; "); got != c.detail {
			t.Errorf("%s: details %q, want %q", c.name, got, c.detail)
		}
	}
	w.attached(w.send(path, strings.TrimSuffix(formOf(good), "\r\n"))) // RFC 2046 asks for no line end after it
	for _, media := range []string{"", "application/json", "multipart/form-data", "multipart/mixed; boundary=b", "multipart/form-data; boundary=" + strings.Repeat("b", 71)} {
		w.refused(w.send(path, formOf(good), "Content-Type", media), 415, "unsupported_media_type")
	}
	w.refused(w.send(path+"?a=b", formOf(good)), 422, "invalid")
	if n := w.count(invoice); n != 1 {
		t.Errorf("%d attachments were made, want 1", n)
	}
	if r := w.get("/api/invoices/"+invoice, w.acme.key); r.header.Get("ETag") != `"2"` {
		t.Errorf("the invoice has ETag %s", r.header.Get("ETag"))
	}
}

func TestDeletionOfAttachmentsNamesMistakes(t *testing.T) {
	w := start(t, nil)
	path, _ := w.attachPath()
	for body, want := range map[string]string{
		`{}`: "attachment_uid: is required", `{"attachment_uid":1}`: "attachment_uid: must be a string",
		`{"attachment_uid":null}`: "attachment_uid: must be a string", `[]`: "body: must be an object", `{"attachment_uid":"` + absent + `","x":1}`: "x: is not known here",
	} {
		if details := w.refused(w.do("DELETE", path, w.acme.key, body), 422, "invalid"); len(details) != 1 || details[0] != want {
			t.Errorf("%s: details %q, want %q", body, details, want)
		}
	}
	for _, id := range []string{absent, "nope", ""} {
		w.refused(w.do("DELETE", path, w.acme.key, fmt.Sprintf(`{"attachment_uid":%q}`, id)), 404, "not_found")
	}
}

func TestAttachmentsNeedTheirScopes(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	scopes, err := auth.ParseScopes([]string{"invoices:read"})
	w.must(err)
	_, reader := w.mint(w.acme, storage.KeyDraft{Name: "reader", Scopes: scopes})
	w.data(w.get("/api/invoices/"+invoice+"/attachments", reader), 200)
	w.refused(w.do("POST", path, reader, formOf(upload{"files", "a", "a"}), "Content-Type", formMedia), 403, "insufficient_scope")
	w.refused(w.do("DELETE", path, reader, `{}`), 403, "insufficient_scope")
	w.refused(w.do("POST", path, "", formOf(upload{"files", "a", "a"}), "Content-Type", formMedia), 401, "missing_authorization")
}

func TestUploadHonoursIfMatch(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	form := formOf(upload{"files", "a", "a"})
	w.refused(w.send(path, form, "If-Match", `"7"`), 412, "precondition_failed")
	id := w.attached(w.send(path, form, "If-Match", `"1"`))[0]["uid"]
	w.refused(w.send(path, form, "If-Match", `"1"`), 412, "precondition_failed")
	w.refused(w.do("DELETE", path, w.acme.key, fmt.Sprintf(`{"attachment_uid":%q}`, id), "If-Match", `"1"`), 412, "precondition_failed")
	if n := w.count(invoice); n != 1 {
		t.Errorf("%d attachments, want 1", n)
	}
	w.data(w.do("DELETE", path, w.acme.key, fmt.Sprintf(`{"attachment_uid":%q}`, id), "If-Match", `"2"`), 200)
}
