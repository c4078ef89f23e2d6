// Package certificate keeps the TLS certificate of a server up to date with its
// two files: whoever renews it replaces them, and nothing needs a restart.
package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Files are the names of two PEM files.
type Files struct {
	Cert string // the certificate, then those that lead to a root
	Key  string // its private key; not for others to read
}

// Error says which of the two files is wrong.
type Error struct {
	File  string
	IsKey bool
	Err   error
}

func (e *Error) Error() string { return e.File + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

const maxFile = 1 << 20 // bytes; a chain has some thousands

// load reads the pair. Its error is an *Error. A certificate that has expired is
// no error: a client that is told so is better off than one that is told nothing.
func (f Files) load() (*tls.Certificate, error) {
	chain, _, err := read(f.Cert)
	if err == nil {
		err = checkChain(chain)
	}
	if err != nil {
		return nil, &Error{f.Cert, false, err}
	}
	key, mode, err := read(f.Key)
	switch {
	case err != nil:
	case mode.Perm()&0o027 != 0:
		err = fmt.Errorf("others can read or change it (mode %#o): close it with: chmod 600 %s", mode.Perm(), f.Key)
	case bytes.Contains(key, []byte("ENCRYPTED")):
		err = errors.New("the key is protected by a password, which nobody could enter")
	}
	if err != nil {
		return nil, &Error{f.Key, true, err}
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, &Error{f.Key, true, fmt.Errorf("it does not fit %s: %w", f.Cert, err)}
	}
	return &pair, nil
}

func read(name string) ([]byte, os.FileMode, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not keep us waiting
	if err != nil {
		return nil, 0, plain(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, plain(err)
	case !info.Mode().IsRegular():
		return nil, 0, errors.New("it is not a file")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return text, info.Mode(), plain(err)
}

// plain leaves out the path, which Error says already.
func plain(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// checkChain wants certificates that can be parsed, one at least.
func checkChain(text []byte) error {
	n := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return errors.New("there is no certificate in PEM form in it")
	}
	return nil
}
