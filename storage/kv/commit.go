package kv

import "fmt"

// maxCommitBytes is what one commit may hold, entries counted with their
// overhead. Badger takes up to 15 % of a memtable: 2.4 MiB. A full Update fits.
const (
	maxCommitBytes = MaxTxnBytes + 192<<10
	entryOverhead  = 32
)

// seqKey is written by a commit that only deletes. Badger's highest version,
// where Seq starts after a restart, would otherwise fall back when compaction
// drops the deletions that bear it.
var seqKey = []byte{spaceEngine, 's'}

// commit makes the writes durable as one Badger transaction and publishes the
// state they lead to. Nothing to write is nothing to do.
func (e *engine) commit(writes *overlay) error {
	if e.health.err() != nil {
		return e.health.unknownOutcome()
	}
	if len(writes.byKey) == 0 {
		return nil
	}
	seq := e.Seq() + 1
	if err := e.commitAt(seq, writes); err != nil {
		// The entries may be in the log all the same, and the fsync that failed
		// can succeed the next time without having written them.
		e.health.fail(fmt.Errorf("commit: %w", err))
		return e.health.unknownOutcome()
	}
	e.space.Wrote(writes.bytes + len(writes.byKey)*entryOverhead)
	e.db.SetDiscardTs(e.snapshots.publish(seq))
	select {
	case e.changed <- struct{}{}:
	default:
	}
	return nil
}

func (e *engine) commitAt(seq uint64, writes *overlay) error {
	txn := e.db.NewTransactionAt(seq-1, true)
	defer txn.Discard()
	onlyDeletes := true
	for _, m := range writes.byKey {
		key := inDataSpace(make([]byte, 0, 1+len(m.key)), m.key)
		if m.deleted {
			if err := txn.Delete(key); err != nil {
				return err
			}
			continue
		}
		onlyDeletes = false
		if err := txn.Set(key, m.value); err != nil {
			return err
		}
	}
	if onlyDeletes {
		if err := txn.Set(seqKey, nil); err != nil {
			return err
		}
	}
	return txn.CommitAt(seq, nil)
}
