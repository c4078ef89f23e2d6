package storage

import (
	"crypto/sha256"
	"errors"

	"exante/auth/uid"
	"exante/storage/kv"
)

// importRecord is an import on disk. It is written with every batch, so that what
// is in the books and how far the file has been read can't differ.
type importRecord struct {
	Lines      uint64            `cbor:"1,keyasint"`
	Bytes      uint64            `cbor:"2,keyasint"`
	Imported   uint64            `cbor:"3,keyasint"`
	Refused    uint64            `cbor:"4,keyasint"`
	ProofBytes uint64            `cbor:"5,keyasint"`
	ProofSum   [sha256.Size]byte `cbor:"6,keyasint"`
	StartedAt  stamp             `cbor:"7,keyasint"`
	UpdatedAt  stamp             `cbor:"8,keyasint"`
	FinishedAt stamp             `cbor:"9,keyasint,omitempty"`
}

func importRecordOf(s *ImportState) *importRecord {
	return &importRecord{
		Lines: s.Done.Lines, Bytes: s.Done.Bytes, Imported: s.Imported, Refused: s.Refused,
		ProofBytes: s.Proof.Bytes, ProofSum: s.Proof.Sum,
		StartedAt: stampOf(s.StartedAt), UpdatedAt: stampOf(s.UpdatedAt), FinishedAt: stampOf(s.FinishedAt),
	}
}

func (r *importRecord) state() ImportState {
	return ImportState{
		Done: ImportMark{r.Lines, r.Bytes}, Proof: ImportProof{r.ProofBytes, r.ProofSum}, Imported: r.Imported, Refused: r.Refused,
		StartedAt: r.StartedAt.time(), UpdatedAt: r.UpdatedAt.time(), FinishedAt: r.FinishedAt.time(),
	}
}

// importState reads how far an import has come; the zero state if it has not begun.
func importState(r kv.Reader, org uid.ID, id [sha256.Size]byte) (ImportState, error) {
	var record importRecord
	err := get(r, keyImport(org, id), famImport, &record)
	if errors.Is(err, ErrNotFound) {
		return ImportState{}, nil
	}
	return record.state(), err
}

// imports checks that what each import says of itself can be. Its times need not be
// in order: the clock may have been set back meanwhile.
func (v *verification) imports(org uid.ID) {
	each(v, inFamily(org, famImport), famImport, func(key []byte, r *importRecord) {
		switch {
		case r.Imported+r.Refused > r.Lines || r.Lines > r.Bytes || r.ProofBytes > r.Bytes:
			v.find(key, "has dealt with more than it has read")
		case r.StartedAt == 0 || r.UpdatedAt == 0 || r.FinishedAt != 0 && r.FinishedAt != r.UpdatedAt:
			v.find(key, "was not begun, or ended, when it says")
		}
	})
}
