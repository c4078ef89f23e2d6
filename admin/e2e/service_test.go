package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The unit that `service print` writes forbids what the server never does. There is
// no systemd here that could start it, so the server's system calls under load are
// held against the lines of the unit one by one.
func TestServerKeepsWithinTheUnit(t *testing.T) {
	if len(raceFlags) > 0 {
		t.Skip("the race detector makes system calls of its own")
	}
	for _, tool := range []string{"strace", "systemd-analyze"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not here: %v", tool, err)
		}
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if out, err := exec.Command("strace", "-o", trace, "true").CombinedOutput(); err != nil {
		t.Skipf("strace can't trace here: %v: %s", err, out)
	}
	work(t, trace)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	mayCall, seen := permittedCalls(t), map[string]bool{}
	for line := range bytes.Lines(text) {
		m := tracedCall.FindSubmatch(line)
		if m == nil {
			continue
		}
		call := string(m[1])
		if !seen[call] && !mayCall[call] {
			t.Errorf("SystemCallFilter forbids %s", line)
		}
		seen[call] = true
		if limit := brokenLimit(call, string(line)); limit != "" {
			t.Errorf("%s forbids %s", limit, line)
		}
	}
	for _, call := range []string{"fsync", "accept4", "mmap", "futex"} {
		if !seen[call] && !(call == "fsync" && (seen["fdatasync"] || seen["msync"])) {
			t.Errorf("no %s was traced: the trace has not seen the server work", call)
		}
	}
	t.Logf("%d system calls", len(seen))
}

var tracedCall = regexp.MustCompile(`^\d+\s+(?:<\.\.\. )?([a-z0-9_]+)[( ]`)

// brokenLimit is the line of the unit, beside the filter, that forbids a call.
func brokenLimit(call, line string) string {
	family := regexp.MustCompile(`socket\((\w+)`).FindStringSubmatch(line)
	switch {
	case strings.Contains(line, "PROT_EXEC") && (call != "mmap" || strings.Contains(line, "PROT_WRITE")), strings.Contains(line, "SHM_EXEC"):
		return "MemoryDenyWriteExecute" // what can be written can't be executed, then or later
	case family != nil && !slices.Contains([]string{"AF_UNIX", "AF_INET", "AF_INET6"}, family[1]):
		return "RestrictAddressFamilies"
	case strings.Contains(line, "CLONE_NEW"):
		return "RestrictNamespaces"
	case strings.Contains(line, "S_ISUID") || strings.Contains(line, "S_ISGID"):
		return "RestrictSUIDSGID"
	case strings.Contains(line, " execve(") && !strings.Contains(line, `"serve"`) && !strings.Contains(line, ` execve("/proc/self/exe"`):
		return "the unit starts one program, and that to prove its backups, which"
	}
	return ""
}

// work lets a traced server do all that it does, and stops it.
func work(t *testing.T, trace string) {
	t.Helper()
	dir := dataDir(t)
	s := start(t, exec.Command("strace", "-f", "-qq", "-s", "64", "-e", "signal=none", "-o", trace,
		binary(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir,
		"--metrics-listen", "127.0.0.1:0", "--backup-dir", t.TempDir(), "--backup-every", "1s"))
	s.dir = dir
	s.waitFor("a proof", func() bool { return strings.Contains(s.output.String(), "made and proved a backup") })
	key := shellKey(t, dir, "--name", "load").Key
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", key, `{"name":"Blue Harbor"}`).want(t, 201)).UID
	for n := range 100 {
		made := data[struct{ UID string }](t, s.call("POST", "/api/invoices", key, `{"target_party_uid":"`+party+`","currency":"EUR"}`).want(t, 201))
		s.call("GET", "/api/invoices/"+made.UID, key, "").want(t, 200)
		s.call("GET", fmt.Sprintf("/api/invoices?search=blue&page=%d", n+1), key, "")
		s.call("GET", "/api/invoices", "ex_live_"+strings.Repeat("x", 38), "").want(t, 401)
	}
	file := filepath.Join(t.TempDir(), "invoices.ndjson")
	mustShell(t, "invoices", "export", "--output", file, "--data-dir", dir)
	mustShell(t, "invoices", "import", file, "--dry-run", "--data-dir", dir)
	mustShell(t, "keys", "rotate", shellKey(t, dir, "--name", "second").UID, "--grace-days", "1", "--data-dir", dir)
	mustShell(t, "keys", "revoke", shellKey(t, dir, "--name", "third").UID, "--yes", "--data-dir", dir)
	mustShell(t, "verify", "--data-dir", dir)
	first, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(bytes.Fields(first)[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil { // strace itself keeps its signals
		t.Fatal(err)
	}
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		t.Fatalf("serve did not stop:\n%s", s.output)
	}
}

// permittedCalls are the system calls that the unit's filter lets through.
func permittedCalls(t *testing.T) map[string]bool {
	t.Helper()
	out, err := exec.Command("systemd-analyze", "--no-pager", "syscall-filter").Output()
	if err != nil {
		t.Fatal(err)
	}
	sets, set := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		switch name := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "@"):
			set = name
		case name != "" && !strings.HasPrefix(name, "#"):
			sets[set] = append(sets[set], name)
		}
	}
	permitted := map[string]bool{}
	var mark func(name string, allowed bool)
	mark = func(name string, allowed bool) {
		if !strings.HasPrefix(name, "@") {
			permitted[name] = allowed
			return
		}
		if len(sets[name]) == 0 {
			t.Fatalf("systemd knows no set %s", name)
		}
		for _, member := range sets[name] {
			mark(member, allowed)
		}
	}
	mark("@default", true) // which no list of allowed calls is without
	for _, filter := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.+)$`).FindAllStringSubmatch(mustShell(t, "service", "print"), -1) {
		for _, name := range strings.Fields(filter[2]) {
			mark(name, filter[1] == "")
		}
	}
	if len(permitted) < 200 || permitted["reboot"] || !permitted["read"] {
		t.Fatalf("the filter is read wrongly: %d calls", len(permitted))
	}
	return permitted
}
