package storage

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

func anyID() *rapid.Generator[uid.ID] {
	return rapid.Custom(func(t *rapid.T) uid.ID {
		return uid.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uid"))
	})
}

// allKeys is one key of every family.
func allKeys(t *rapid.T, org uid.ID) (global, ofOrg [][]byte) {
	id, other := anyID().Draw(t, "id"), anyID().Draw(t, "other")
	text := rapid.StringN(1, 64, 256).Draw(t, "text")
	hour := time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "hour"), 0)
	global = [][]byte{
		keyMarker(), keyTotals(), keyOrg(org), keyEmail(text), keyTag(auth.Tag(id[:8]), other),
		keyAudit(rapid.Uint64().Draw(t, "seq")), keyAuditHead(), keySigningKey(),
		keySession(auth.SessionName{OrgID: org, UserID: id, ID: other}), keySetup(org, id),
	}
	ofOrg = [][]byte{
		keyCounts(org), keyUser(org, id), keyAPIKey(org, id), keyUse(org, id), keyHour(org, id, hour), keyParty(org, id),
		keyInvoice(org, id), keyChunk(org, id, rapid.Uint16().Draw(t, "chunk")), keyRow(org, id), keyNumber(org, text), keyImport(org, [32]byte(bytes.Repeat(id[:], 2))),
		keyPayment(org, id, other), keyCatalogue(org, billing.Product, "USD", text),
		keyAnswer(org, OnceID{1}), keyAnswerChunk(org, OnceID{2}, 3), keyAnswerEnd(org, 4, OnceID{5}),
		keyAttachment(org, id, other), keyContent(org, id, other, rapid.Uint16().Draw(t, "content")), keyLoose(org, id, other),
	}
	return global, ofOrg
}

func TestEveryKeyIsOfItsFamilyAndOrganization(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		org, rival := anyID().Draw(t, "org"), anyID().Draw(t, "rival")
		global, ofOrg := allKeys(t, org)
		for _, key := range slices.Concat(global, ofOrg) {
			if !knownKey(key) || len(key) > kv.MaxKey || describe(key) == "" {
				t.Fatalf("%x is not a known key, is too long, or can't be told (%q)", key, describe(key))
			}
		}
		for _, key := range global {
			if id, ok := tenantOf(key); ok {
				t.Fatalf("%x belongs to organization %s", key, id)
			}
		}
		for _, key := range ofOrg {
			if id, ok := tenantOf(key); !ok || id != org {
				t.Fatalf("%x belongs to %s", key, id)
			}
			in := kv.Prefix(orgKey(rival, key[orgKeyHead-1]))
			if rival != org && bytes.Compare(in.Start, key) <= 0 && (in.End == nil || bytes.Compare(key, in.End) < 0) {
				t.Fatalf("%x lies in the range of another organization", key)
			}
		}
		if len(globalShapes) != len(global) || len(orgShapes) != len(ofOrg) {
			t.Fatal("there is a family without a key here")
		}
	})
}

func TestKeyOrderIsListingOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		org, id := anyID().Draw(t, "org"), anyID().Draw(t, "id")
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		if bytes.Compare(keyAudit(a), keyAudit(b)) != cmp.Compare(a, b) {
			t.Fatalf("audit records %d and %d", a, b)
		}
		x, y := time.Unix(int64(a>>24), 0), time.Unix(int64(b>>24), 0)
		if bytes.Compare(keyHour(org, id, x), keyHour(org, id, y)) != x.Compare(y) {
			t.Fatalf("hours %s and %s", x, y)
		}
		if back, err := hourAt(keyHour(org, id, x)); err != nil || !back.Equal(x) {
			t.Fatalf("hour %s comes back as %s (%v)", x, back, err)
		}
		if back, err := idAt(keyHour(org, id, x), orgKeyHead); err != nil || back != id {
			t.Fatalf("uid %s comes back as %s (%v)", id, back, err)
		}
	})
}

func TestTimesBefore1970AreTheFirst(t *testing.T) {
	if !bytes.Equal(keyHour(noID, noID, time.Time{}), keyHour(noID, noID, time.Unix(0, 0))) {
		t.Error("an hour before 1970 lies after all others")
	}
}

// Whatever lies on the disk is refused or read, never a panic.
func FuzzReadKeyAndRecord(f *testing.F) {
	key := keyAPIKey(uid.ID{1}, uid.ID{2})
	f.Add(key, []byte{1, famKey, 0, 0, 0, 0}, false)
	f.Add(keyAudit(1), []byte{0xA1, 1, 2}, true)
	f.Add([]byte("o"), []byte{}, true)
	f.Fuzz(func(t *testing.T, key, value []byte, sealed bool) {
		knownKey(key)
		describe(key)
		_, _ = hourAt(key)
		_, _ = idAt(key, orgKeyHead)
		if sealed {
			value = sealBytes(key, famKey, value)
		}
		var k keyRecord
		if err := open(key, famKey, value, &k); err == nil {
			if back, err := k.key(uid.ID{1}, uid.ID{2}); err == nil && back.Scopes == 0 {
				t.Error("a key without scopes was read")
			}
		} else if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
			t.Errorf("got %v", err)
		}
		var u useRecord
		if open(key, famKey, value, &u) == nil {
			_, _ = u.use(uid.ID{1}, uid.ID{2})
		}
	})
}
