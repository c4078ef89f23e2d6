package admin

import (
	"context"
	"io"
)

// interruptible reads from a stream that may keep it waiting, a pipe or a terminal,
// until ctx ends. It is for one goroutine.
type interruptible struct {
	ctx    context.Context
	from   io.Reader
	buf    []byte // of the read that goes on, which outlives an interruption
	answer chan readAnswer
}

type readAnswer struct {
	n   int
	err error
}

// readAtOnce is the most that one read asks for, in bytes.
const readAtOnce = 64 << 10

func newInterruptible(ctx context.Context, from io.Reader) *interruptible {
	return &interruptible{ctx: ctx, from: from, answer: make(chan readAnswer, 1)}
}

// Read is io.Reader's. After an interruption what the stream gives is lost.
func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n := min(len(p), readAtOnce)
	if n > len(r.buf) {
		r.buf = make([]byte, n)
	}
	go func(into []byte) {
		n, err := r.from.Read(into)
		r.answer <- readAnswer{n, err}
	}(r.buf[:n])
	select {
	case a := <-r.answer:
		return copy(p, r.buf[:a.n]), a.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
