package server_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"exante/storage/kv"
	"exante/storage/storagetest"
)

// Of a key that was made with an Idempotency-Key nothing is left but its hash: the
// replay does not show it, and it is not on the disk.
func TestKeptAnswerHoldsNoSecret(t *testing.T) {
	dir := ""
	w := startWith(t, func(s *settings) { dir = s.store.Dir })
	ask := func(path, body string) (uid string, secret []byte) {
		first := w.do("POST", path, w.acme.key, body, "Idempotency-Key", "k")
		made := w.data(first, 201)
		again := w.do("POST", path, w.acme.key, body, "Idempotency-Key", "k")
		w.replayed(path, first, again)
		if shown, there := w.data(again, 201)["key"]; shown != nil || !there {
			t.Errorf("%s: replayed as %s", path, again.body)
		}
		return made["uid"].(string), []byte(made["key"].(string))
	}
	uid, created := ask("/api/api-keys", `{"name":"a new key"}`)
	_, rotated := ask("/api/api-keys/"+uid+"/rotate", "")

	running := filesBelow(t, dir)
	w.must(w.server.Shutdown(context.Background()))
	w.must(w.auth.Close(context.Background()))
	storagetest.Close(t, w.store)
	kept := valuesIn(t, dir)
	for _, secret := range [][]byte{created, rotated} {
		middle := secret[len(secret)/2-8 : len(secret)/2+8]
		for place, data := range map[string][]byte{"files of a running store": running, "files": filesBelow(t, dir), "values": kept} {
			if bytes.Contains(data, secret) || bytes.Contains(data, middle) {
				t.Errorf("the %s show a secret", place)
			}
		}
	}
	if !bytes.Contains(kept, []byte(`"key":null`)) || !bytes.Contains(kept, []byte("API key rotated")) {
		t.Error("the answers are not where they should be, so the search proves nothing")
	}
}

// filesBelow is every byte of every file below dir.
func filesBelow(t *testing.T, dir string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, data...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// valuesIn is every value of a closed store, as it was before the engine packed it.
func valuesIn(t *testing.T, dir string) (all []byte) {
	t.Helper()
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(t.Context(), func(r kv.Reader) error {
		return r.Scan(kv.Range{}, kv.ScanOptions{}, func(_, value []byte) (bool, error) {
			all = append(all, value...)
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
