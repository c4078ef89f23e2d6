package transfer

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"exante/storage"
	"exante/storage/input"
)

const (
	chunkLines = 128       // that are read at once
	chunkBytes = 256 << 10 // after which no further line joins them
	putLines   = 640       // offered to the store at once: more than it takes
	putBytes   = 2 << 20
)

// Refusal is a line that was refused.
type Refusal struct {
	Line uint64 // from 1
	Text string // as it is in the file; of one that is too long the beginning
	Err  error
}

// Source is what an import reads from.
type Source struct {
	File     io.Reader
	CSV      bool
	Read     func(line []byte) storage.ImportLine // one object; on several goroutines at once
	Refused  func(Refusal) error                  // is told of each refused line, in order, when it is settled
	Progress func(bytes uint64)                   // nil: nobody asks
}

// Import feeds a file to m, from where m is, and finishes it. What was put until
// an error stays.
func Import(ctx context.Context, m *storage.Import, s Source) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p := &pipeline{Source: s, splitter: newSplitter(s.File, s.CSV), ordered: make(chan *chunk, 4), work: make(chan *chunk, 4)}
	if err := p.start(m.State()); err != nil {
		return err
	}
	if !m.State().FinishedAt.IsZero() {
		return p.wantEnd()
	}
	var others sync.WaitGroup
	others.Go(func() { p.split(ctx, stop) })
	for range max(1, runtime.GOMAXPROCS(0)) {
		others.Go(p.read)
	}
	err := p.put(ctx, m)
	stop(err)
	others.Wait()
	return err
}

// pipeline is one import under way: one goroutine splits, several read, and the
// caller's puts what was read, in order.
type pipeline struct {
	Source
	splitter *splitter
	rows     *rows // of a file of CSV
	ordered  chan *chunk
	work     chan *chunk
	end      storage.ImportMark // of the file; set before ordered is closed
	proof    *storage.ImportProof
}

// chunk is some lines on their way.
type chunk struct {
	lines []line
	proof *storage.ImportProof // behind the last of them
	read  chan struct{}        // closed once made holds what the lines are
	made  []storage.ImportLine
}

// start reads the header line, and what earlier runs have dealt with.
func (p *pipeline) start(state storage.ImportState) error {
	if p.CSV {
		head, err := p.splitter.next()
		switch {
		case err == io.EOF:
			return input.Invalid("file", "has no header line")
		case err != nil:
			return err
		}
		if p.rows, err = readHead(head.text); err != nil {
			return err
		}
	}
	return p.splitter.skip(&state)
}

// wantEnd makes sure that a file that was imported has no more lines.
func (p *pipeline) wantEnd() error {
	switch _, err := p.splitter.next(); err {
	case io.EOF:
		return nil
	case nil:
		return ErrOtherFile
	default:
		return err
	}
}

// split gives out chunks until the file ends, or ctx.
func (p *pipeline) split(ctx context.Context, stop context.CancelCauseFunc) {
	defer close(p.work)
	defer close(p.ordered)
	for more := true; more; {
		var c *chunk
		var err error
		if c, more, err = p.chunk(); err != nil {
			stop(err)
			return
		}
		select {
		case p.ordered <- c:
		case <-ctx.Done():
			return
		}
		select {
		case p.work <- c:
		case <-ctx.Done():
			return
		}
	}
	p.end, p.proof = p.splitter.at, p.splitter.proof()
}

func (p *pipeline) chunk() (c *chunk, more bool, err error) {
	c = &chunk{read: make(chan struct{})}
	for size := 0; len(c.lines) < chunkLines && size < chunkBytes; {
		l, err := p.splitter.next()
		if err == io.EOF {
			return c, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		size += len(l.text)
		c.lines = append(c.lines, l)
	}
	c.proof = p.splitter.proof()
	return c, true, nil
}

var errLong = input.Invalid("line", "has more than 1 MiB")

// read turns lines into what they say.
func (p *pipeline) read() {
	for c := range p.work {
		c.made = make([]storage.ImportLine, len(c.lines))
		for i := range c.lines {
			c.made[i] = p.line(&c.lines[i])
			c.made[i].End = c.lines[i].end
		}
		if n := len(c.made); n > 0 {
			c.made[n-1].Proof = c.proof
		}
		close(c.read)
	}
}

func (p *pipeline) line(l *line) storage.ImportLine {
	if l.tooLong {
		return storage.ImportLine{Refused: errLong}
	}
	text := l.text
	if p.rows != nil {
		var err error
		if text, err = p.rows.object(text); err != nil {
			return storage.ImportLine{Refused: err}
		}
	}
	return p.Read(text)
}

// put offers the lines to the store, more at once than it takes in one
// transaction, until there are none.
func (p *pipeline) put(ctx context.Context, m *storage.Import) error {
	var lines []line
	var made []storage.ImportLine
	size := 0
	for more := true; more || len(made) > 0; {
		for more && len(made) < putLines && size < putBytes {
			c, err := p.next(ctx)
			if err != nil {
				return err
			}
			if more = c != nil; more {
				lines, made = append(lines, c.lines...), append(made, c.made...)
				size += sizeOf(c.lines)
			}
		}
		if len(made) == 0 {
			break
		}
		refused, err := m.Put(ctx, made)
		if err != nil {
			return err
		}
		if err := p.tell(lines[:len(refused)], refused); err != nil {
			return err
		}
		size -= sizeOf(lines[:len(refused)])
		lines, made = lines[len(refused):], made[len(refused):]
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return m.Finish(ctx, p.end, *p.proof)
}

// next is the next chunk that was read, nil at the end.
func (p *pipeline) next(ctx context.Context) (*chunk, error) {
	select {
	case c, more := <-p.ordered:
		if !more {
			return nil, context.Cause(ctx)
		}
		select {
		case <-c.read:
			return c, nil
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return nil, context.Cause(ctx)
}

// tell reports what was settled.
func (p *pipeline) tell(lines []line, refused []error) error {
	var failed error
	for i, err := range refused {
		if err != nil {
			failed = errors.Join(failed, p.Refused(Refusal{lines[i].number, string(lines[i].text), err}))
		}
	}
	if p.Progress != nil && len(lines) > 0 {
		p.Progress(lines[len(lines)-1].end.Bytes)
	}
	return failed
}

func sizeOf(lines []line) (n int) {
	for i := range lines {
		n += len(lines[i].text)
	}
	return n
}
