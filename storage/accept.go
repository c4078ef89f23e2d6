package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"exante/auth"
	"exante/storage/kv"
)

// Acceptance says how a store is taken as it is.
type Acceptance struct {
	By       auth.Principal
	Progress func(done, total int) // of the verification; may be nil
	// Confirm is asked once the store has been verified, with what its anchor
	// says of it. Nothing is changed if it returns an error, which Accept returns.
	Confirm func(anchor string) error
}

// Accept verifies the store in o.Dir, whatever its anchor and its audit copy say.
// If nothing is wrong inside, it takes the store as it is: it writes the anchor
// anew, and an audit record of what the old one said. With findings, which are in
// the report and no error, nothing is changed.
func Accept(ctx context.Context, o Options, how Acceptance) (Report, error) {
	o.Create = false
	a := &acceptance{Acceptance: how, ctx: ctx}
	o.accept = a
	s, err := Open(o)
	switch {
	case errors.Is(err, errFindings):
		return a.report, nil
	case err != nil:
		return a.report, err
	}
	return a.report, s.Close()
}

// errFindings keeps a store from being accepted.
var errFindings = errors.New("the verification has findings")

// acceptance is one run of Accept.
type acceptance struct {
	Acceptance
	ctx    context.Context // of the call
	report Report
	said   string // by the anchor
}

// judge verifies the store and asks whether to go on.
func (a *acceptance) judge(s *Store, r kv.Reader) error {
	v := verification{Reader: r, ctx: a.ctx, progress: a.Progress, store: s, still: func() bool { return true }}
	v.run()
	a.report = v.report
	if err := a.ctx.Err(); err != nil {
		return err
	}
	if len(v.report.Findings) > 0 {
		return errFindings
	}
	a.said = s.anchorText()
	return a.Confirm(a.said)
}

// anchorText is what the anchor says, as far as it can be read.
func (s *Store) anchorText() string {
	text, err := os.ReadFile(filepath.Join(s.options.Dir, anchorFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "missing"
	}
	a, _, ok := parseAnchor(string(text))
	if err != nil || !ok {
		return "unreadable"
	}
	return fmt.Sprintf("store %s, sequence %d, %d organizations, %d keys, %d audit records, %s",
		a.ID, a.Seq, a.Orgs, a.Keys, a.Audit.Seq, a.At.Format(time.RFC3339))
}
