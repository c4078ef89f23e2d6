package admin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ownedBy fails for every file below dir that has another owner.
func ownedBy(t *testing.T, dir string, uid uint32) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
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
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir := filepath.Join(openDir(t), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"keys create --name first", "orgs create --name Second", "keys list", "verify",
	} {
		if out, err := program(append(strings.Fields(line), "--data-dir", dir)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		ownedBy(t, dir, nobody)
	}
	server := start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
	ownedBy(t, dir, nobody)
	if out, err := program("keys", "list", "--data-dir", dir).CombinedOutput(); err != nil {
		t.Errorf("root on a server of nobody: %v\n%s", err, out)
	}
	if code := server.signal(t, syscall.SIGTERM); code != 0 {
		t.Errorf("serve ended with %d:\n%s", code, server.output.String())
	}
	ownedBy(t, dir, nobody)
}

// The other way round there is nothing to become: it is refused, with advice.
func TestStrangerIsTurnedAway(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can act as another user")
	}
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
