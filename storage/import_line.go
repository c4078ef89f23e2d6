package storage

import (
	"errors"
	"fmt"

	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/kv"
)

// preparedLine is a line with what could be made of it before its transaction.
type preparedLine struct {
	*ImportLine
	party billing.Party // that the line describes; no ID: it names one by uid
}

// prepare gives the parties that lines describe the uid of the one there is by
// that name, or the one that it gets.
func (m *Import) prepare(lines []ImportLine) []preparedLine {
	prepared := make([]preparedLine, len(lines))
	for n := range lines {
		l := &lines[n]
		prepared[n].ImportLine = l
		if l.Refused == nil && l.Party != nil {
			prepared[n].party, l.Refused = m.describedParty(l.Party)
		}
	}
	return prepared
}

func (m *Import) describedParty(patch *billing.PartyPatch) (p billing.Party, err error) {
	p = billing.Party{OrgID: m.by.OrgID}
	if err := patch.Apply(&p); err != nil {
		return p, under("party.", err)
	}
	id, known := m.parties[p.Name]
	if !known {
		if id, err = m.store.ids.New(); err != nil {
			return p, err
		}
		m.parties[p.Name] = id
	}
	p.ID = id
	return p, nil
}

// under says where in the line a refused object stands.
func under(path string, err error) error {
	var invalid *input.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	below := &input.InvalidError{}
	for _, p := range invalid.Problems {
		below.Problems = append(below.Problems, input.Problem{Path: path + p.Path, Reason: p.Reason})
	}
	return below
}

// take makes an invoice of a line, in a transaction of its own over that of the
// batch. A refusal is what the rules say of the line; err ends the batch.
func (b *importBatch) take(line *lineTxn, l *preparedLine) (refusal, err error) {
	if l.Refused != nil {
		return l.Refused, nil
	}
	t := &tx{Txn: line, store: b.store, now: b.now, by: b.imp.by, counts: &b.counts, recent: b.recent}
	made, err := b.invoice(t, l)
	switch {
	case err != nil && isRefusal(err):
		return err, nil
	case err != nil:
		return nil, err
	}
	if b.first.IsZero() {
		b.first = made.ID
	}
	if b.last = made.ID; made.Type == billing.Receivable {
		b.rows = append(b.rows, rowOf(&made.Invoice))
	}
	return nil, nil
}

// invoice writes the invoice of a line as if all that it says had been done here.
func (b *importBatch) invoice(t *tx, l *preparedLine) (*storedInvoice, error) {
	id, err := t.store.ids.New()
	if err != nil {
		return nil, err
	}
	patch := l.Patch
	if l.Party != nil {
		patch.PartyID = &l.party.ID
		if err := b.meet(t, &l.party); err != nil {
			return nil, err
		}
	}
	if n := patch.Number; n != nil && b.imp.options.NewNumbers && t.store.numbers.Matches(*n) {
		patch.Number = nil
	}
	made := &storedInvoice{Invoice: billing.NewInvoice(t.by.OrgID, id, b.imp.org.Currency, t.now)}
	r := billing.BeginPast(&made.Invoice, &patch, &l.Past, t.now, t.store.numbers)
	if err := t.compose(r, &patch); err != nil {
		return nil, err
	}
	if err := r.Relive(&l.Past, patch.Status, func() error { return t.assignNumber(r) }); err != nil {
		return nil, err
	}
	if l.Party != nil {
		if err := b.keepClient(t, r, l.Party); err != nil {
			return nil, err
		}
	}
	if err := t.countInvoice(&made.Invoice, 1); err != nil {
		return nil, err
	}
	if err := t.pay(r); err != nil {
		return nil, err
	}
	return made, t.putNext(made)
}

// meet makes the party that a line describes, unless there is one.
func (b *importBatch) meet(t *tx, p *billing.Party) error {
	err := recall(t, keyParty(p.OrgID, p.ID), famParty, &partyRecord{})
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	made := *p
	made.CreatedAt = t.now
	if made.Contact != nil {
		contact := *made.Contact
		made.Contact = &contact
	}
	b.parties++
	if err := t.count(func(c *counts) { c.Parties++ }); err != nil {
		return err
	}
	return t.keepParty(&made)
}

