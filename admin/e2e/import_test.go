package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// importFile writes n lines for an import; line says what the i-th is.
func importFile(t testing.TB, n int, line func(i int) string) string {
	t.Helper()
	return fileOf(t, "in.ndjson", n, line)
}

func fileOf(t testing.TB, name string, n int, line func(i int) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range n {
		fmt.Fprintln(w, line(i))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func simpleLine(i int) string {
	return fmt.Sprintf(`{"party":{"name":"Client %d"},"invoice_number":"N-%07d","status":"SENT","issue_date":"2026-01-01",`+
		`"line_items":[{"context_type":"PRODUCT","sku":"work","unit_price":1000}]}`, i%50, i)
}

// simpleRow is simpleLine in CSV; the first is the header line.
func simpleRow(i int) string {
	if i == 0 {
		return "client_name,invoice_number,status,issue_date,sku,unit_price"
	}
	return fmt.Sprintf("\"Client %d, Ltd\",N-%07d,SENT,2026-01-01,work,1000", i%50, i)
}

type importReport struct {
	Read, Imported, Refused, Skipped int
	DoneBefore                       *string `json:"done_before"`
}

// imported runs an import to its end.
func imported(t testing.TB, code int, args ...string) importReport {
	t.Helper()
	r := shell(t, append([]string{"invoices", "import", "--json"}, args...)...)
	var report importReport
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || r.code != code {
		t.Fatalf("import = %d, want %d: %v\n%s%s", r.code, code, err, r.stdout, r.stderr)
	}
	return report
}

// numbers are the invoice numbers of an export, which must be n different ones.
func numbers(t testing.TB, dir string, n int) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(mustShell(t, "invoices", "export", "--data-dir", dir)) {
		var inv struct {
			Number string `json:"invoice_number"`
		}
		if err := json.Unmarshal([]byte(line), &inv); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if seen[inv.Number] {
			t.Fatalf("%s is there twice", inv.Number)
		}
		seen[inv.Number] = true
	}
	if len(seen) != n {
		t.Fatalf("%d invoices, want %d", len(seen), n)
	}
}

// An import that is killed, however often, has in the end taken every line once.
// Whom the kill meets, the command that has the store open or the server behind
// it, makes no difference.
func TestKilledImportGoesOnWhereItWas(t *testing.T) {
	const lines = 30_000
	file := importFile(t, lines, func(i int) string {
		if i%1000 == 999 {
			return "refused"
		}
		return simpleLine(i)
	})
	rows := fileOf(t, "in.csv", lines+1, func(i int) string {
		if i%1000 == 999 {
			return "refused"
		}
		return simpleRow(i)
	})
	for _, c := range [][2]string{{"stopped", file}, {"running", file}, {"stopped", rows}, {"running", rows}} {
		road, file := c[0], c[1]
		t.Run(road+"/"+filepath.Base(file), func(t *testing.T) {
			dir := dataDir(t)
			mustShell(t, "init", "--data-dir", dir)
			kills := 0
			for range 4 {
				var s *server
				if road == "running" {
					s = serve(t, dir)
				}
				cmd := exec.Command(binary(t), "invoices", "import", file, "--data-dir", dir)
				cmd.Env = cleanEnv()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				select {
				case <-time.After(time.Duration(100+rand.IntN(400)) * time.Millisecond):
					kills++
				case <-done:
					done <- nil
				}
				if s != nil {
					s.kill()
				} else {
					cmd.Process.Kill()
				}
				<-done
			}
			last := imported(t, 4, file, "--data-dir", dir)
			again := imported(t, 4, file, "--data-dir", dir)
			t.Logf("%d kills; the last run found %d of %d lines done", kills, last.Skipped, lines)
			if last.Read != lines || last.Imported+last.Refused+last.Skipped != lines || again.Skipped != lines || again.Imported != 0 || again.DoneBefore == nil {
				t.Errorf("the last run %+v, once more %+v", last, again)
			}
			if kills == 0 {
				t.Error("no run was killed: too little load to prove anything")
			}
			numbers(t, dir, lines-lines/1000)
			mustShell(t, "verify", "--data-dir", dir)
		})
	}
}

// peak is the most memory that a run of the binary held, in MiB, as the kernel tells
// until it ends. (What it tells afterwards is no less than what the parent held.)
func peak(t testing.TB, args ...string) (mib int) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Env = cleanEnv()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if code := cmd.ProcessState.ExitCode(); code != 0 && code != 4 || mib == 0 {
				t.Fatalf("exante %s: %v, %d MiB", strings.Join(args, " "), err, mib)
			}
			return mib
		case <-time.After(2 * time.Millisecond):
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if _, rest, found := strings.Cut(string(status), "VmHWM:"); found {
			kib := 0
			fmt.Sscan(rest, &kib)
			mib = max(mib, kib>>10)
		}
	}
}

// What a file's lines leave in the books takes memory, for the lists; the file
// takes none. So the lines here are refused, by the last of all checks.
func TestImportTakesTheSameMemoryForAnyFile(t *testing.T) {
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	line := func(int) string {
		return `{"party":{"name":"A"},"status":"PARTIALLY_PAID","invoice_fields":{"note":"` + strings.Repeat("x", 300) + `"}}`
	}
	var took []int
	for _, n := range []int{10_000, 100_000} {
		took = append(took, peak(t, "invoices", "import", importFile(t, n, line), "--data-dir", dir))
	}
	t.Logf("10,000 lines: %d MiB, 100,000 lines: %d MiB", took[0], took[1])
	if took[1] > took[0]*3/2 {
		t.Errorf("ten times the lines took %d MiB in place of %d", took[1], took[0])
	}
}
