package storage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/storagetest"
)

// crashDir makes the test binary the process that gets killed.
const crashDir = "EXANTE_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashUploadDir); dir != "" {
		fmt.Fprintln(os.Stderr, uploadUntilKilled(dir))
		os.Exit(1)
	}
	if file := os.Getenv(crashRestore); file != "" {
		if err := restoreUntilKilled(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled makes, revokes and rotates keys in all ways at once, and
// tells of each change after it was acknowledged: one line, one write.
func writeUntilKilled(dir string) error {
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, MaxWait: time.Minute})
	if err != nil {
		return err
	}
	s, err := storage.Open(storage.Options{Dir: dir, Create: true, Hasher: hasher, Environment: auth.Live})
	if err != nil {
		return err
	}
	org, _, err := s.CreateOrg(context.Background(), storagetest.Shell, storage.OrgDraft{Name: "Acme"})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				if err := writeOnce(s, storagetest.Shell.In(org.ID)); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func writeOnce(s *storage.Store, by auth.Principal) error {
	ctx := context.Background()
	made, token, err := s.CreateKey(ctx, by, full("x"))
	if err != nil {
		return err
	}
	tell("made", made.ID, made.ID, token.Reveal())
	if rand.IntN(2) == 0 {
		next, _, err := s.RotateKey(ctx, by, made.ID, time.Hour, 0)
		if err != nil {
			return err
		}
		tell("rotated", made.ID, next.ID, "-")
		made = next
	}
	if _, err := s.RevokeKey(ctx, by, made.ID, 0); err != nil {
		return err
	}
	tell("revoked", made.ID, made.ID, "-")
	return nil
}

func tell(what string, id, other uid.ID, token string) {
	os.Stdout.WriteString(fmt.Sprintln(what, id, other, token))
}

// acknowledged is what the killed processes told.
type acknowledged struct {
	what      string
	id, other uid.ID
	token     string
}

func TestAcknowledgedChangesSurviveKill(t *testing.T) {
	o := storagetest.Options(t, nil)
	o.Now = nil // the child's clock is the real one
	var told []acknowledged
	for range 5 {
		told = append(told, killWriter(t, o.Dir, 40+rand.IntN(200))...)
		s, err := storage.Open(o)
		if err != nil {
			t.Fatalf("open after kill -9: %v", err)
		}
		for _, a := range told {
			a.check(t, s, o.Hasher)
		}
		storagetest.Close(t, s)
	}
	t.Logf("%d acknowledged changes", len(told))
}

// killWriter lets a writer go on until it has told of so many changes, and
// returns all that it told before it was killed.
func killWriter(t *testing.T, dir string, changes int) (told []acknowledged) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	var stderr strings.Builder
	child.Stderr = &stderr
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	var killed sync.Once
	lines := bufio.NewReader(pipe)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, parseTold(t, line))
		if len(told) >= changes {
			killed.Do(func() { child.Process.Kill() })
		}
	}
	if len(told) < changes {
		t.Fatalf("the writer ended after %d changes: %s", len(told), stderr.String())
	}
	return told
}

func parseTold(t *testing.T, line string) acknowledged {
	t.Helper()
	var a acknowledged
	var id, other string
	_, err := fmt.Sscan(line, &a.what, &id, &other, &a.token)
	if err == nil {
		a.id, err = uid.Parse(id)
	}
	if err == nil {
		a.other, err = uid.Parse(other)
	}
	if err != nil {
		t.Fatalf("the writer told %q: %v", line, err)
	}
	return a
}

func (a acknowledged) check(t *testing.T, s *storage.Store, hasher *auth.Hasher) {
	t.Helper()
	k, err := s.FindKey(a.id)
	if err != nil {
		t.Errorf("%s %s: %v", a.what, a.id, err)
		return
	}
	switch a.what {
	case "made":
		token, err := auth.ParseToken(auth.Live, a.token)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := hasher.Matches(t.Context(), token, k.Hash); !ok || err != nil {
			t.Errorf("key %s does not know its token (%v)", a.id, err)
		}
	case "revoked":
		if k.RevokedAt.IsZero() {
			t.Errorf("key %s is not revoked", a.id)
		}
	case "rotated":
		if k.RotatedTo != a.other || k.RetiresAt.IsZero() {
			t.Errorf("key %s is not rotated to %s", a.id, a.other)
		}
	}
}
