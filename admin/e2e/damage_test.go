package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// damaged is a store whose process was killed, so that it has tables and a log,
// and what it was before that.
type damaged struct {
	*testing.T
	dir     string // and its audit copy beside it
	earlier string // likewise: the same store, two keys and a revocation ago
	other   string // another store
}

// copyStore copies a data directory and its audit copy, and leaves holes as holes.
func copyStore(t testing.TB, from, to string) {
	t.Helper()
	for _, end := range []string{"", ".audit"} {
		if out, err := exec.Command("cp", "-a", "--sparse=always", from+end, to+end).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v\n%s", from+end, err, out)
		}
	}
}

// toDamage makes the stores of which every row gets copies.
func toDamage(t *testing.T) (dir, earlier, other string) {
	t.Helper()
	dir, other = dataDir(t), dataDir(t)
	shellKey(t, other, "--name", "other")
	admin := shellKey(t, dir, "--name", "a")
	shellKey(t, dir, "--name", "b")
	earlier = filepath.Join(filepath.Dir(dir), "earlier")
	copyStore(t, dir, earlier)
	s := serve(t, dir, "--dashboard-enabled", "false") // it writes nothing by itself
	s.createKey(admin.Key, `{"name":"c","scopes":["invoices:read"]}`)
	gone := s.createKey(admin.Key, `{"name":"d","scopes":["invoices:read"]}`)
	s.call("DELETE", "/api/api-keys/"+gone.UID, admin.Key, "")
	s.kill()
	return dir, earlier, other
}

func (d *damaged) path(pattern string) string {
	d.Helper()
	paths, err := filepath.Glob(filepath.Join(d.dir, pattern))
	if err != nil || len(paths) == 0 {
		d.Fatalf("no %s: %v", pattern, err)
	}
	return paths[len(paths)-1]
}

func (d *damaged) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *damaged) remove(pattern string)     { d.must(os.Remove(d.path(pattern))) }
func (d *damaged) cut(pattern string, n int) { d.must(os.Truncate(d.path(pattern), int64(n))) }
func (d *damaged) put(name, from string)     { d.write(name, d.read(filepath.Join(from, name))) }
func (d *damaged) write(name string, b []byte) {
	d.must(os.WriteFile(filepath.Join(d.dir, name), b, 0o600))
}

func (d *damaged) read(path string) []byte {
	d.Helper()
	b, err := os.ReadFile(path)
	d.must(err)
	return b
}

