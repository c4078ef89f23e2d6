package admin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"exante/auth"
)

// errSecretFile is a file that does not hold a secret as it should.
var errSecretFile = errors.New("not a good file for a secret")

// secretFileError says what is wrong with the file, never what is in it.
type secretFileError struct {
	text  string
	cause error // of the system; nil: none
}

func (e *secretFileError) Error() string        { return e.text }
func (e *secretFileError) Is(target error) bool { return target == errSecretFile }
func (e *secretFileError) Unwrap() error        { return e.cause }

// isAbsent reports whether err is that there is no such file.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func badFile(path, format string, args ...any) error {
	return &secretFileError{text: path + " " + fmt.Sprintf(format, args...)}
}

// openSecret opens a file that is for a secret: a regular one, which nobody but
// this user, root and those users may open.
func openSecret(path string, users ...int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0) // a pipe must not keep us waiting
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, &secretFileError{fmt.Sprintf("%v: it must belong to the user of the server, uid %d", err, os.Geteuid()), err}
	case err != nil:
		return nil, &secretFileError{err.Error(), err}
	}
	if err := private(f, path, append(users, 0, os.Geteuid())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func private(f *os.File, path string, users []int) error {
	info, err := f.Stat()
	if err != nil {
		return &secretFileError{err.Error(), err}
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	switch {
	case !info.Mode().IsRegular():
		return badFile(path, "is not a regular file")
	case !slices.Contains(users, owner):
		return badFile(path, "belongs to another user (uid %d), who can read it", owner)
	case info.Mode().Perm()&0o077 != 0:
		return badFile(path, "is open to other users (mode %#o): close it with: chmod 600 %s", info.Mode().Perm(), path)
	}
	return nil
}

// readToken reads the one API key that a file holds, an end of line after it or not.
func readToken(path string, env auth.Environment) (auth.Token, error) {
	f, err := openSecret(path)
	if err != nil {
		return auth.Token{}, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, 4096))
	defer clear(content)
	if err != nil {
		return auth.Token{}, &secretFileError{err.Error(), err}
	}
	text := strings.TrimRight(string(content), "\r\n")
	token, err := auth.ParseToken(env, text)
	if err == nil {
		return token, nil
	}
	for _, other := range []auth.Environment{auth.Live, auth.Test} {
		if _, err := auth.ParseToken(other, text); err == nil {
			return auth.Token{}, badFile(path, "holds a key of the %s environment, and auth.environment is %s", other, env)
		}
	}
	return auth.Token{}, badFile(path, "does not hold one API key and nothing else; make one with: exante keys mint --output PATH")
}
