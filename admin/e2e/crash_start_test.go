package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKillAtAnyInstantOfAStart kills the server while it starts, dozens of times, and
// now and then under load. A kill is never a reason to refuse the next start, and
// nothing that was acknowledged before is lost.
func TestKillAtAnyInstantOfAStart(t *testing.T) {
	const rounds, startsEach = 6, 8
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin", "--rate-limit", "1000000000/1s")
	told := &ledger{invoices: map[string]string{}, revoked: map[string]string{}}
	killed := 0
	for round := range rounds {
		begun := time.Now()
		s := serve(t, dir)
		took := time.Since(begun)
		told.check(t, s, admin.Key, 100)
		party := data[struct{ UID string }](t, s.call("POST", "/api/parties", admin.Key, `{"name":"Round"}`).want(t, 201)).UID
		var load sync.WaitGroup
		done := make(chan struct{})
		for w := range 4 {
			load.Go(func() { told.write(s, admin.Key, party, fmt.Sprintf("S%d-%d", round, w), done) })
		}
		load.Go(func() { told.revoke(s, admin.Key, done) })
		time.Sleep(time.Duration(50+rand.IntN(150)) * time.Millisecond) // no condition: the kill is to come at any moment
		s.kill()
		close(done)
		load.Wait()
		for range startsEach {
			killed += killStart(t, time.Duration(rand.Int64N(int64(took))), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir)
		}
	}
	mustShell(t, "verify", "--data-dir", dir)
	s := serve(t, dir)
	told.check(t, s, admin.Key, len(told.invoices)+len(told.revoked))
	t.Logf("%d starts killed, %d invoices and %d revocations acknowledged, 0 lost", killed, len(told.invoices), len(told.revoked))
	if killed < rounds*startsEach/2 || len(told.invoices) < rounds || len(told.revoked) == 0 {
		t.Errorf("%d starts were killed, %d invoices and %d revocations acknowledged: too little to prove anything", killed, len(told.invoices), len(told.revoked))
	}
}

// The same for a store in the making, which is made in the end.
func TestKillAtAnyInstantOfTheFirstStart(t *testing.T) {
	begun := time.Now()
	mustShell(t, "init", "--data-dir", dataDir(t))
	took := time.Since(begun)
	killed := 0
	for range 6 {
		dir := dataDir(t)
		for range 4 {
			killed += killStart(t, time.Duration(rand.Int64N(int64(took))), "init", "--data-dir", dir)
		}
		shellKey(t, dir, "--name", "admin")
		mustShell(t, "verify", "--data-dir", dir)
		if names, _ := filepath.Glob(filepath.Join(dir, "set-aside*")); len(names) > 0 {
			t.Errorf("left behind: %q", names)
		}
	}
	if killed < 6 {
		t.Errorf("only %d were killed", killed)
	}
}

// killStart runs the binary and kills it after so long, unless it has ended well
// before, and counts the kill.
func killStart(t *testing.T, after time.Duration, args ...string) int {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Env = cleanEnv()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	switch {
	case err == nil:
		return 0
	case cmd.ProcessState.ExitCode() == -1:
		return 1
	case strings.Contains(output.String(), "a store exists already"): // the one before was killed with all done
		return 0
	}
	t.Fatalf("exante %s: %v\n%s", strings.Join(args, " "), err, &output)
	return 0
}
