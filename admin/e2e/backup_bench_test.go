package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// BenchmarkBackup takes, restores and verifies backups with the real binary, and says
// how fast that goes and how much memory each process took at most.
func BenchmarkBackup(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("keys=%d,invoices=%[1]d", n), func(b *testing.B) {
			dir := dataDir(b)
			fillStore(b, dir, n)
			for b.Loop() {
				file, fresh := filepath.Join(b.TempDir(), "b"), dataDir(b)
				var taken struct{ Bytes, Entries float64 }
				measure(b, "backup", &taken, nil, "backup", "--output", file, "--data-dir", dir)
				rate := func(name string, took time.Duration) {
					b.ReportMetric(taken.Entries/took.Seconds(), name+"-records/s")
					b.ReportMetric(taken.Bytes/1e6/took.Seconds(), name+"-MB/s")
				}
				b.ReportMetric(taken.Entries, "records")
				measure(b, "backup", nil, rate, "backup", "--output", file, "--force", "--data-dir", dir)
				measure(b, "restore", nil, rate, "restore", "--input", file, "--data-dir", fresh)
				measure(b, "verify", nil, rate, "verify", "--data-dir", fresh)
				s := serve(b, dir)
				measure(b, "live-backup", nil, rate, "backup", "--output", file, "--force", "--data-dir", dir)
				s.stop()
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// measure runs one command and reports its rate and its peak of memory.
func measure(b *testing.B, name string, out any, rate func(string, time.Duration), args ...string) {
	b.Helper()
	cmd := exec.Command(binary(b), append(args, "--json")...)
	var text bytes.Buffer
	cmd.Env, cmd.Stdout = cleanEnv(), &text
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	peak := watchMemory(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%v: %v", args, err)
	}
	if rate != nil {
		rate(name, time.Since(began))
	}
	b.ReportMetric(float64(<-peak), name+"-MiB")
	if out == nil {
		return
	}
	if err := json.Unmarshal(text.Bytes(), out); err != nil {
		b.Fatal(err)
	}
}

// watchMemory follows a process to its end and then sends the most memory it had, in
// MiB. What the kernel says of a child at its end includes its parent's.
func watchMemory(pid int) <-chan int {
	peak := make(chan int, 1)
	go func() {
		most := 0
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, rest, found := strings.Cut(string(status), "VmHWM:")
			if err != nil || !found {
				peak <- most >> 10
				return
			}
			kib := 0
			fmt.Sscan(rest, &kib)
			most = max(most, kib)
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return peak
}

// fillStore makes a store of n keys and n sent invoices.
func fillStore(b *testing.B, dir string, n int) {
	b.Helper()
	o := storage.Options{Dir: dir, Create: true, Hasher: storagetest.Hasher(b), Environment: auth.Live}
	s, err := storage.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	_, by := storagetest.Org(b, s, "Acme")
	var making sync.WaitGroup
	for w := range 64 {
		making.Go(func() {
			for i := w; i < n; i += 64 {
				if _, _, err := s.CreateKey(b.Context(), by, storage.KeyDraft{Name: fmt.Sprint("key ", i), Scopes: auth.FullAccess}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	making.Wait()
	party, err := s.CreateParty(b.Context(), by, billing.PartyPatch{Name: new("Globex")})
	if err != nil {
		b.Fatal(err)
	}
	m, err := s.BeginImport(b.Context(), by, storage.ImportOptions{ID: [32]byte{1}})
	if err != nil {
		b.Fatal(err)
	}
	for done := 0; done < n; {
		var lines []storage.ImportLine
		for i := done; i < min(n, done+400); i++ {
			lines = append(lines, storage.ImportLine{
				Patch: billing.InvoicePatch{PartyID: &party.ID, Number: new(fmt.Sprintf("N-%08d", i)), Status: new(billing.Sent), Lines: &[]billing.LinePatch{
					{Type: new(billing.Product), SKU: new("consulting"), UnitPrice: new(billing.Cents(12000))},
				}},
				End: storage.ImportMark{Lines: uint64(i + 1), Bytes: uint64(i+1) * 300},
			})
		}
		refused, err := m.Put(b.Context(), lines)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range refused {
			if err != nil {
				b.Fatal(err)
			}
		}
		done += len(refused)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
