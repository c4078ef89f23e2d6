package admin_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exante/admin"
)

// ownedBy fails for every file below dir that has another owner.
func ownedBy(t *testing.T, dir string, uid uint32) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) { // a server that runs replaces files
			return nil
		}
		if err != nil {
			return err
		}
		files++
		st := info.Sys().(*syscall.Stat_t)
		if st.Uid != uid || st.Gid != uid {
			t.Errorf("%s belongs to %d:%d, want %d", path, st.Uid, st.Gid, uid)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others can use it", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 3 {
		t.Errorf("%d files in %s, %v", files, dir, err)
	}
}

// Root may operate somebody's store: he becomes its owner first, so that the
// owner's server can open every file afterwards.
func TestRootLeavesNoFilesInSomebodysDirectory(t *testing.T) {
	needRoot(t)
	dir := filepath.Join(openDir(t), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	var secret string
	root := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			line, stdin, _ := strings.Cut(line, " < ")
			args := append(strings.Fields(line), "--data-dir", dir)
			for i, a := range args {
				if name, ok := strings.CutPrefix(a, "@"); ok {
					args[i] = rootsKey(t, dir, name)
				}
			}
			cmd := program(args...)
			if stdin == "" {
				stdin = secret
			}
			cmd.Stdin = strings.NewReader(stdin)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			if strings.HasPrefix(line, "keys create") {
				secret = string(out)
			}
			ownedBy(t, dir, nobody)
		}
	}
	root("keys create --name first")
	root(everyCommand...)
	root("orgs create --name Second", "keys list", "verify")
	server := start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
	ownedBy(t, dir, nobody)
	root("keys list", "keys create --name second --org "+rootsOrg(t, dir), "keys set @second --name third", "users disable ada@b.example",
		"users enable ada@b.example", "sessions list", "keys identify --revoke", "invoices show B-1 --org "+rootsOrg(t, dir))
	if code := server.signal(t, syscall.SIGTERM); code != 0 {
		t.Errorf("serve ended with %d:\n%s", code, server.output.String())
	}
	ownedBy(t, dir, nobody)
	info, err := os.Stat(dir + ".audit") // beside the directory, where nobody may not make files
	if err != nil || info.Size() == 0 || info.Sys().(*syscall.Stat_t).Uid != nobody || info.Mode().Perm() != 0o600 {
		t.Errorf("the audit copy is %+v, %v", info, err)
	}
}

// A store that root makes where another user's directories are is that user's.
func TestRootMakesAStoreForTheOwnerOfThePlace(t *testing.T) {
	needRoot(t)
	home := filepath.Join(openDir(t), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "b") // which nobody can't read
	for _, line := range []string{
		"init --data-dir " + home + "/a/data", "keys create --name x --data-dir " + home + "/b", "backup --output - --data-dir " + home + "/b",
		"restore --input " + backup + " --data-dir " + home + "/c",
	} {
		out, err := program(strings.Fields(line)...).Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		if strings.HasPrefix(line, "backup") {
			if err := os.WriteFile(backup, out, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		ownedBy(t, home, nobody)
	}
	if out, err := program("keys", "list", "--data-dir", home+"/none").CombinedOutput(); err == nil {
		t.Errorf("no store was listed: %s", out)
	}
	if _, err := os.Stat(home + "/none.audit"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a look for a store left an audit copy: %v", err)
	}
}

// everyCommand is what an operator does with people, keys and invoices. What is given
// nothing else gets the secret of the last key on standard input.
var everyCommand = []string{
	"users create --email ada@b.example", "users list", "users role ada@b.example admin",
	"users password ada@b.example --stdin < " + password + "\n",
	"users disable ada@b.example", "users enable ada@b.example",
	"sessions list", "sessions end --user ada@b.example --yes",
	"keys set @first --rate-limit 9/1m", "keys show @first", "keys identify", "keys rotate @first --grace-days 1",
	`invoices import - --format ndjson --id 1 < {"party":{"name":"Globex"},"invoice_number":"B-1","line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":100}]}` + "\n",
	"invoices send B-1", "invoices show B-1", "invoices pay B-1 --amount 0.40", "invoices void B-1 --yes",
}

// rootsKey and rootsOrg ask as root, in a process of its own.
func rootsKey(t *testing.T, dir, name string) string {
	t.Helper()
	out, err := program("keys", "list", "--json", "--data-dir", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range decode[[]admin.JudgedKey](t, string(out)) {
		if k.Name == name {
			return k.UID
		}
	}
	t.Fatalf("no key %s", name)
	return ""
}

func rootsOrg(t *testing.T, dir string) string {
	t.Helper()
	out, err := program("orgs", "list", "--json", "--data-dir", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	return decode[[]admin.Organization](t, string(out))[0].UID
}

// The other way round there is nothing to become: it is refused, with advice.
func TestStrangerIsTurnedAway(t *testing.T) {
	needRoot(t)
	dir, open := dataDir(t), openDir(t)
	must(t, "init", "--data-dir", dir)
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := program("keys", "list", "--data-dir", dir)
	cmd.Path, cmd.Dir = copyProgram(t, open), open
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "permission denied") ||
		!strings.Contains(string(out), "hint: run the command as the owner of the data directory") {
		t.Errorf("exit %d, printed %s", cmd.ProcessState.ExitCode(), out)
	}
}

// Neither a core dump nor a debugger of the same user gets at a key.
func TestProcessCannotBeDumped(t *testing.T) {
	dir := dataDir(t)
	server := start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
	limits, err := os.ReadFile("/proc/" + itoa(server.cmd.Process.Pid) + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if strings.HasPrefix(line, "Max core file size") && strings.Join(strings.Fields(line)[4:6], " ") != "0 0" {
			t.Errorf("limits: %s", line)
		}
	}
	status, err := os.ReadFile("/proc/" + itoa(server.cmd.Process.Pid) + "/status")
	if err != nil || !strings.Contains(string(status), "CoreDumping:\t0") {
		t.Errorf("status = %s, %v", status, err)
	}
	// The memory of a process that is not dumpable belongs to root, whoever runs it.
	info, err := os.Stat("/proc/" + itoa(server.cmd.Process.Pid) + "/environ")
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("environ of the process belongs to %+v, %v", info, err)
	}
	if !strings.Contains(string(status), "Umask:\t0077") {
		t.Errorf("status = %s", status)
	}
}

// The owner of a data directory can make root make no file where he may not.
func TestRootFollowsNoLinkToTheAuditCopy(t *testing.T) {
	needRoot(t)
	home, others := openDir(t), openDir(t)
	dir, link := filepath.Join(home, "data"), filepath.Join(home, "audits")
	err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(others, link), os.Chown(home, nobody, nobody), os.Chown(dir, nobody, nobody))
	if err != nil {
		t.Fatal(err)
	}
	cmd := program("keys", "list", "--data-dir", dir)
	cmd.Env = append(cmd.Env, "EXANTE_AUDIT_COPY="+filepath.Join(link, "log"))
	out, _ := cmd.CombinedOutput() // there is no store
	if made := files(t, others); len(made) > 0 {
		t.Errorf("root made %v for another user\n%s", made, out)
	}
}
