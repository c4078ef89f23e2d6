package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// The map of the disk. Every key is built here and nowhere else.
//
// Parts are of fixed width or come last, so byte order is listing order. All
// that belongs to an organization lies under "o" + its uid: sixteen bytes, so no
// organization's prefix is another's. Sessions and setup links alone lie together,
// outside of it, by user: whoever shows a token says whose it is, so they need no
// index; those of one user, of an organization and of the instance, which a restore
// leaves out, are a range each.
//
//	g m                        marker: database id, schema version
//	g c                        totals of the instance: organizations
//	g o <org>                  organization
//	g e <e-mail>               organization and user; unique, lower case
//	g t <tag 8> <key>          organization of the API key with that look-up tag
//	g a <seq 8>                audit record
//	g h                        audit head: sequence and hash of the last record
//	g s <org> <user> <session> session of a signed-in user
//	g l <org> <user>           setup link, by which he chooses his password
//	g k                        key that signs links to attachments, and cursors
//	o <org> c                  counts and the invoice number series
//	o <org> u <user>           user
//	o <org> k <key>            API key
//	o <org> l <key>            last use and meters of an API key
//	o <org> h <key> <hour 8>   one hour of an API key's activity
//	o <org> p <party>          party
//	o <org> i <invoice>        invoice (head of it when it is long)
//	o <org> x <invoice> <n 2>  further chunks of a long invoice
//	o <org> v <invoice>        what the list in memory knows of an invoice
//	o <org> n <number>         invoice uid; the number is unique
//	o <org> y <invoice> <pay>  payment
//	o <org> j <import 32>      how far an import has come
//	o <org> r <type 1> <cur 3> <sku>  catalogue entry: last unit price
//	o <org> q <once 32>        answer to a request that is carried out once
//	o <org> w <once 32> <n 2>  chunks of a long answer
//	o <org> d <end 8> <once 32>  the answers by when they end
//	o <org> a <invoice> <att>        attachment
//	o <org> b <invoice> <att> <n 2>  chunk of the content of an attachment
//	o <org> s <invoice> <att>        mark: no attachment has that content, sweep it
const (
	spaceGlobal = 'g'
	spaceOrg    = 'o'

	famMarker     = 'm'
	famTotals     = 'c'
	famOrg        = 'o'
	famEmail      = 'e'
	famTag        = 't'
	famAudit      = 'a'
	famAuditHead  = 'h'
	famSigningKey = 'k'
	famSession    = 's'
	famSetup      = 'l'

	famCounts    = 'c'
	famUser      = 'u'
	famKey       = 'k'
	famUse       = 'l'
	famHour      = 'h'
	famParty     = 'p'
	famInvoice   = 'i'
	famChunk     = 'x'
	famRow       = 'v'
	famNumber    = 'n'
	famPayment   = 'y'
	famCatalogue = 'r'

	famAnswer      = 'q'
	famAnswerChunk = 'w'
	famAnswerEnd   = 'd'
	famAttachment  = 'a'
	famContent     = 'b'
	famLoose       = 's'
	famImport      = 'j'
)

// The lengths of what stands before the parts of a key: "g <family>" and
// "o <org> <family>".
const (
	globalKeyHead = 1 + 1
	orgKeyHead    = 1 + 16 + 1
)

