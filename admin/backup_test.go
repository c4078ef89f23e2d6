package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"exante/admin"
	"exante/server"
	"exante/storage"
)

// files are the names in a directory.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// secretFile makes a file that nobody else can read.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBackupAndRestore(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		must(t, "keys", "create", "--name", "zapier", "--data-dir", dir)
		out := t.TempDir()
		file := filepath.Join(out, "b")
		report := decode[admin.BackupReport](t, must(t, "backup", "--output", file, "--json", "--data-dir", dir))
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 || info.Size() != report.Bytes || report.File == nil || *report.File != file || report.Encrypted || report.Authenticated {
			t.Errorf("the file has mode %v and %d bytes, the report says %+v", info.Mode(), info.Size(), report)
		}
		fails(t, 1, "the file exists already: "+file, "backup", "--output", file, "--data-dir", dir)
		fails(t, 1, "open "+file+".d/b: no such file or directory", "backup", "--output", file+".d/b", "--data-dir", dir)
		must(t, "backup", "--output", file, "--force", "--data-dir", dir)
		if names := files(t, out); len(names) != 1 {
			t.Errorf("beside the backup there is %v", names)
		}

		dry := decode[admin.RestoreReport](t, must(t, "restore", "--input", file, "--dry-run", "--json", "--data-dir", dir))
		fails(t, exitOf(t, dir), "", "restore", "--input", file, "--data-dir", dir)
		fresh := dataDir(t)
		r := exante(t, "restore", "--input", file, "--json", "--data-dir", fresh)
		done := decode[admin.RestoreReport](t, r.stdout)
		if r.code != 0 || !strings.Contains(r.stderr, "Keys that were revoked since then work again") {
			t.Errorf("restore: exit %d, %q", r.code, r.stderr)
		}
		if !dry.DryRun || done.DryRun || done.RecordsVerified == 0 || dry.Entries != done.Entries || done.DatabaseUID != report.DatabaseUID || done.TakenAt == "" {
			t.Errorf("dry run %+v, restored %+v", dry, done)
		}
		if was, is := must(t, "keys", "list", "--data-dir", dir), must(t, "keys", "list", "--data-dir", fresh); was != is {
			t.Errorf("keys were\n%sand are\n%s", was, is)
		}
		must(t, "verify", "--data-dir", fresh)
	})
}

// exitOf is how a restore into the directory of a store is refused.
func exitOf(t *testing.T, dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "admin.sock")); err == nil {
		return 5 // it is open
	}
	return 1
}

func TestABackupToAPipe(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		r := exante(t, "backup", "--output", "-", "--json", "--data-dir", dir)
		report := decode[admin.BackupReport](t, r.stderr)
		if r.code != 0 || report.File != nil || report.Bytes != int64(len(r.stdout)) {
			t.Errorf("exit %d, %d bytes, report %+v", r.code, len(r.stdout), report)
		}
		if _, err := storage.CheckBackup(t.Context(), strings.NewReader(r.stdout), storage.RestoreOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func TestBackupsAreEncryptedForSeveral(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		out := t.TempDir()
		file := filepath.Join(out, "b.age")
		var to []string
		var ids []*age.X25519Identity
		for range 3 {
			id, err := age.GenerateX25519Identity()
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			to = append(to, "--to-age", id.Recipient().String())
		}
		args := append([]string{"backup", "--output", file, "--json", "--data-dir", dir}, to[:4]...)
		report := decode[admin.BackupReport](t, must(t, args...))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !report.Encrypted || report.Bytes != int64(len(text)) || !bytes.HasPrefix(text, []byte("age-encryption.org/v1")) || bytes.Contains(text, []byte("argon2id")) {
			t.Errorf("it does not look encrypted: %+v", report)
		}
		for i, id := range ids {
			identity := secretFile(t, "# comment\n"+id.String()+"\n")
			if i == 2 {
				fails(t, 4, "it is for other recipients", "restore", "--input", file, "--age-identity", identity, "--data-dir", dataDir(t))
				continue
			}
			must(t, "restore", "--input", file, "--age-identity", identity, "--data-dir", dataDir(t))
		}
		mine := secretFile(t, ids[0].String())
		fails(t, 2, "backup is encrypted", "restore", "--input", file, "--data-dir", dataDir(t))
		plain := filepath.Join(out, "plain")
		must(t, "backup", "--output", plain, "--data-dir", dir)
		fails(t, 4, "backup is not encrypted", "restore", "--input", plain, "--age-identity", mine, "--data-dir", dataDir(t))
		for name, b := range map[string][]byte{"cut": text[:len(text)-1], "cut in the header": text[:30], "flipped": flipped(text, len(text)-40), "longer": append(bytes.Clone(text), 'x')} {
			bad := filepath.Join(out, name)
			if err := os.WriteFile(bad, b, 0o600); err != nil {
				t.Fatal(err)
			}
			fails(t, 7, "backup is damaged", "restore", "--input", bad, "--age-identity", mine, "--data-dir", dataDir(t))
		}
		r := exante(t, "restore", "--input", file, "--age-identity", secretFile(t, "AGE-SECRET-KEY-1NONSENSE"), "--data-dir", dataDir(t))
		if r.code != 4 || strings.Contains(r.stderr, "NONSENSE") {
			t.Errorf("a malformed identity: exit %d, %s", r.code, r.stderr)
		}
		fails(t, 2, "not an age recipient", "backup", "--output", filepath.Join(out, "x"), "--to-age", "age1nonsense", "--data-dir", dir)
		fails(t, 2, "not an age recipient", "backup", "--output", filepath.Join(out, "x"), "--to-age", mine, "--data-dir", dir)
	})
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestBackupsAreAuthenticated(t *testing.T) {
	key := secretFile(t, strings.Repeat("k", 32))
	t.Setenv("EXANTE_BACKUP_MAC_KEY_FILE", key)
	onBothRoads(t, func(t *testing.T, dir string) {
		file := filepath.Join(t.TempDir(), "b")
		report := decode[admin.BackupReport](t, must(t, "backup", "--output", file, "--json", "--data-dir", dir))
		if !report.Authenticated {
			t.Errorf("%+v", report)
		}
		must(t, "restore", "--input", file, "--data-dir", dataDir(t))
		t.Setenv("EXANTE_BACKUP_MAC_KEY_FILE", secretFile(t, strings.Repeat("o", 32)))
		fails(t, 7, "made with another key", "restore", "--input", file, "--data-dir", dataDir(t))
		t.Setenv("EXANTE_BACKUP_MAC_KEY_FILE", "")
		fails(t, 2, "it needs the key that it was made with", "restore", "--input", file, "--data-dir", dataDir(t))
	})
}

func TestALooseKeyFileIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make func(path string) error
		want string
	}{
		"short":     {func(p string) error { return os.WriteFile(p, make([]byte, 31), 0o600) }, "must have 32 to 4096 bytes"},
		"long":      {func(p string) error { return os.WriteFile(p, make([]byte, 4097), 0o600) }, "must have 32 to 4096 bytes"},
		"readable":  {func(p string) error { return os.WriteFile(p, make([]byte, 32), 0o640) }, "is open to other users (mode 0640)"},
		"directory": {func(p string) error { return os.Mkdir(p, 0o700) }, "is not a regular file"},
		"absent":    {func(string) error { return nil }, "no such file"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := c.make(path); err != nil {
			t.Fatal(err)
		}
		t.Setenv("EXANTE_BACKUP_MAC_KEY_FILE", path)
		onBothRoads(t, func(t *testing.T, dir string) {
			fails(t, 2, "backup.mac_key_file: ", "backup", "--output", filepath.Join(t.TempDir(), "b"), "--data-dir", dir)
			fails(t, 2, c.want, "backup", "--output", filepath.Join(t.TempDir(), "b"), "--data-dir", dir)
			fails(t, 2, c.want, "restore", "--input", "/dev/null", "--data-dir", dir)
		})
	}
}

