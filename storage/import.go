package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
	"exante/storage/kv"
)

// ImportLine is one invoice as a file has it.
type ImportLine struct {
	Patch billing.InvoicePatch
	Past  billing.History
	Party *billing.PartyPatch // in place of Patch.PartyID: the party of that name, or else a new one

	Refused error        // by whoever read the line, of which then nothing else counts
	End     ImportMark   // where the line ends
	Proof   *ImportProof // of the file up to there; nil: not at every line
}

// ImportMark is a place in a file: so many lines and bytes from its beginning.
type ImportMark struct{ Lines, Bytes uint64 }

// ImportProof is the SHA-256 of the first Bytes of a file, by which one that was
// begun is known again.
type ImportProof struct {
	Bytes uint64
	Sum   [sha256.Size]byte
}

// ImportState is how far an import has come, by all its runs.
type ImportState struct {
	Done              ImportMark
	Proof             ImportProof // of no more than Done
	Imported, Refused uint64      // lines
	StartedAt         time.Time   // zero: not yet
	UpdatedAt         time.Time
	FinishedAt        time.Time // zero: not yet
}

// ImportOptions say how to take the lines of an import.
type ImportOptions struct {
	ID         [sha256.Size]byte // of the import in its organization
	NewNumbers bool              // drop a number of the form that the server gives, so that it gives another
	DryRun     bool              // refuse what is to be refused, and keep nothing
}

// Import is one file on its way into an organization. It is for one goroutine.
type Import struct {
	store   *Store
	by      auth.Principal // of the lines: with the owner of what they make
	actor   auth.Principal
	options ImportOptions
	org     orgRecord
	state   ImportState
	parties map[string]uid.ID // by name: those there were, and those that lines have named
	dry     map[string][]byte // of a dry run: what its good lines would have left for later ones
}

// BeginImport opens an import at the place to which it has come; ErrNotFound if
// there is no such organization.
func (s *Store) BeginImport(ctx context.Context, by auth.Principal, o ImportOptions) (*Import, error) {
	m := &Import{store: s, by: by, actor: by, options: o, parties: map[string]uid.ID{}, dry: map[string][]byte{}}
	err := s.db.View(ctx, func(r kv.Reader) error {
		if err := get(r, keyOrg(by.OrgID), famOrg, &m.org); err != nil {
			return err
		}
		state, err := importState(r, by.OrgID, o.ID)
		if err != nil {
			return err
		}
		if m.state = state; by.UserID.IsZero() {
			owner, err := ownerOf(r, by.OrgID)
			if err != nil {
				return err
			}
			m.by.UserID = owner.ID
		}
		return scanParties(r, by.OrgID, func(p *billing.Party) error {
			if _, older := m.parties[p.Name]; !older {
				m.parties[p.Name] = p.ID
			}
			return nil
		})
	})
	return m, err
}

// State is how far the import has come.
func (m *Import) State() ImportState { return m.state }

// Put takes lines, in the order of the file and from where State says, as many as
// fit into one transaction: each by itself is imported whole or refused, and its
// error says why. It returns once that, and the place it leads to, is durable.
// Errors: ErrConflict if another run of
// the import has gone on meanwhile.
func (m *Import) Put(ctx context.Context, lines []ImportLine) (refused []error, err error) {
	prepared := m.prepare(lines)
	var b *importBatch
	err = m.store.update(ctx, m.actor, func(t *tx) error {
		b = &importBatch{tx: t, imp: m, recent: map[string]any{}, dry: map[string][]byte{}}
		return b.run(prepared)
	})
	if m.options.DryRun && errors.Is(err, errDryRun) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	m.state = b.state
	maps.Copy(m.dry, b.dry)
	return b.refused, nil
}

// errDryRun ends a transaction of which nothing is to be kept.
var errDryRun = errors.New("dry run")

// Finish notes that the file has no more lines.
func (m *Import) Finish(ctx context.Context, end ImportMark, proof ImportProof) error {
	if m.options.DryRun {
		return nil
	}
	return m.store.update(ctx, m.actor, func(t *tx) error {
		b := &importBatch{tx: t, imp: m}
		if err := b.begin(); err != nil {
			return err
		}
		b.state.Done, b.state.Proof, b.state.FinishedAt = end, proof, t.now
		return b.mark()
	})
}

