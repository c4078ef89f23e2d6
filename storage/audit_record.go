package storage

import (
	"crypto/sha256"
	"net/netip"

	"exante/auth/uid"
)

// auditRecord is an audit record on disk. Its hash covers all of it but the hash.
type auditRecord struct {
	Seq       uint64            `cbor:"1,keyasint"`
	At        stamp             `cbor:"2,keyasint"`
	Org       uid.ID            `cbor:"3,keyasint,omitzero"`
	Actor     actorRecord       `cbor:"4,keyasint"`
	Addr      string            `cbor:"5,keyasint,omitempty"`
	RequestID string            `cbor:"6,keyasint,omitempty"`
	Action    Action            `cbor:"7,keyasint"`
	Target    uid.ID            `cbor:"8,keyasint,omitzero"`
	Outcome   string            `cbor:"9,keyasint"`
	Detail    Detail            `cbor:"10,keyasint,omitempty"`
	Prev      [sha256.Size]byte `cbor:"11,keyasint"`
	Hash      [sha256.Size]byte `cbor:"12,keyasint,omitzero"`
}

type actorRecord struct {
	Kind     ActorKind `cbor:"1,keyasint"`
	KeyID    uid.ID    `cbor:"2,keyasint,omitzero"`
	UserID   uid.ID    `cbor:"3,keyasint,omitzero"`
	LocalUID int       `cbor:"4,keyasint,omitempty"`
}

// auditHeadRecord names the last record of the chain.
type auditHeadRecord struct {
	Seq  uint64            `cbor:"1,keyasint"`
	Hash [sha256.Size]byte `cbor:"2,keyasint"`
}

// auditDomain keeps a hash of the audit chain from being a hash of anything else.
const auditDomain = "exante audit record v1\x00"

// sum is the hash that the record should have.
func (r *auditRecord) sum() ([sha256.Size]byte, error) {
	bare := *r
	bare.Hash = [sha256.Size]byte{}
	text, err := encMode.Marshal(&bare)
	return sha256.Sum256(append([]byte(auditDomain), text...)), err
}

func (r *auditRecord) entry() AuditEntry {
	addr, _ := netip.ParseAddr(r.Addr) // "" and what verification names: no address
	return AuditEntry{
		Seq: r.Seq, At: r.At.time(), OrgID: r.Org, Actor: Actor(r.Actor), Addr: addr, RequestID: r.RequestID,
		Action: r.Action, Target: r.Target, Outcome: r.Outcome, Detail: r.Detail, Prev: r.Prev, Hash: r.Hash,
	}
}

// textOf is the text of an address, "" for none.
func textOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
