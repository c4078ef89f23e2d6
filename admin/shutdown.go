package admin

import (
	"context"
	"errors"
	"time"
)

// Stack is what a process has open, in the order in which it was opened.
type Stack []func(context.Context) error

// Opened adds the closer of what was opened last.
func (s *Stack) Opened(closer func(context.Context) error) { *s = append(*s, closer) }

// Close closes in reverse order, gives each part as much as each, and goes on
// after a failure. If all of it takes longer than all, giveUp is called: a part
// that hangs must not keep the process alive. What was acknowledged is on the
// disk long before.
func (s Stack) Close(each, all time.Duration, giveUp func()) error {
	hung := time.AfterFunc(all, giveUp)
	defer hung.Stop()
	var errs error
	for i := len(s) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(context.Background(), each)
		errs = errors.Join(errs, s[i](ctx))
		cancel()
	}
	return errs
}
