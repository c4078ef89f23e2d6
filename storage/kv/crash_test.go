package kv_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"exante/storage/kv"
)

// crashDir, in the environment, makes the test binary a writer on that store.
const crashDir = "EXANTE_KV_CRASH_DIR"

// writeUntilKilled prints the key of each transaction once it is acknowledged.
// A transaction writes two keys.
func writeUntilKilled(dir string) {
	db, err := kv.Open(kv.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for client := range 32 {
		go func() {
			for i := db.Seq(); ; i++ {
				key := fmt.Sprintf("%02d/%d", client, i)
				err := db.Update(context.Background(), func(tx kv.Txn) error {
					return errors.Join(tx.Put([]byte("l/"+key), []byte(key)), tx.Put([]byte("r/"+key), []byte(key)))
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(key)
			}
		}()
	}
	select {}
}

func TestKilledWriterLosesNothingAcknowledged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	acknowledged := map[string]bool{}
	for round := range 3 {
		killWriter(t, dir, 400*(round+1), acknowledged)
		db := mustOpen(t, dir)
		checkAfterCrash(t, db, acknowledged)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d transactions acknowledged", len(acknowledged))
}

// killWriter runs a writer in a process of its own and kills it after so many
// acknowledgements.
func killWriter(t *testing.T, dir string, after int, acknowledged map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a line cut short was not an acknowledgement
		}
		if err != nil {
			t.Fatal(err)
		}
		acknowledged[strings.TrimSpace(line)] = true
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the writer was not killed: %v", err)
	}
}

func checkAfterCrash(t *testing.T, db kv.DB, acknowledged map[string]bool) {
	t.Helper()
	err := db.View(t.Context(), func(r kv.Reader) error {
		for key := range acknowledged {
			if _, err := r.Get([]byte("l/" + key)); err != nil {
				t.Errorf("acknowledged %s: %v", key, err)
			}
		}
		left, err := r.Count(kv.Prefix([]byte("l/")))
		right, err2 := r.Count(kv.Prefix([]byte("r/")))
		if left != right {
			t.Errorf("torn transactions: %d left halves, %d right", left, right)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}
