package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"exante/admin/backups"
	"exante/admin/config"
	"exante/admin/sealed"
	"exante/auth"
	"exante/auth/uid"
)

// Schedule starts the backups that d's configuration asks for; one that asks for none
// gets a schedule that does nothing. Its Close comes before that of the store.
func (d *Desk) Schedule(log *slog.Logger) (*backups.Schedule, error) {
	c := d.config.Backup
	if c.Every == 0 {
		return &backups.Schedule{}, nil
	}
	to, err := sealed.Recipients(c.AgeRecipients)
	if err != nil {
		return nil, err
	}
	return backups.Start(backups.Options{
		Dir: c.Dir, Store: storeTag(d.store.Database()), Every: c.Every, Keep: c.Keep, Encrypted: len(to) > 0, Log: log,
		Source: &scheduled{local: Local{Desk: d, by: auth.System(uid.ID{})}, to: to},
	}), nil
}

// storeTag is the random end of a store's uid, which stores made at one time do not share.
func storeTag(id uid.ID) string {
	text := id.String()
	return text[len(text)-12:]
}

// scheduled takes and proves the backups of a server. An encrypted one is for a key
// pair more, whose private half lives in memory until the proof is done: so what is
// proved is the file as it lies on the disk, though the machine cannot read it later.
type scheduled struct {
	local Local
	to    []sealed.Recipient
	proof string // private half; "": the backup is not encrypted
}

func (s *scheduled) Take(ctx context.Context, w io.Writer) (taken backups.Taken, err error) {
	to := s.to
	s.proof = ""
	if len(to) > 0 {
		identity, recipient, err := sealed.NewIdentity()
		if err != nil {
			return taken, err
		}
		s.proof, to = identity, append(to[:len(to):len(to)], recipient)
	}
	report, err := writeBackup(ctx, s.local, w, to, nil)
	if err != nil {
		return taken, err
	}
	at, err := time.Parse(time.RFC3339, report.TakenAt)
	return backups.Taken{At: at, Sequence: report.Sequence, Size: report.Bytes}, err
}

// thisProgram is the program that runs, even if an upgrade has replaced or removed its
// file: another version may not know all settings of this one (proc_pid_exe(5)).
const thisProgram = "/proc/self/exe"

// Prove runs this program as `restore --dry-run`, in a process of its own with the
// settings of this one, at the lowest priority and on one core.
func (s *scheduled) Prove(ctx context.Context, path string) error {
	args := []string{"restore", "--dry-run", "--json", "--config", os.DevNull, "--input", path, "--data-dir", s.local.config.Storage.Dir}
	var identity *os.File
	if s.proof != "" {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.WriteString(w, s.proof+"\n") // which the pipe has room for
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
		identity, args = r, append(args, "--age-identity", "/dev/fd/3")
		s.proof = ""
	}
	return runProof(ctx, args, environmentOf(&s.local.config), identity)
}

// proofLimit bounds what a proof says.
const proofLimit = 4 << 10

func runProof(ctx context.Context, args, environ []string, identity *os.File) error {
	cmd := exec.CommandContext(ctx, thisProgram, args...)
	var told bytes.Buffer
	cmd.Env, cmd.Stderr = environ, &limited{&told, proofLimit}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // then it cleans up
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if identity != nil {
		cmd.ExtraFiles = []*os.File{identity}
	}
	runtime.LockOSThread() // the kernel takes the death of this thread for that of the parent
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, 19) // it comes later then, that is all
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(told.String()))
	}
	return nil
}

// environmentOf hands every setting on, so that no file is read in two states.
func environmentOf(c *config.Config) []string {
	environ := []string{"GOMAXPROCS=1"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "EXANTE_") && !strings.HasPrefix(v, "GOMAXPROCS=") {
			environ = append(environ, v)
		}
	}
	for _, s := range config.Settings() {
		environ = append(environ, s.Variable()+"="+s.Text(c))
	}
	return environ
}

// limited keeps the first bytes of what is written.
type limited struct {
	to   *bytes.Buffer
	room int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.room)
	l.room -= n
	l.to.Write(p[:n])
	return len(p), nil
}
