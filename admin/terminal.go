package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"exante/storage/input"
)

// maxLine bounds a line that is typed or piped in, in bytes.
const maxLine = 8 << 10

// askPassword asks for a new password twice, unseen, or with piped reads it as one line.
func (s *shell) askPassword(ctx context.Context, piped bool) (secret, error) {
	if piped {
		text, err := readLine(bufio.NewReaderSize(s.input, maxLine))
		return secret{text}, err
	}
	terminal, ok := s.stdin.(*os.File)
	if !ok || !isTerminal(terminal) {
		return secret{}, usagef("add --link for a link with which he chooses it, or --stdin to read it from standard input", "there is no terminal to ask on")
	}
	lines := bufio.NewReaderSize(terminal, maxLine)
	var typed [2]string
	for i, question := range []string{"new password: ", "once more: "} {
		text, err := s.unseen(ctx, terminal, lines, question)
		fmt.Fprintln(s.stderr)
		if err != nil {
			return secret{}, err
		}
		typed[i] = text
	}
	if typed[0] != typed[1] {
		return secret{}, input.Invalid("password", "was not typed the same both times")
	}
	return secret{typed[0]}, nil
}

// unseen asks for a line on a terminal that does not show it. Whatever ends it, the
// terminal shows again what is typed.
func (s *shell) unseen(ctx context.Context, terminal *os.File, lines *bufio.Reader, question string) (string, error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", err
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETSF, &quiet); err != nil {
		return "", err
	}
	defer func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }()
	fmt.Fprint(s.stderr, question)
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() { // outlives an interruption, until the process ends
		text, err := readLine(lines)
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine reads one line of text, without what ends it.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", input.Invalid("password", "is longer than any may be")
	case errors.Is(err, io.EOF) && len(line) == 0:
		return "", input.Invalid("password", "is missing: nothing was typed")
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read the password: %w", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	if !utf8.ValidString(text) {
		return "", input.Invalid("password", "is not valid UTF-8")
	}
	return text, nil
}