// importBatch is one transaction of an import.
type importBatch struct {
	*tx
	imp     *Import
	state   ImportState
	refused []error // one a line that was taken
	counts  counts
	recent  map[string]any // of the lines
	dry     map[string][]byte
	rows    []index.Row
	parties int
	first   uid.ID
	last    uid.ID
}

// What a batch writes beside its lines: the state, the counts, an audit record
// and the head of the chain.
const (
	batchOwnWrites = 4
	batchOwnBytes  = 4 << 10
)

func (b *importBatch) run(lines []preparedLine) error {
	if err := b.begin(); err != nil {
		return err
	}
	line := newLineTxn(b.Txn, b.recent, b.imp.dry)
	writes, bytes := batchOwnWrites, batchOwnBytes
	for n := range lines {
		line.reset()
		before := *b
		refusal, err := b.take(line, &lines[n])
		if err != nil {
			return err
		}
		if refusal == nil {
			writes, bytes = writes+len(line.writes), bytes+line.bytes
		}
		switch full := writes > kv.MaxTxnWrites || bytes > kv.MaxTxnBytes; {
		case full && n > 0:
			*b = before // it opens the next batch
			return b.end()
		case full:
			refusal = ErrTooLarge
		}
		if err := b.settle(line, &lines[n], refusal, &before); err != nil {
			return err
		}
	}
	return b.end()
}

// settle keeps a line that is good, and undoes one that is refused.
func (b *importBatch) settle(line *lineTxn, l *preparedLine, refusal error, before *importBatch) error {
	if refusal != nil {
		*b = *before
		b.state.Refused++
		if len(line.writes) > 0 {
			clear(b.recent) // it may have read back what is not to be
		}
	} else {
		b.state.Imported++
		if b.imp.options.DryRun {
			line.remember(b.dry, b.store.numbers)
		}
		if err := line.flush(); err != nil {
			return err
		}
	}
	b.refused = append(b.refused, refusal)
	if b.state.Done = l.End; l.Proof != nil {
		b.state.Proof = *l.Proof
	}
	return nil
}

// begin reads the counts and makes sure that the import is where it was left.
func (b *importBatch) begin() (err error) {
	if b.counts, err = countsOf(b, b.by.OrgID); err != nil {
		return err
	}
	if b.state, err = importState(b, b.by.OrgID, b.imp.options.ID); err != nil {
		return err
	}
	if b.imp.options.DryRun {
		b.state = b.imp.state
	}
	if b.state.Done != b.imp.state.Done {
		return fmt.Errorf("%w: another run of this import has come to line %d", ErrConflict, b.state.Done.Lines)
	}
	if b.state.StartedAt.IsZero() {
		b.state.StartedAt = b.now
	}
	return nil
}

// end writes what the lines have led to, and has the lists follow.
func (b *importBatch) end() error {
	if b.imp.options.DryRun {
		return errDryRun
	}
	if !b.first.IsZero() {
		if err := put(b, keyCounts(b.by.OrgID), famCounts, &b.counts); err != nil {
			return err
		}
		err := b.audit(invoiceImport, b.first, Detail{
			"first": b.first.String(), "last": b.last.String(), "parties": strconv.Itoa(b.parties),
			"imported": strconv.FormatUint(b.state.Imported-b.imp.state.Imported, 10),
			"refused":  strconv.FormatUint(b.state.Refused-b.imp.state.Refused, 10),
		})
		if err != nil {
			return err
		}
		store, org, rows := b.store, b.by.OrgID, b.rows
		b.OnCommit(func() {
			for i := range rows {
				store.lists.Put(org, rows[i])
			}
		})
	}
	return b.mark()
}

// mark writes how far the import has come.
func (b *importBatch) mark() error {
	b.state.UpdatedAt = b.now
	return put(b, keyImport(b.by.OrgID, b.imp.options.ID), famImport, importRecordOf(&b.state))
}