// keepClient gives an invoice that was sent the client as the line has it, which is
// how he was then. The party itself stays as it is.
func (b *importBatch) keepClient(t *tx, r *billing.Revision, as *billing.PartyPatch) error {
	if r.SentAt.IsZero() {
		return nil
	}
	if err := as.Apply(&r.Client); err != nil {
		return fmt.Errorf("client of a line that was clean: %w", err)
	}
	return t.nameContact(&r.Client)
}

// lineTxn gathers what one line writes, over the transaction of its batch, which
// gets it when the line is good. It reads back single keys that it wrote; a Scan
// or Count sees the batch without them, and no line asks for one.
type lineTxn struct {
	kv.Txn
	recent map[string]any    // of the batch: what is written is no longer in it
	before map[string][]byte // written by earlier batches of a dry run, so nowhere else
	writes []lineWrite
	at     map[string]int // place in writes
	bytes  int
	hooks  []func()
}

type lineWrite struct {
	key, value []byte
	deleted    bool
}

func newLineTxn(t kv.Txn, recent map[string]any, before map[string][]byte) *lineTxn {
	return &lineTxn{Txn: t, recent: recent, before: before, at: map[string]int{}}
}

func (t *lineTxn) reset() {
	clear(t.at)
	t.writes, t.bytes, t.hooks = t.writes[:0], 0, nil
}

// flush hands everything to the batch.
func (t *lineTxn) flush() error {
	for _, w := range t.writes {
		write := func() error { return t.Txn.Put(w.key, w.value) }
		if w.deleted {
			write = func() error { return t.Txn.Delete(w.key) }
		}
		if err := write(); err != nil {
			return err
		}
	}
	for _, hook := range t.hooks {
		t.Txn.OnCommit(hook)
	}
	return nil
}

func (t *lineTxn) write(w lineWrite) error {
	n, known := t.at[string(w.key)]
	if !known {
		n = len(t.writes)
		t.at[string(w.key)] = n
		t.writes = append(t.writes, lineWrite{})
	}
	delete(t.recent, string(w.key))
	t.bytes += len(w.key) + len(w.value)
	t.writes[n] = w
	return nil
}

// Get implements kv.Reader.
func (t *lineTxn) Get(key []byte) ([]byte, error) {
	if n, known := t.at[string(key)]; known {
		if t.writes[n].deleted {
			return nil, kv.ErrNotFound
		}
		return t.writes[n].value, nil
	}
	value, err := t.Txn.Get(key)
	if earlier, known := t.before[string(key)]; known && errors.Is(err, kv.ErrNotFound) {
		return earlier, nil
	}
	return value, err
}

// remember adds to what has been written all that a later line may ask for: the
// parties and prices that there are, and the numbers that are taken, but for those
// of the series, which a dry run begins anew with each batch.
func (t *lineTxn) remember(written map[string][]byte, series billing.NumberPattern) {
	for _, w := range t.writes {
		switch family, rest := w.key[orgKeyHead-1], string(w.key[orgKeyHead:]); {
		case family == famParty, family == famCatalogue:
			written[string(w.key)] = w.value
		case family == famNumber && !series.Matches(rest):
			written[string(w.key)] = nil
		}
	}
}

// GetMany implements kv.Reader.
func (t *lineTxn) GetMany(keys [][]byte) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		value, err := t.Get(key)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

// Insert implements kv.Txn.
func (t *lineTxn) Insert(key, value []byte) error {
	switch _, err := t.Get(key); {
	case err == nil:
		return kv.ErrExists
	case !errors.Is(err, kv.ErrNotFound):
		return err
	}
	return t.Put(key, value)
}

// Put implements kv.Txn. The caller gives key and value away.
func (t *lineTxn) Put(key, value []byte) error { return t.write(lineWrite{key: key, value: value}) }

// Delete implements kv.Txn.
func (t *lineTxn) Delete(key []byte) error { return t.write(lineWrite{key: key, deleted: true}) }

// OnCommit implements kv.Txn.
func (t *lineTxn) OnCommit(f func()) { t.hooks = append(t.hooks, f) }

var _ kv.Txn = (*lineTxn)(nil)
