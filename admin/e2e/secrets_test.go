package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// After a full run with debug logging and a line for each request neither a key nor its middle is anywhere
// but in the one answer that showed it.
func TestNoSecretIsLeftBehind(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin")
	s := serve(t, dir, "--log-requests", "all")
	secrets := []string{admin.Key}
	var answers bytes.Buffer // every answer but those that show a key
	call := func(method, path, key, body string, headers ...string) answer {
		a := s.call(method, path, key, body, headers...)
		answers.Write(a.body)
		for name, values := range a.header {
			answers.WriteString(name + ": " + strings.Join(values, " ") + "\n")
		}
		return a
	}
	made := data[apiKey](t, s.call("POST", "/api/api-keys", admin.Key, `{"name":"second"}`, "Idempotency-Key", "a").want(t, 201))
	rotated := data[apiKey](t, s.call("POST", "/api/api-keys/"+made.UID+"/rotate", admin.Key, `{"grace_days":1}`, "Idempotency-Key", "a").want(t, 201))
	call("POST", "/api/api-keys", admin.Key, `{"name":"second"}`, "Idempotency-Key", "a").want(t, 201)
	call("POST", "/api/api-keys/"+made.UID+"/rotate", admin.Key, `{"grace_days":1}`, "Idempotency-Key", "a").want(t, 201)
	viaSocket := shellKey(t, dir, "--name", "third")
	secrets = append(secrets, made.Key, rotated.Key, viaSocket.Key)
	for _, key := range secrets {
		call("GET", "/api/invoices", key, "").want(t, 200)
		call("GET", "/api/api-keys/current", key, "").want(t, 200)
		call("GET", "/api/invoices?key="+key, key, "")
		call("GET", "/api/"+key, key, "")
		call("GET", "/api/invoices/"+key, key, "")
		call("POST", "/api/invoices", key, `{"invoice_number":"`+key+`"`)
		call("POST", "/api/api-keys", key, `{"name":"`+key+`","nope":1}`)
		call("POST", "/api/parties", key, `{"`+key+`":"x"}`)
		call("GET", "/api/invoices", "", "", "Authorization", "Basic "+key)
		call("GET", "/api/invoices", "", "", "Authorization", key)
		call("GET", "/api/invoices", key+"x", "")
		call("GET", "/api/invoices", key, "", "X-Request-Id", key)
		call("GET", "/api/invoices", key, "", "User-Agent", "client/1 "+key).want(t, 200)
		call("GET", "/api/invoices", "", "", "X-Request-Id", "id-"+key)
	}
	raw := s.raw(t, "GET /api/invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+admin.Key+"\r\nBad Header : "+admin.Key+"\r\n\r\n")
	answers.WriteString(raw)
	call("GET", "/api/api-keys", admin.Key, "").want(t, 200)
	call("GET", "/api/api-keys/"+made.UID+"/activity", admin.Key, "").want(t, 200)
	call("DELETE", "/api/api-keys/"+made.UID, admin.Key, "").want(t, 200)
	answers.WriteString(mustShell(t, "keys", "list", "--json", "--data-dir", dir))
	answers.WriteString(mustShell(t, "keys", "show", made.UID, "--json", "--data-dir", dir))

	places := map[string][]byte{"answers": answers.Bytes(), "output of serve": []byte(s.output.String())}
	for name, text := range diskContents(t, dir) {
		places["running: "+name] = text
	}
	s.stop()
	hashes := 0
	for name, text := range diskContents(t, dir) {
		places["stopped: "+name] = text
		hashes += bytes.Count(text, []byte("$argon2id$"))
	}
	if hashes < len(secrets) {
		t.Errorf("%d argon2id hashes found in the data directory, want at least %d: the search sees nothing", hashes, len(secrets))
	}
	for place, text := range places {
		for i, key := range secrets {
			middle := key[16:32]
			if bytes.Contains(text, []byte(key)) || bytes.Contains(text, []byte(middle)) {
				t.Errorf("key %d is in %s", i, place)
			}
		}
	}
}

// diskContents reads every regular file below dir.
func diskContents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = text
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("read %s: %d files, %v", dir, len(files), err)
	}
	return files
}
