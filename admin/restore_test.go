package admin_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exante/admin"
	"exante/server"
	"exante/storage/archive"
)

func TestRestoreRefusesBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		code int
		want string
	}{
		"empty":   {"", 7, archive.ErrDamaged.Error()},
		"another": {"hello, world", 4, archive.ErrNotBackup.Error()},
	} {
		dir := dataDir(t)
		fails(t, c.code, c.want, "restore", "--input", secretFile(t, c.text), "--data-dir", dir)
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: the directory was made", name)
		}
	}
	fails(t, 1, "no such file", "restore", "--input", "/nonexistent/b")
	fails(t, 1, "is a directory", "restore", "--input", t.TempDir())
	fails(t, 2, "flag --input is missing", "restore")
	fails(t, 2, "flag --output is missing", "backup")
	fails(t, 1, "no store here", "backup", "--output", filepath.Join(t.TempDir(), "b"), "--data-dir", dataDir(t))
}

func TestRevokingAllKeysIsConfirmed(t *testing.T) {
	dir, file := dataDir(t), filepath.Join(t.TempDir(), "b")
	must(t, "keys", "create", "--name", "a", "--data-dir", dir)
	must(t, "keys", "create", "--name", "b", "--data-dir", dir)
	must(t, "backup", "--output", file, "--data-dir", dir)
	fresh := dataDir(t)
	fails(t, 2, "not confirmed", "restore", "--input", file, "--revoke-all-keys", "--data-dir", fresh)
	r := exante(t, "restore", "--input", file, "--revoke-all-keys", "--yes", "--json", "--data-dir", fresh)
	done := decode[admin.RestoreReport](t, r.stdout)
	if done.KeysRevoked != 2 || strings.Contains(r.stderr, "work again") {
		t.Errorf("%+v, %s", done, r.stderr)
	}
	for _, k := range decode[[]admin.JudgedKey](t, must(t, "keys", "list", "--json", "--data-dir", fresh)) {
		if k.State != "revoked" {
			t.Errorf("key %s is %s", k.Name, k.State)
		}
	}
}

// As root on a directory of another user, all of the restored store is his, though
// root alone can read the backup.
func TestRootRestoresForTheOwner(t *testing.T) {
	needRoot(t)
	dir, file := dataDir(t), filepath.Join(t.TempDir(), "b")
	must(t, "init", "--data-dir", dir)
	must(t, "backup", "--output", file, "--data-dir", dir)
	fresh := filepath.Join(openDir(t), "data")
	if err := errors.Join(os.Mkdir(fresh, 0o755), os.Chown(fresh, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	if out, err := program("restore", "--input", file, "--data-dir", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ownedBy(t, fresh, nobody)
}

// Root restores with the key file of the server's user, as the server has it.
func TestRootRestoresWithTheKeyOfTheOwner(t *testing.T) {
	needRoot(t)
	key, file := secretFile(t, strings.Repeat("k", 32)), filepath.Join(t.TempDir(), "b")
	t.Setenv("EXANTE_BACKUP_MAC_KEY_FILE", key)
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	must(t, "backup", "--output", file, "--data-dir", dir)
	if err := os.Chown(key, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(openDir(t), "data")
	args := []string{"restore", "--input", file, "--data-dir", fresh}
	if out, err := program(args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "belongs to another user (uid 65534)") {
		t.Errorf("into a directory of root: %v\n%s", err, out)
	}
	if err := errors.Join(os.Mkdir(fresh, 0o700), os.Chown(fresh, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	if out, err := program(args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ownedBy(t, fresh, nobody)
}

// A pipe is read once, straight into the store.
func TestRestoreFromAPipe(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	whole := must(t, "backup", "--output", "-", "--data-dir", dir)
	for n, want := range map[int]int{len(whole): 0, len(whole) - 1: 7, 10: 7} {
		fresh := dataDir(t)
		var stdout, stderr bytes.Buffer
		args := []string{"exante", "restore", "--input", "-", "--data-dir", fresh}
		if code := admin.Main(args, strings.NewReader(whole[:n]), &stdout, &stderr, serveDesk, server.Wire{}); code != want {
			t.Errorf("of %d bytes: exit %d, want %d: %s", n, code, want, stderr.String())
		}
		if _, err := os.Stat(fresh); (err == nil) != (want == 0) {
			t.Errorf("of %d bytes: the directory is there: %v", n, err == nil)
		}
	}
}