// failing takes some bytes and then fails.
type failing struct{ room int }

var errPipe = errors.New("the pipe broke")

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestABackupThatBreaksOffFails(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		var ops admin.Ops
		c := configOf(t, dir)
		if _, err := os.Stat(c.SocketPath()); err == nil {
			ops = admin.NewRemote(c.SocketPath(), time.Minute)
		} else {
			store := openStore(t, dir)
			defer store.Close()
			ops = admin.NewDesk(store, c, server.Wire{}, nil).As(0)
		}
		if _, err := ops.Backup(t.Context(), &failing{100}, nil); !errors.Is(err, errPipe) {
			t.Errorf("a stream that breaks: %v", err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := ops.Backup(ended, io.Discard, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

// The server goes away in the middle: the file must not appear.
func TestABrokenAnswerLeavesNoFile(t *testing.T) {
	dir, out := dataDir(t), t.TempDir()
	must(t, "init", "--data-dir", dir)
	var whole bytes.Buffer
	store := openStore(t, dir)
	_, err := store.Backup(t.Context(), &whole, storage.BackupOptions{}, nil)
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	// A server that sends all of the data, and ends before it says that it was all.
	line, err := json.Marshal(map[string]any{"data": whole.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	header := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	t.Setenv("EXANTE_ADMIN_SOCKET", fakeServer(t, header+string(line)+"\n"))
	fails(t, 6, "the server does not answer", "backup", "--output", filepath.Join(out, "b"), "--data-dir", dir)
	// The data was whole; that it was is what the server did not say.
	if names := files(t, out); len(names) > 0 {
		t.Errorf("it left %v", names)
	}
}

// Root could put a file in the place of /dev/null.
func TestOnlyFilesAreReplaced(t *testing.T) {
	dir, out := dataDir(t), t.TempDir()
	must(t, "init", "--data-dir", dir)
	pipe, link := filepath.Join(out, "pipe"), filepath.Join(out, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink("/dev/null", link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link, out} {
		fails(t, 1, "it is no file that could be replaced: "+path, "backup", "--output", path, "--force", "--data-dir", dir)
		fails(t, 1, "it is no file that could be replaced: "+path, "invoices", "export", "--output", path, "--data-dir", dir)
	}
	if names := files(t, out); len(names) != 2 {
		t.Errorf("there is %v now", names)
	}
}

// A running server authenticates with its own settings: who thinks that the command's
// count is told.
func TestBackupThatIsNotAuthenticatedIsToldOf(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	run(t, dir)
	const told = "the backup is not authenticated: the server was started without backup.mac_key_file"
	file := filepath.Join(t.TempDir(), "b")
	if r := exante(t, "backup", "--output", file, "--data-dir", dir); r.code != 0 || strings.Contains(r.stderr, told) {
		t.Errorf("without a key: %+v", r)
	}
	t.Setenv("EXANTE_BACKUP_MAC_KEY_FILE", secretFile(t, strings.Repeat("k", 32)))
	if r := exante(t, "backup", "--output", file, "--force", "--data-dir", dir); r.code != 0 || !strings.Contains(r.stderr, told) {
		t.Errorf("with a key that the server does not have: %+v", r)
	}
}
