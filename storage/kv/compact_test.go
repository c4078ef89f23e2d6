package kv_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"exante/storage/kv"
	"exante/storage/kv/disk"
	"exante/storage/kv/disk/disktest"
)

// compactDir, in the environment, makes the test binary compact that store.
const compactDir = "EXANTE_KV_COMPACT_DIR"

func compactUntilKilled(dir string) {
	err := kv.Compact(kv.Options{Dir: dir}, func(done, total int64) { fmt.Println(done, total) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// worn fills a store, in an order that leaves tables everywhere, and deletes or
// replaces most of it. It returns what is left.
func worn(t *testing.T, dir string, records int) map[uint64][]byte {
	t.Helper()
	db := mustOpen(t, dir)
	left := map[uint64][]byte{}
	order := rand.Perm(2 * records)
	for len(order) > 0 {
		some := order[:min(400, len(order))]
		order = order[len(some):]
		err := db.Update(t.Context(), func(tx kv.Txn) error {
			for _, n := range some {
				id := uint64(n % records)
				key := binary.BigEndian.AppendUint64(nil, id)
				if _, there := left[id]; there && id%4 != 0 {
					delete(left, id)
					if err := tx.Delete(key); err != nil {
						return err
					}
					continue
				}
				value := bytes.Repeat([]byte{byte(rand.Uint32())}, 1024)
				left[id] = value
				if err := tx.Put(key, value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return left
}

func wantExactly(t *testing.T, dir string, want map[uint64][]byte) {
	t.Helper()
	db := mustOpen(t, dir)
	defer db.Close()
	n := 0
	err := db.View(t.Context(), func(r kv.Reader) error {
		return r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			n++
			if id := binary.BigEndian.Uint64(key); !bytes.Equal(want[id], value) {
				t.Errorf("record %d is not what was written last", id)
			}
			return !t.Failed(), nil
		})
	})
	if err != nil || n != len(want) {
		t.Errorf("%d records, want %d, %v", n, len(want), err)
	}
}

func occupied(t *testing.T, dir string) (sum int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return sum
}

func TestCompactGivesBackWhatWasDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	left := worn(t, dir, 60_000)
	seq := seqOf(t, dir)
	before := occupied(t, dir)
	var last, all int64
	if err := kv.Compact(kv.Options{Dir: dir}, func(done, total int64) { last, all = done, total }); err != nil {
		t.Fatal(err)
	}
	after := occupied(t, dir)
	t.Logf("%d MiB before, %d MiB after, %d MiB of live values", before>>20, after>>20, len(left)>>10)
	if after > int64(len(left))*1024*3/2 || after >= before {
		t.Errorf("%d bytes are left for %d live ones; there were %d", after, len(left)*1024, before)
	}
	if all == 0 || last != all {
		t.Errorf("the progress ends at %d of %d", last, all)
	}
	wantExactly(t, dir, left)
	if now := seqOf(t, dir); now < seq {
		t.Errorf("Seq fell from %d to %d", seq, now)
	}
	if err := kv.Compact(kv.Options{Dir: dir}, nil); err != nil {
		t.Errorf("again: %v", err)
	}
	wantExactly(t, dir, left)
}

func seqOf(t *testing.T, dir string) uint64 {
	t.Helper()
	db := mustOpen(t, dir)
	defer db.Close()
	return db.Seq()
}

func TestKilledCompactLeavesAWholeStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	left := worn(t, dir, 60_000)
	killed := 0
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), compactDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it has begun
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(round*round)*20*time.Millisecond, func() { _ = cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil && !cmd.ProcessState.Exited() {
			killed++
		} else if err != nil {
			t.Fatal(err)
		}
		wantExactly(t, dir, left)
	}
	t.Logf("%d of 6 were killed in the middle", killed)
	if killed == 0 {
		t.Error("none was killed: this proves nothing")
	}
	if err := kv.Compact(kv.Options{Dir: dir}, nil); err != nil {
		t.Error(err)
	}
	wantExactly(t, dir, left)
}

func TestCompactIsRefusedWhereItCouldFillTheDisk(t *testing.T) {
	dir := disktest.Mount(t, 256<<20)
	left := worn(t, dir, 40_000)
	empty := disktest.Fill(t, dir, 12<<20)
	before := listing(t, dir)
	o := kv.Options{Dir: dir, MinFree: disk.LeastMinFree}
	err := kv.Compact(o, nil)
	// Which of the two it is depends on how far the store had been merged when it was closed.
	var low *disk.LowError
	var full *disk.FullError
	if !(errors.As(err, &low) && low.Missing >= 1<<20) && !(errors.As(err, &full) && full.Missing >= 1<<20) {
		t.Errorf("Compact = %v", err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("refused, yet the tables changed from %s to %s", before, after)
	}
	wantExactly(t, dir, left)
	empty()
	if err := kv.Compact(o, nil); err != nil {
		t.Error(err)
	}
	wantExactly(t, dir, left)
}
