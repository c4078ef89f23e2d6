// Package sealed encrypts backups for people who are not on the machine, with age
// (age-encryption.org/v1): the server knows a recipient's public key alone. It keeps
// what is inside from whoever finds the file, and from being changed unnoticed. It
// does not say who wrote it, for anybody can encrypt to a public key: the key of the
// backup inside does.
package sealed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"exante/storage/archive"
)

var (
	// ErrSealed: what is read is encrypted, and there is no identity to open it.
	ErrSealed = errors.New("backup is encrypted")
	// ErrNotSealed: an identity was given for what is not encrypted: somebody may
	// have put it in the place of what was.
	ErrNotSealed = errors.New("backup is not encrypted")
	// ErrIdentity: no identity, or none that opens it.
	ErrIdentity = errors.New("wrong age identity")
	// ErrRecipient: not a public key of age.
	ErrRecipient = errors.New("not an age recipient")
)

// intro begins every file of age.
const intro = "age-encryption.org/"

// Recipient is a public key.
type Recipient = age.Recipient

// Recipients parses public keys, age1... each.
func Recipients(texts []string) ([]Recipient, error) {
	var out []Recipient
	for _, text := range texts {
		parsed, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil || len(parsed) != 1 {
			return nil, fmt.Errorf("%w: %q", ErrRecipient, text)
		}
		out = append(out, parsed[0])
	}
	return out, nil
}

// Writer encrypts what is written to it. Its Close writes the end, and leaves out open.
func Writer(out io.Writer, to []Recipient) (io.WriteCloser, error) {
	w, err := age.Encrypt(out, to...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return w, nil
}

// Identities are private keys.
type Identities []age.Identity

// NewIdentity makes a key pair: the private half as text, and the public one.
func NewIdentity() (private string, public Recipient, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", nil, err
	}
	return id.String(), id.Recipient(), nil
}

// ReadIdentities reads a file as age-keygen writes it.
func ReadIdentities(path string) (Identities, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	ids, err := age.ParseIdentities(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %s holds none that can be read", ErrIdentity, path) // err may quote the secret
	}
	return ids, nil
}

// Reader is what in holds, decrypted if it is encrypted. With identities it must be,
// without it must not. Damage is archive.ErrDamaged.
func Reader(in io.Reader, with Identities) (io.Reader, error) {
	under := &stream{in: bufio.NewReader(in)}
	begin, err := under.in.Peek(len(intro))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch isSealed := string(begin) == intro; {
	case isSealed && len(with) == 0:
		return nil, ErrSealed
	case !isSealed && len(with) > 0:
		return nil, ErrNotSealed
	case !isSealed:
		return under, nil
	}
	plain, err := age.Decrypt(under, with...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("%w: it is for other recipients", ErrIdentity)
	}
	if err != nil {
		return nil, under.explain(err)
	}
	return &opened{plain, under}, nil
}

// stream remembers why it ended, so that damage is told from a disk that fails.
type stream struct {
	in  *bufio.Reader
	err error
}

func (s *stream) Read(p []byte) (n int, err error) {
	n, err = s.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func (s *stream) explain(err error) error {
	if s.err != nil {
		return s.err
	}
	return fmt.Errorf("%w: its encryption was cut short or changed: %v", archive.ErrDamaged, err)
}

// opened is a decrypted stream.
type opened struct {
	plain io.Reader
	under *stream
}

func (o *opened) Read(p []byte) (n int, err error) {
	if n, err = o.plain.Read(p); err != nil && !errors.Is(err, io.EOF) {
		err = o.under.explain(err)
	}
	return n, err
}
