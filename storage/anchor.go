package storage

import (
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// The engine opens without an error when the end of its log is lost, or when all
// its files are those of last week. So a small file beside them says how far the
// database has come: the anchor. It is written after the commit that it names,
// so a database that is behind it has lost something.

const (
	anchorFile   = "exante.anchor"
	anchorTitle  = "exante anchor 1"
	anchorDomain = "exante anchor v1\x00" // keeps the MAC from being that of anything else
)

// anchor is what a database must at least hold.
type anchor struct {
	ID    uid.ID
	Seq   uint64 // of the engine
	Orgs  uint64
	Keys  uint64
	Audit auditHeadRecord
	At    time.Time // when it was written
}

// body is the anchor as people may read it, without its MAC.
func (a *anchor) body() string {
	return fmt.Sprintf("%s\ndatabase %s\nsequence %d\norganizations %d\nkeys %d\naudit %d %x\nwritten %s\n",
		anchorTitle, a.ID, a.Seq, a.Orgs, a.Keys, a.Audit.Seq, a.Audit.Hash, a.At.UTC().Format(time.RFC3339))
}

// text is the anchor as it lies in its file, but for the last line break.
func (a *anchor) text(k auth.SigningKey) string {
	return a.body() + "mac " + hex.EncodeToString(k.MAC(anchorDomain, []byte(a.body())))
}

// parseAnchor reads what text wrote. Without a key it believes what stands there.
func parseAnchor(text string) (a anchor, mac []byte, ok bool) {
	var id, hash, written, sum string
	_, err := fmt.Sscanf(text, anchorTitle+"\ndatabase %s\nsequence %d\norganizations %d\nkeys %d\naudit %d %s\nwritten %s\nmac %s\n",
		&id, &a.Seq, &a.Orgs, &a.Keys, &a.Audit.Seq, &hash, &written, &sum)
	if err != nil {
		return a, nil, false
	}
	var wrongID, wrongTime, wrongSum error
	a.ID, wrongID = uid.Parse(id)
	a.At, wrongTime = time.Parse(time.RFC3339, written)
	mac, wrongSum = hex.DecodeString(sum)
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) != len(a.Audit.Hash) || errors.Join(wrongID, wrongTime, wrongSum) != nil {
		return a, nil, false
	}
	copy(a.Audit.Hash[:], raw)
	return a, mac, a.body()+"mac "+sum+"\n" == text
}

const acceptHint = "; if the database is as it should be: exante verify --accept"

// readAnchor returns the anchor of the database id in dir, nil if there is none.
// ErrCorrupt for one that is damaged or of another database.
func readAnchor(dir string, id uid.ID, k auth.SigningKey) (*anchor, error) {
	text, err := os.ReadFile(filepath.Join(dir, anchorFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a, mac, ok := parseAnchor(string(text))
	switch {
	case ok && a.ID != id:
		return nil, fmt.Errorf("%w: %s is of store %s, the database of %s%s", ErrCorrupt, anchorFile, a.ID, id, acceptHint)
	case !ok || !hmac.Equal(mac, k.MAC(anchorDomain, []byte(a.body()))):
		return nil, fmt.Errorf("%w: %s was changed, or cut short%s", ErrCorrupt, anchorFile, acceptHint)
	}
	return &a, nil
}

// reached refuses a database that is behind the anchor.
func (a *anchor) reached(seq uint64) error {
	if seq < a.Seq {
		return fmt.Errorf("%w: the database is at sequence %d, behind %s, which says %d as of %s: the end of its log is lost, or older files were put in their place%s",
			ErrCorrupt, seq, anchorFile, a.Seq, a.At.Format(time.RFC3339), acceptHint)
	}
	return nil
}

// holds refuses a database that lacks the audit record that the anchor names: its
// history is another one.
func (a *anchor) holds(r kv.Reader) error {
	var rec auditRecord
	err := get(r, keyAudit(a.Audit.Seq), famAudit, &rec)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: audit record %d is missing, which %s names%s", ErrCorrupt, a.Audit.Seq, anchorFile, acceptHint)
	case err != nil:
		return err
	case rec.Hash != a.Audit.Hash:
		return fmt.Errorf("%w: audit record %d is not the one that %s names%s", ErrCorrupt, a.Audit.Seq, anchorFile, acceptHint)
	}
	return nil
}

// agrees refuses a database that is at the sequence of the anchor and holds
// something else than it says.
func (a *anchor) agrees(now *anchor) error {
	if now.Seq == a.Seq && (now.Orgs != a.Orgs || now.Keys != a.Keys || now.Audit != a.Audit) {
		return fmt.Errorf("%w: at sequence %d there are %d organizations, %d keys and %d audit records; %s says %d, %d and %d%s",
			ErrCorrupt, now.Seq, now.Orgs, now.Keys, now.Audit.Seq, anchorFile, a.Orgs, a.Keys, a.Audit.Seq, acceptHint)
	}
	return nil
}

// standing is the anchor for what r holds. keys is how many API keys there are.
func (s *Store) standing(r kv.Reader, seq uint64, keys int) (*anchor, error) {
	a := &anchor{ID: s.id, Seq: seq, Keys: uint64(keys), At: s.now()}
	var totals totalsRecord
	if err := missing(get(r, keyTotals(), famTotals, &totals), "record", keyTotals()); err != nil {
		return nil, err
	}
	a.Orgs = totals.Orgs
	var err error
	a.Audit, err = auditHead(r)
	return a, err
}
