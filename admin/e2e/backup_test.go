package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A machine is lost; the backup that was taken beside requests makes another one of
// it: the same keys, counted and limited as before.
func TestTheCompanySurvivesItsMachine(t *testing.T) {
	dir, file := dataDir(t), filepath.Join(t.TempDir(), "b")
	s := serve(t, dir)
	key := shellKey(t, dir, "--name", "erp")
	few := shellKey(t, dir, "--name", "few", "--rate-limit", "5/24h")
	gone := shellKey(t, dir, "--name", "gone")
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", key.Key, `{"name":"Blue Harbor Ltd"}`).want(t, 201))
	for range 20 {
		s.call("GET", "/api/parties/"+party.UID, key.Key, "").want(t, 200)
	}
	for range 5 {
		s.call("GET", "/api/invoices", few.Key, "").want(t, 200)
	}
	mustShell(t, "keys", "revoke", gone.UID, "--yes", "--data-dir", dir)
	mustShell(t, "backup", "--output", file, "--data-dir", dir) // at once: no flush came between
	mustShell(t, "restore", "--input", file, "--dry-run", "--data-dir", dir)
	s.call("GET", "/api/parties/"+party.UID, key.Key, "").want(t, 200)
	s.kill()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}

	again := dataDir(t)
	mustShell(t, "restore", "--input", file, "--data-dir", again)
	s = serve(t, again)
	activity := s.call("GET", "/api/api-keys/"+key.UID+"/activity", key.Key, "").want(t, 200)
	counted := 0
	for _, hour := range data[struct{ Buckets []struct{ Requests int } }](t, activity).Buckets {
		counted += hour.Requests
	}
	if counted < 21 {
		t.Errorf("the backup has %d of 21 requests: %s", counted, activity.body)
	}
	s.call("GET", "/api/parties/"+party.UID, key.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", few.Key, "").wantError(t, 429, "rate_limited")
	s.call("GET", "/api/invoices", gone.Key, "").want(t, 401)
	mustShell(t, "verify", "--data-dir", again)
	s.stop()
}

// pipeline runs shell text with the binary as $EXANTE.
func pipeline(t *testing.T, text string) (string, error) {
	t.Helper()
	cmd := exec.Command("bash", "-o", "pipefail", "-c", text)
	cmd.Env = append(cleanEnv(), "EXANTE="+binary(t))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func TestBackupFromPipeToPipe(t *testing.T) {
	for _, running := range []bool{false, true} {
		dir, fresh := dataDir(t), dataDir(t)
		key := shellKey(t, dir, "--name", "erp")
		if running {
			defer serve(t, dir).stop()
		}
		out, err := pipeline(t, fmt.Sprintf("$EXANTE backup --output - --data-dir %s | $EXANTE restore --input - --data-dir %s", dir, fresh))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var keys []apiKey
		if err := json.Unmarshal([]byte(mustShell(t, "keys", "list", "--json", "--data-dir", fresh)), &keys); err != nil || len(keys) != 1 || keys[0].UID != key.UID {
			t.Errorf("restored keys: %+v, %v", keys, err)
		}
		cut := dataDir(t)
		out, err = pipeline(t, fmt.Sprintf("$EXANTE backup --output - --data-dir %s | head -c 500 | $EXANTE restore --input - --data-dir %s", dir, cut))
		if _, absent := os.Stat(cut); err == nil || !os.IsNotExist(absent) || !strings.Contains(out, "backup is damaged: it is cut short") {
			t.Errorf("a cut pipe: %v, %v\n%s", err, absent, out)
		}
	}
}
