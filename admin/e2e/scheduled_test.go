package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
)

// backupsIn are the files in a directory that end like that.
func backupsIn(t *testing.T, dir, end string) (paths []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "exante-*"+end))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestTheServerMakesAndProvesBackups(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(identity, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	macKey := filepath.Join(t.TempDir(), "mac")
	if err := os.WriteFile(macKey, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		end                   string
		serve, after, environ []string
	}{
		"plain":     {".backup", nil, nil, nil},
		"encrypted": {".backup.age", []string{"--backup-age-recipients", id.Recipient().String(), "--backup-mac-key-file", macKey}, []string{"--age-identity", identity}, []string{"EXANTE_BACKUP_MAC_KEY_FILE=" + macKey}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, to := dataDir(t), t.TempDir()
			key := shellKey(t, dir, "--name", "erp")
			s := serve(t, dir, append([]string{"--backup-dir", to, "--backup-every", "1s", "--backup-keep", "2"}, c.serve...)...)
			s.waitFor("three proofs", func() bool { return strings.Count(s.output.String(), "made and proved a backup") >= 3 })
			s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
			s.stop()
			found := backupsIn(t, to, c.end)
			if len(found) != 2 {
				t.Fatalf("there is %v, want 2 backups", found)
			}
			for _, file := range found {
				fresh := dataDir(t)
				cmd := exec.Command(binary(t), append([]string{"restore", "--input", file, "--data-dir", fresh}, c.after...)...)
				cmd.Env = append(cleanEnv(), c.environ...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", file, err, out)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "exante-dry-run-*")); len(left) > 0 {
				t.Errorf("proofs left %v", left)
			}
		})
	}
}

// A backup that fails is told and tried again, and requests go on.
func TestAFailingBackupDoesNotHurtTheService(t *testing.T) {
	dir, to := dataDir(t), filepath.Join(t.TempDir(), "not-mounted")
	key := shellKey(t, dir, "--name", "erp")
	s := serve(t, dir, "--backup-dir", to, "--backup-every", "1s", "--metrics-listen", "127.0.0.1:0")
	s.waitFor("two failures", func() bool { return strings.Count(s.output.String(), "no backup was made") >= 2 })
	s.call("GET", "/api/invoices", key.Key, "").want(t, 200)
	if text := mustShell(t, "status", "--data-dir", dir); !strings.HasPrefix(text, "attention:\n  the last try to make a backup failed: open "+to) || !strings.Contains(text, "last      none yet") {
		t.Errorf("status = %s", text)
	}
	if text := s.scrape(); !failures.MatchString(text) || !strings.Contains(text, "\nexante_backup_last_success_timestamp_seconds 0\n") {
		t.Errorf("metrics are %s", text)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	s.waitFor("a proof", func() bool { return strings.Contains(s.output.String(), "made and proved a backup") })
	text := mustShell(t, "status", "--data-dir", dir)
	if !strings.HasPrefix(text, "all is well") || !strings.Contains(text, "proven\n") {
		t.Errorf("status = %s", text)
	}
	if text := s.scrape(); strings.Contains(text, "\nexante_backup_last_success_timestamp_seconds 0\n") || strings.Contains(text, "\nexante_backup_last_size_bytes 0\n") {
		t.Errorf("metrics are %s", text)
	}
	s.stop()
}

// A demonstration beside the configuration of a real installation: what it has made
// up must not be among the backups, nor push one of them out.
func TestADemonstrationLeavesTheBackupsAlone(t *testing.T) {
	to := t.TempDir()
	kept := filepath.Join(to, "exante-20200101T000000Z-7.backup")
	if err := os.WriteFile(kept, []byte("the only one"), 0o600); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	demo := exec.Command(binary(t), "serve", "--demo", "--listen", "127.0.0.1:0", "--log-level", "debug",
		"--backup-dir", to, "--backup-every", "1s", "--backup-keep", "1")
	demo.Env = append(cleanEnv(), "TMPDIR="+tmp)
	s := start(t, demo)
	// A real server's first backup comes at once: give the demonstration two of those.
	real := serve(t, dataDir(t), "--backup-dir", t.TempDir(), "--backup-every", "1s")
	real.waitFor("two proofs", func() bool { return strings.Count(real.output.String(), "made and proved a backup") >= 2 })
	real.stop()
	s.stop()
	if found := backupsIn(t, to, ""); len(found) != 1 || found[0] != kept {
		t.Errorf("there is %v, want %s alone", found, kept)
	}
}

// An upgrade replaces the file of the program under the running server. A backup is
// proved by the program that made it, with settings that this one knows.
func TestProofsOutliveAnUpgradeOfTheProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "exante")
	text, err := os.ReadFile(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir(t), "--backup-dir", t.TempDir(), "--backup-every", "1s"))
	proofs := func() int { return strings.Count(s.output.String(), "made and proved a backup") }
	s.waitFor("a proof", func() bool { return proofs() >= 1 })
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho this is another version >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := proofs()
	s.waitFor("two more tries", func() bool {
		return proofs() >= before+2 || strings.Contains(s.output.String(), "no backup was made")
	})
	if strings.Contains(s.output.String(), "no backup was made") {
		t.Errorf("after the upgrade:\n%s", s.output)
	}
	s.stop()
}

var failures = regexp.MustCompile(`(?m)^exante_backup_failures_total [2-9]`)

// scrape is what the server shows to Prometheus.
func (s *server) scrape() string {
	s.t.Helper()
	at := metricsAt.FindStringSubmatch(s.output.String())
	if at == nil {
		s.t.Fatalf("no metrics are served: %s", s.output)
	}
	resp, err := client.Get(at[1])
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

var metricsAt = regexp.MustCompile(`metrics on (http://\S+/metrics)`)
