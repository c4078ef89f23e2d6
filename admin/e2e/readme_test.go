package e2e

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Every command of the README is run here, as it stands there.

// The shell blocks by what they are for, in the order of the README. A new one needs
// a place here, and so a test.
const (
	blockDemo = iota
	blockTests
	blockKey
	blockAPI
	blockSetUp
	blockServe
	blockMint
	blockUnit
	blockPeople
	blockInvoices
	blockLeak
	blockWatch
	blockMetrics
	blockBackup
	blockSealed
	blockRestore
	blockAudit
	blockCompact
	blockUpgrade
	blockMove
	blockCount
)

func TestReadmeHasNoUntestedBlock(t *testing.T) {
	b := fenced(t, "sh")
	if len(b) != blockCount {
		t.Fatalf("%d shell blocks, want %d", len(b), blockCount)
	}
	if b[blockTests] != "go test -timeout 20m ./...\n" {
		t.Errorf("test command = %q: the test that would run it is this one", b[blockTests])
	}
}

// freshClone copies what git would clone, without history.
func freshClone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(dataDir(t))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	sh(t, root, nil, "git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t '"+dir+"'")
	return dir
}

// sh runs a script with every failure fatal, and returns its standard output.
func sh(t *testing.T, dir string, env []string, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, append(cleanEnv(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n--- stdout\n%s\n--- stderr\n%s", err, script, out, stderr.String())
	}
	return string(out)
}

var (
	printedKey  = regexp.MustCompile(`ex_live_[0-9A-Za-z]{38}`)
	printedCurl = regexp.MustCompile(`(?m)^\s*(curl .*)$`)
)

// The first command serves invoices to the curl line that it prints; the ten
// lines work against it one after the other.
func TestReadmeQuickStart(t *testing.T) {
	b := fenced(t, "sh")
	clone := freshClone(t)
	command := strings.TrimSpace(b[blockDemo])
	args := strings.Fields(command)
	if free := portIsFree("127.0.0.1:8080"); !free {
		t.Log("port 8080 is taken on this machine: the demo listens elsewhere")
		args = append(args, "--listen", "127.0.0.1:0")
	}
	// go run does not pass signals on: build what it would run, then run that.
	sh(t, clone, nil, "go build -o demo-binary "+args[2])
	cmd := exec.Command(filepath.Join(clone, "demo-binary"), args[3:]...)
	cmd.Dir = clone
	s := start(t, cmd)
	var curl string
	s.waitFor("a curl line", func() bool {
		if m := printedCurl.FindStringSubmatch(s.output.String()); m != nil {
			curl = m[1]
		}
		return curl != ""
	})
	key := printedKey.FindString(s.output.String())
	if key == "" {
		t.Fatalf("no key printed:\n%s", s.output)
	}
	out := sh(t, clone, nil, strings.Replace(curl, "curl ", "curl -fsS ", 1))
	if !strings.Contains(out, `"total_items":500`) || !strings.Contains(out, `"invoice_number":"INV-`) {
		t.Errorf("the printed curl line answered %.300s", out)
	}
	for _, status := range strings.Fields("DRAFT APPROVED SCHEDULED SENT OVERDUE PARTIALLY_PAID PAID DISPUTED VOID CANCELLED") {
		page := s.call("GET", "/api/invoices?status="+status, key, "").want(t, 200)
		if strings.Contains(string(page.body), `"total_items":0`) {
			t.Errorf("the demo has no %s invoice", status)
		}
	}

	script := strings.Replace(b[blockKey], "ex_live_...", key, 1) + b[blockAPI]
	script = strings.ReplaceAll(script, "http://127.0.0.1:8080", s.url)
	if n := strings.Count(strings.TrimSpace(b[blockAPI]), "\n") + 1; n != 10 {
		t.Errorf("%d lines, want ten", n)
	}
	out = sh(t, clone, nil, script)
	for _, want := range []string{`"total_cents":90000`, `"status":"SENT"`, `"revoked_at":"20`, `"name":"Blue Harbor Ltd"`} {
		if !strings.Contains(out, want) {
			t.Errorf("the ten lines did not answer %s:\n%s", want, out)
		}
	}
	s.stop()
}

func portIsFree(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	l.Close()
	return true
}
