package storage_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"exante/storage"
	"exante/storage/kv"
	"exante/storage/storagetest"
)

func TestSecretOfAKeyIsNotOnTheDisk(t *testing.T) {
	var log bytes.Buffer
	v := openVault(t, func(o *storage.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	key, token, err := v.CreateKey(t.Context(), v.by, full("erp"))
	if err != nil {
		t.Fatal(err)
	}
	next, successor, err := v.RotateKey(t.Context(), v.by, key.ID, day, 0)
	if err != nil {
		t.Fatal(err)
	}
	v.revoke(next.ID)

	var secrets [][]byte
	for _, text := range []string{token.Reveal(), successor.Reveal()} {
		middle := len(text)/2 - 8
		secrets = append(secrets, []byte(text), []byte(text[middle:middle+16]))
	}
	running := contents(t, v.options.Dir)
	storagetest.Close(t, v.Store)
	for place, data := range map[string][]byte{
		"the files of a running store": running,
		"the files of a closed store":  contents(t, v.options.Dir),
		"the values":                   values(t, v.options.Dir),
		"the log":                      log.Bytes(),
	} {
		for _, secret := range secrets {
			if bytes.Contains(data, secret) {
				t.Errorf("%s show a secret", place)
			}
		}
	}
	if !bytes.Contains(running, []byte("$argon2id$")) || !bytes.Contains(values(t, v.options.Dir), []byte(key.Hash.PHC())) {
		t.Error("the hash is not where it should be, so the search proves nothing")
	}
}

// contents is every byte of every file below dir.
func contents(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
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

// values is every key and value, as they were before the engine compressed them.
func values(t *testing.T, dir string) []byte {
	t.Helper()
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all []byte
	err = db.View(t.Context(), func(r kv.Reader) error {
		return r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			all = append(append(all, key...), value...)
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
