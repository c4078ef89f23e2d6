package storage

import (
	"crypto/sha256"
	"encoding/binary"
)

// auditChain checks that the chain is whole: every record from the first to the
// one that the head names, each with its own hash and that of the one before. It
// passes each on to fn, nil for one that can't be read.
func (v *verification) auditChain(fn func(key []byte, rec *auditRecord)) {
	head, err := auditHead(v)
	v.counted()
	v.check(keyAuditHead(), err)
	last := link{whole: true}
	v.eachValue(inGlobal(famAudit), func(key, value []byte) {
		var rec auditRecord
		if err := open(key, famAudit, value, &rec); err != nil {
			v.find(key, "%v", err)
			fn(key, nil)
			last.seq, last.whole = last.seq+1, false
			return
		}
		v.auditRecord(key, &rec, last)
		fn(key, &rec)
		last = link{rec.Seq, rec.Hash, true}
	})
	switch {
	case err != nil:
	case head.Seq != last.seq:
		v.find(keyAuditHead(), "names record %d as the last, but that is %d", head.Seq, last.seq)
	case last.whole && head.Hash != last.hash:
		v.find(keyAuditHead(), "names another record %d than there is", head.Seq)
	}
}

// link is what the next audit record must follow.
type link struct {
	seq   uint64
	hash  [sha256.Size]byte
	whole bool // the record could be read
}

func (v *verification) auditRecord(key []byte, rec *auditRecord, last link) {
	sum, err := rec.sum()
	switch {
	case err != nil || sum != rec.Hash:
		v.find(key, "does not have the hash that it claims: it was changed")
	case len(key) != globalKeyHead+8 || binary.BigEndian.Uint64(key[globalKeyHead:]) != rec.Seq:
		v.find(key, "says that it is record %d", rec.Seq)
	case rec.Seq != last.seq+1:
		v.find(key, "follows record %d: those between are missing", last.seq)
	case last.whole && rec.Prev != last.hash:
		v.find(key, "does not follow the record before it: one of them was replaced")
	case !rec.Action.known():
		v.find(key, "has an unknown action, %q", rec.Action)
	}
}
