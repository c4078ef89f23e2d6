package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A demonstration in the directory of a real installation touches nothing of it: it
// takes no backups, which would drive out real ones, and writes to no audit copy.
func TestADemonstrationKeepsToItself(t *testing.T) {
	tmp, real := filepath.Dir(dataDir(t)), t.TempDir()
	cmd := exec.Command(binary(t), "serve", "--demo", "--listen", "127.0.0.1:0")
	cmd.Env = append(cleanEnv(), "TMPDIR="+tmp, "EXANTE_BACKUP_DIR="+real, "EXANTE_BACKUP_EVERY=1s",
		"EXANTE_AUDIT_COPY="+filepath.Join(real, "audit"), "EXANTE_STORAGE_MIN_FREE=16MiB")
	s := start(t, cmd)
	store, err := filepath.Glob(filepath.Join(tmp, "exante-demo-*", "data"))
	if err != nil || len(store) != 1 {
		t.Fatalf("there is %v, %v", store, err)
	}
	if text := mustShell(t, "status", "--data-dir", store[0]); !strings.Contains(text, "none is scheduled") {
		t.Errorf("status = %s", text)
	}
	if files := ls(t, store[0]); strings.Contains(files, "exante.ballast") {
		t.Errorf("there is %s", files)
	}
	s.stop()
	for _, dir := range []string{tmp, real} {
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("it left %v, %v", left, err)
		}
	}
}