// flip changes one bit of the byte that lies at a fraction of a file's data, which
// ends at the last byte that is not zero.
func (d *damaged) flip(pattern string, part, of int) {
	d.Helper()
	path := d.path(pattern)
	text := d.read(path)
	used := len(text)
	for used > 0 && text[used-1] == 0 {
		used--
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	d.must(err)
	at := used * part / of
	_, err = f.WriteAt([]byte{text[at] ^ 0x10}, int64(at))
	d.must(err)
	d.must(f.Close())
}

// logEnd is where the data of the log ends.
func (d *damaged) logEnd() int {
	return len(strings.TrimRight(string(d.read(d.path("*.mem"))), "\x00"))
}

// rollBack puts the earlier files in the place of the store's, but for those named.
func (d *damaged) rollBack(keep ...string) {
	d.Helper()
	kept := map[string][]byte{}
	for _, name := range keep {
		kept[name] = d.read(filepath.Join(d.dir, name))
	}
	d.must(os.RemoveAll(d.dir))
	if out, err := exec.Command("cp", "-a", "--sparse=always", d.earlier, d.dir).CombinedOutput(); err != nil {
		d.Fatalf("%v\n%s", err, out)
	}
	for name, text := range kept {
		d.write(name, text)
	}
}

// storeFiles is every file of a store and its audit copy: size, and hash.
func storeFiles(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, root := range []string{dir, dir + ".audit"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			files[path] = fmt.Sprintf("%d bytes, %x", len(text), sha256.Sum256(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Whatever was lost or changed, by accident or by hand: nothing is served, the
// message says what is wrong, and what is left is left as it was found.
func TestDamageIsRefusedAndLeftAlone(t *testing.T) {
	dir, earlier, other := toDamage(t)
	for _, c := range []struct {
		name string
		do   func(d *damaged)
		says string
	}{
		{"one flipped byte in the log", func(d *damaged) { d.flip("*.mem", 1, 2) }, "behind exante.anchor"},
		{"log cut short", func(d *damaged) { d.cut("*.mem", d.logEnd()*2/3) }, "behind exante.anchor"},
		{"log empty", func(d *damaged) { d.cut("*.mem", 0) }, "behind exante.anchor"},
		{"log removed", func(d *damaged) { d.remove("*.mem") }, "behind exante.anchor"},
		{"MANIFEST removed", func(d *damaged) { d.remove("MANIFEST") }, "data files without a MANIFEST"},
		{"MANIFEST cut to 16 bytes", func(d *damaged) { d.cut("MANIFEST", 16) }, "is empty: its files were lost or cut short"},
		{"one flipped byte in the MANIFEST", func(d *damaged) { d.flip("MANIFEST", 9, 10) }, "store files are damaged"},
		{"table removed", func(d *damaged) { d.remove("*.sst") }, ".sst is missing"},
		{"table cut", func(d *damaged) { d.cut("*.sst", 500) }, ".sst fails its checksums"},
		{"one flipped byte in a table", func(d *damaged) { d.flip("*.sst", 1, 3) }, ".sst fails its checksums"},
		{"anchor removed", func(d *damaged) { d.remove("exante.anchor") }, "exante.anchor is missing"},
		{"one flipped byte in the anchor", func(d *damaged) { d.flip("exante.anchor", 1, 2) }, "exante.anchor was changed, or cut short"},
		{"anchor of another store", func(d *damaged) { d.put("exante.anchor", d.other) }, "exante.anchor is of store "},
		{"exante.id removed", func(d *damaged) { d.remove("exante.id") }, "has a database and exante.anchor, but no exante.id"},
		{"exante.id of another store", func(d *damaged) { d.put("exante.id", d.other) }, "the directory is of store "},
		{"one flipped byte in exante.id", func(d *damaged) { d.flip("exante.id", 1, 2) }, "store"},
		{"rolled back, the anchor kept", func(d *damaged) { d.rollBack("exante.anchor") }, "behind exante.anchor"},
		{"rolled back with its anchor, the audit copy kept", func(d *damaged) { d.rollBack() }, "the copy has record 6, and the store does not"},
		{"all files lost, the audit copy kept", func(d *damaged) { d.must(os.RemoveAll(d.dir)); d.must(os.Mkdir(d.dir, 0o700)) }, ""},
		{"audit copy edited", func(d *damaged) {
			text := strings.Replace(string(d.read(d.dir+".audit")), `"key.create"`, `"key.revoke"`, 1)
			d.must(os.WriteFile(d.dir+".audit", []byte(text), 0o600))
		}, "differ in record 4"},
		{"audit copy of another store", func(d *damaged) {
			d.must(os.WriteFile(d.dir+".audit", d.read(d.other+".audit"), 0o600))
		}, "differ in record 1"},
		{"KEYREGISTRY removed", func(d *damaged) { d.remove("KEYREGISTRY") }, "without a KEYREGISTRY"},
		{"one flipped byte in KEYREGISTRY", func(d *damaged) { d.flip("KEYREGISTRY", 3, 4) }, "the KEYREGISTRY was changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := &damaged{t, dataDir(t), earlier, other}
			copyStore(t, dir, d.dir)
			c.do(d)
			before := storeFiles(t, d.dir)
			for _, args := range [][]string{{"keys", "list"}, {"serve", "--listen", "127.0.0.1:0"}} {
				r := shell(t, append(args, "--data-dir", d.dir)...)
				want := 7
				if c.says == "" && args[0] == "keys" {
					want = 1 // to who only reads there is no store; who would make one is told what was here
				}
				if r.code != want || r.stdout != "" || !strings.Contains(r.stderr, c.says) || !strings.Contains(r.stderr, "hint: ") {
					t.Errorf("exante %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), r.code, want, c.says, r.stdout, r.stderr)
				}
				after := storeFiles(t, d.dir)
				for _, name := range slices.Sorted(maps.Keys(before)) {
					if after[name] != before[name] {
						t.Errorf("exante %s: %s was %s, is %s", strings.Join(args, " "), name, before[name], after[name])
					}
				}
				if len(after) != len(before) {
					t.Errorf("exante %s: there are %d files, and were %d", strings.Join(args, " "), len(after), len(before))
				}
			}
		})
	}
}

// What nobody reads can't be told from what it was, and loses nothing: the random
// bytes of a KEYREGISTRY that encrypts nothing, and a value log without values.
func TestDamageThatNobodyReadsLosesNothing(t *testing.T) {
	dir, earlier, other := toDamage(t)
	for _, c := range []struct {
		name string
		do   func(d *damaged)
	}{
		{"nothing", func(*damaged) {}},
		{"the random bytes of KEYREGISTRY", func(d *damaged) { d.flip("KEYREGISTRY", 1, 4) }},
		{"value log removed", func(d *damaged) { d.remove("*.vlog") }},
		{"DISCARD removed", func(d *damaged) { d.remove("DISCARD") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &damaged{t, dataDir(t), earlier, other}
			copyStore(t, dir, d.dir)
			c.do(d)
			if out := mustShell(t, "keys", "list", "--data-dir", d.dir); strings.Count(out, "\n") != 5 || !strings.Contains(out, "revoked") {
				t.Errorf("keys list says\n%s", out)
			}
			mustShell(t, "verify", "--data-dir", d.dir)
			mustShell(t, "audit", "verify", "--data-dir", d.dir)
		})
	}
}

// The way out for an operator who knows that the disk was rolled back.
func TestRolledBackStoreCanBeAccepted(t *testing.T) {
	dir, earlier, other := toDamage(t)
	d := &damaged{t, dir, earlier, other}
	d.rollBack("exante.anchor")
	if r := shell(t, "verify", "--accept", "--data-dir", dir); r.code != 2 || !strings.Contains(r.stderr, "hint: add --yes") {
		t.Errorf("verify --accept without a terminal: exit %d\n%s", r.code, r.stderr)
	}
	if r := shell(t, "keys", "list", "--data-dir", dir); r.code != 7 {
		t.Errorf("keys list before it is accepted: exit %d\n%s", r.code, r.stderr)
	}
	mustShell(t, "verify", "--accept", "--yes", "--data-dir", dir)
	if out := mustShell(t, "audit", "list", "--json", "--limit", "1", "--data-dir", dir); !strings.Contains(out, `"action":"store.accept"`) || !strings.Contains(out, `"superseded_seq":"8"`) {
		t.Errorf("the audit log ends with %s", out)
	}
	s := serve(t, dir)
	if r := shell(t, "verify", "--accept", "--yes", "--data-dir", dir); r.code != 5 {
		t.Errorf("verify --accept while a server runs: exit %d\n%s", r.code, r.stderr)
	}
	if r := shell(t, "audit", "verify", "--data-dir", dir); r.code != 0 || !strings.Contains(r.stderr, "3 of them superseded") {
		t.Errorf("audit verify: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	s.stop()
}