func globalKey(family byte, parts ...[]byte) []byte {
	k := append(make([]byte, 0, 64), spaceGlobal, family)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

func orgKey(org uid.ID, family byte, parts ...[]byte) []byte {
	k := append(make([]byte, 0, 64), spaceOrg)
	k = append(k, org[:]...)
	k = append(k, family)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

func keyMarker() []byte                  { return globalKey(famMarker) }
func keyTotals() []byte                  { return globalKey(famTotals) }
func keyOrg(org uid.ID) []byte           { return globalKey(famOrg, org[:]) }
func keyEmail(email string) []byte       { return globalKey(famEmail, []byte(email)) }
func keyAudit(seq uint64) []byte         { return globalKey(famAudit, binary.BigEndian.AppendUint64(nil, seq)) }
func auditSeqAt(key []byte) uint64       { return binary.BigEndian.Uint64(key[len(key)-8:]) }
func keyAuditHead() []byte               { return globalKey(famAuditHead) }
func keySigningKey() []byte              { return globalKey(famSigningKey) }
func keyTag(t auth.Tag, k uid.ID) []byte { return globalKey(famTag, t[:], k[:]) }
func keySetup(org, user uid.ID) []byte   { return globalKey(famSetup, org[:], user[:]) }

func keySession(n auth.SessionName) []byte {
	return globalKey(famSession, n.OrgID[:], n.UserID[:], n.ID[:])
}

// setupAt reads a key that keySetup made.
func setupAt(key []byte) (org, user uid.ID, ok bool) {
	if len(key) != globalKeyHead+2*16 {
		return org, user, false
	}
	rest := key[globalKeyHead:]
	return uid.ID(rest[:16]), uid.ID(rest[16:]), true
}

// sessionAt reads a key that keySession made.
func sessionAt(key []byte) (n auth.SessionName, ok bool) {
	if len(key) != globalKeyHead+3*16 {
		return n, false
	}
	rest := key[globalKeyHead:]
	return auth.SessionName{OrgID: uid.ID(rest[:16]), UserID: uid.ID(rest[16:32]), ID: uid.ID(rest[32:])}, true
}

func keyCounts(org uid.ID) []byte           { return orgKey(org, famCounts) }
func keyUser(org, user uid.ID) []byte       { return orgKey(org, famUser, user[:]) }
func keyAPIKey(org, key uid.ID) []byte      { return orgKey(org, famKey, key[:]) }
func keyUse(org, key uid.ID) []byte         { return orgKey(org, famUse, key[:]) }
func keyParty(org, party uid.ID) []byte     { return orgKey(org, famParty, party[:]) }
func keyInvoice(org, inv uid.ID) []byte     { return orgKey(org, famInvoice, inv[:]) }
func keyRow(org, inv uid.ID) []byte         { return orgKey(org, famRow, inv[:]) }
func keyNumber(org uid.ID, n string) []byte { return orgKey(org, famNumber, []byte(n)) }
func keyPayment(org, inv, pay uid.ID) []byte {
	return orgKey(org, famPayment, inv[:], pay[:])
}
func keyImport(org uid.ID, id [sha256.Size]byte) []byte { return orgKey(org, famImport, id[:]) }
func keyChunk(org, inv uid.ID, n uint16) []byte {
	return orgKey(org, famChunk, inv[:], binary.BigEndian.AppendUint16(nil, n))
}
func keyAttachment(org, inv, att uid.ID) []byte { return orgKey(org, famAttachment, inv[:], att[:]) }
func keyLoose(org, inv, att uid.ID) []byte      { return orgKey(org, famLoose, inv[:], att[:]) }
func keyContent(org, inv, att uid.ID, n uint16) []byte {
	return orgKey(org, famContent, inv[:], att[:], binary.BigEndian.AppendUint16(nil, n))
}

// hourKeyLen is the length of every key that keyHour makes.
const hourKeyLen = orgKeyHead + 16 + 8

func keyHour(org, key uid.ID, hour time.Time) []byte {
	return orgKey(org, famHour, key[:], binary.BigEndian.AppendUint64(nil, uint64(max(0, hour.Unix()))))
}
func keyCatalogue(org uid.ID, t billing.ContextType, cur billing.Currency, sku string) []byte {
	return orgKey(org, famCatalogue, []byte{byte(t)}, []byte(cur), []byte(sku))
}

func keyAnswer(org uid.ID, id OnceID) []byte { return orgKey(org, famAnswer, id[:]) }
func keyAnswerChunk(org uid.ID, id OnceID, n uint16) []byte {
	return orgKey(org, famAnswerChunk, id[:], binary.BigEndian.AppendUint16(nil, n))
}
func keyAnswerEnd(org uid.ID, end stamp, id OnceID) []byte {
	return orgKey(org, famAnswerEnd, binary.BigEndian.AppendUint64(nil, uint64(max(0, end))), id[:])
}

// answerEndAt reads a key that keyAnswerEnd made.
func answerEndAt(key []byte) (end stamp, id OnceID, ok bool) {
	if len(key) != orgKeyHead+8+len(id) {
		return 0, id, false
	}
	return stamp(binary.BigEndian.Uint64(key[orgKeyHead:])), OnceID(key[orgKeyHead+8:]), true
}

// answerAt reads the ID in the key of an answer or of a chunk of it.
func answerAt(key []byte) (id OnceID, ok bool) {
	if len(key) < orgKeyHead+len(id) {
		return id, false
	}
	return OnceID(key[orgKeyHead : orgKeyHead+len(id)]), true
}

// inFamily is the range of one family of an organization, narrowed by leading parts.
func inFamily(org uid.ID, family byte, parts ...[]byte) kv.Range {
	return kv.Prefix(orgKey(org, family, parts...))
}

// inGlobal is the range of one global family, narrowed by leading parts.
func inGlobal(family byte, parts ...[]byte) kv.Range { return kv.Prefix(globalKey(family, parts...)) }

// inTag is the range of the keys that share a look-up tag.
func inTag(t auth.Tag) kv.Range { return kv.Prefix(globalKey(famTag, t[:])) }

// idAt reads the uid at offset off of a key that the store wrote.
func idAt(key []byte, off int) (uid.ID, error) {
	if len(key) < off+16 {
		return uid.ID{}, fmt.Errorf("%w: key %s is too short", ErrCorrupt, describe(key))
	}
	return uid.ID(key[off : off+16]), nil
}

// shape says what stands behind the head of a family's keys: so many bytes, or
// at least so many.
type shape struct {
	size int
	more bool
}

var (
	globalShapes = map[byte]shape{
		famMarker: {}, famTotals: {}, famOrg: {size: 16}, famEmail: {size: 1, more: true},
		famTag: {size: 8 + 16}, famAudit: {size: 8}, famAuditHead: {},
		famSigningKey: {}, famSession: {size: 16 + 16 + 16}, famSetup: {size: 16 + 16},
	}
	orgShapes = map[byte]shape{
		famCounts: {}, famUser: {size: 16}, famKey: {size: 16}, famUse: {size: 16}, famHour: {size: 16 + 8},
		famParty: {size: 16}, famInvoice: {size: 16}, famChunk: {size: 16 + 2}, famRow: {size: 16}, famNumber: {size: 1, more: true},
		famPayment: {size: 16 + 16}, famCatalogue: {size: 1 + 3 + 1, more: true},
		famAnswer: {size: 32}, famAnswerChunk: {size: 32 + 2}, famAnswerEnd: {size: 8 + 32},
		famAttachment: {size: 16 + 16}, famContent: {size: 16 + 16 + 2}, famLoose: {size: 16 + 16},
		famImport: {size: sha256.Size},
	}
)

// knownKey reports whether key is one that this file could have made.
func knownKey(key []byte) bool {
	shapes, head := globalShapes, globalKeyHead
	if _, ok := tenantOf(key); ok {
		shapes, head = orgShapes, orgKeyHead
	} else if len(key) == 0 || key[0] != spaceGlobal {
		return false
	}
	if len(key) < head {
		return false
	}
	s, known := shapes[key[head-1]]
	rest := len(key) - head
	return known && (rest == s.size || s.more && rest > s.size)
}

// tenantOf is the organization that key belongs to.
func tenantOf(key []byte) (uid.ID, bool) {
	if len(key) < orgKeyHead-1 || key[0] != spaceOrg {
		return uid.ID{}, false
	}
	return uid.ID(key[1 : orgKeyHead-1]), true
}

// describe names a key for people: space, organization and family as in the map
// of the disk, then the parts, a uid or a text as such.
func describe(key []byte) string {
	space, rest := "", key
	if org, ok := tenantOf(key); ok {
		space, rest = "o "+org.String(), key[orgKeyHead-1:]
	} else if len(key) > 0 && key[0] == spaceGlobal {
		space, rest = "g", key[1:]
	}
	switch {
	case space == "":
		return hex.EncodeToString(key)
	case len(rest) == 0:
		return space
	}
	family, parts := rest[0], rest[1:]
	switch {
	case len(parts) == 0:
		return fmt.Sprintf("%s %c", space, family)
	case len(parts) == len(uid.ID{}):
		return fmt.Sprintf("%s %c %s", space, family, uid.ID(parts))
	case space == "g" && family == famEmail, space != "g" && family == famNumber:
		return fmt.Sprintf("%s %c %q", space, family, parts)
	}
	return fmt.Sprintf("%s %c %x", space, family, parts)
}
