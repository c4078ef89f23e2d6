package storage

import (
	"context"
	"errors"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

func TestVerifyFindsDamage(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *wreck)
		want string // part of a finding
	}{
		{"flipped bit", func(w *wreck) { w.flip(keyUser(w.org.ID, w.viewer.ID)) }, "fails its checksum"},
		{"flipped bit in the envelope", func(w *wreck) {
			w.raw(keyOrg(w.org.ID), func(v []byte) []byte { v[1] ^= 1; return v })
		}, "fails its checksum"},
		{"value cut short", func(w *wreck) {
			w.raw(keyOrg(w.org.ID), func(v []byte) []byte { return v[:5] })
		}, "has 5 bytes"},
		{"value of another key", func(w *wreck) {
			w.write(func(t kv.Txn) error {
				v, err := t.Get(keyUser(w.org.ID, w.owner.ID))
				return errors.Join(err, t.Put(keyUser(w.org.ID, w.viewer.ID), v))
			})
		}, "fails its checksum"},
		{"record of another family", func(w *wreck) {
			w.record(keyUser(w.org.ID, w.viewer.ID), famKey, &userRecord{})
		}, `is of kind 'k' version 1`},
		{"field that this version does not know", func(w *wreck) {
			w.record(keyUser(w.org.ID, w.viewer.ID), famUser, map[int]int{99: 1})
		}, "unknown field"},
		{"unknown family", func(w *wreck) { w.record(globalKey('z'), 'z', 1) }, "g z: is of no known family"},
		{"unknown family of an organization", func(w *wreck) { w.record(orgKey(w.org.ID, 'z'), 'z', 1) }, "is of no known family"},
		{"unknown space", func(w *wreck) { w.record([]byte("?"), 'z', 1) }, "3f: is of no known family"},
		{"key that is too long", func(w *wreck) { w.record(append(keyOrg(w.org.ID), 0), famOrg, 1) }, "is of no known family"},
		{"key that is too short", func(w *wreck) { w.record(orgKey(w.org.ID, famUser, []byte{1}), famUser, 1) }, "is of no known family"},

		{"no marker", func(w *wreck) { w.remove(keyMarker()) }, "g m: store is damaged: record g m is missing"},
		{"marker of another schema", func(w *wreck) {
			edit(w, keyMarker(), famMarker, func(r *markerRecord) { r.Schema = 7 })
		}, "of schema 7"},
		{"no totals", func(w *wreck) { w.remove(keyTotals()) }, "g c: store is damaged"},
		{"totals that do not add up", func(w *wreck) {
			edit(w, keyTotals(), famTotals, func(r *totalsRecord) { r.Orgs++ })
		}, "2 organizations found, 3 counted"},
		{"organization lost", func(w *wreck) { w.remove(keyOrg(w.org.ID)) }, ": belongs to an organization that does not exist"},
		{"organization without a name", func(w *wreck) {
			edit(w, keyOrg(w.org.ID), famOrg, func(r *orgRecord) { r.Name = "" })
		}, "has no name, no version or no currency"},
		{"no counts", func(w *wreck) { w.remove(keyCounts(w.org.ID)) }, " c: store is damaged: record"},

		{"import of more than was read", func(w *wreck) {
			w.record(keyImport(w.org.ID, [32]byte{1}), famImport, &importRecord{Lines: 2, Bytes: 9, Imported: 2, Refused: 1, StartedAt: 1, UpdatedAt: 1})
		}, "has dealt with more than it has read"},
		{"import that ended before it was begun", func(w *wreck) {
			w.record(keyImport(w.org.ID, [32]byte{1}), famImport, &importRecord{Lines: 2, Bytes: 9, Imported: 2, StartedAt: 2, UpdatedAt: 2, FinishedAt: 1})
		}, "was not begun, or ended, when it says"},

		{"users that were not counted", func(w *wreck) {
			edit(w, keyCounts(w.org.ID), famCounts, func(c *counts) { c.Users-- })
		}, "2 users found, 1 counted"},
		{"user lost", func(w *wreck) { w.remove(keyUser(w.org.ID, w.viewer.ID)) }, "1 users found, 2 counted"},
		{"no owner", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.owner.ID), famUser, func(r *userRecord) { r.Role = Viewer })
		}, ": has no enabled owner"},
		{"the owner disabled", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.owner.ID), famUser, func(r *userRecord) { r.DisabledAt = 1 })
		}, ": has no enabled owner"},
		{"user disabled whose keys work", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.viewer.ID), famUser, func(r *userRecord) { r.DisabledAt = 1 })
		}, "is disabled on disk or in the keyring, but not in both"},
		{"user whose keys are suspended for nothing", func(w *wreck) {
			w.store.keyring.SetDisabled(w.viewer.ID, true)
		}, "is disabled on disk or in the keyring, but not in both"},
		{"password that is said to be there", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.viewer.ID), famUser, func(r *userRecord) { r.HasPassword = true })
		}, "says that it has a password and has none"},
		{"password with a hash that asks for terabytes", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.viewer.ID), famUser, func(r *userRecord) {
				r.HasPassword, r.Password = true, strings.Replace(somePHC, "m=64", "m=4294967295", 1)
			})
		}, "stored hash is malformed or out of bounds"},
		{"unknown role", func(w *wreck) {
			edit(w, keyUser(w.org.ID, w.viewer.ID), famUser, func(r *userRecord) { r.Role = "root" })
		}, `has role "root"`},
		{"address that is not entered", func(w *wreck) { w.remove(keyEmail(w.viewer.Email)) }, "which does not exist"},
		{"address entered for another user", func(w *wreck) {
			edit(w, keyEmail(w.viewer.Email), famEmail, func(r *emailRecord) { r.User = w.owner.ID })
		}, "has an address that is another user's"},
		{"address of nobody", func(w *wreck) {
			w.record(keyEmail("x@y.z"), famEmail, &emailRecord{w.org.ID, noID})
		}, `g e "x@y.z": refers to o `},
		{"address that its user does not have", func(w *wreck) {
			w.record(keyEmail("x@y.z"), famEmail, &emailRecord{w.org.ID, w.viewer.ID})
		}, "who has another address"},

		{"session of nobody", func(w *wreck) {
			w.record(keySession(auth.SessionName{OrgID: w.org.ID, UserID: noID, ID: noID}), famSession, w.session())
		}, "which does not exist"},
		{"session of another organization", func(w *wreck) {
			w.record(keySession(auth.SessionName{OrgID: w.rival.ID, UserID: w.viewer.ID, ID: noID}), famSession, w.session())
		}, "which does not exist"},
		{"session without a secret", func(w *wreck) {
			n := w.session()
			n.Digest = auth.SessionDigest{}
			w.record(keySession(auth.SessionName{OrgID: w.org.ID, UserID: w.viewer.ID, ID: noID}), famSession, n)
		}, "has no secret, or ends before it begins"},
		{"session that never idles", func(w *wreck) {
			n := w.session()
			n.Idle = 0
			w.record(keySession(auth.SessionName{OrgID: w.org.ID, UserID: w.viewer.ID, ID: noID}), famSession, n)
		}, "has no secret, or ends before it begins"},
		{"session of an epoch to come", func(w *wreck) {
			n := w.session()
			n.Epoch = 1
			w.record(keySession(auth.SessionName{OrgID: w.org.ID, UserID: w.viewer.ID, ID: noID}), famSession, n)
		}, "in a later epoch than its user has seen"},
		{"session from nowhere", func(w *wreck) {
			n := w.session()
			n.Addr = "x"
			w.record(keySession(auth.SessionName{OrgID: w.org.ID, UserID: w.viewer.ID, ID: noID}), famSession, n)
		}, "store is damaged: session"},
		{"session under a short key", func(w *wreck) {
			w.record(globalKey(famSession, w.org.ID[:]), famSession, w.session())
		}, "is of no known family"},

		{"setup link of nobody", func(w *wreck) { w.record(keySetup(w.org.ID, noID), famSetup, w.setup()) }, "which does not exist"},
		{"setup link of another organization", func(w *wreck) {
			w.record(keySetup(w.rival.ID, w.viewer.ID), famSetup, w.setup())
		}, "which does not exist"},
		{"setup link without a secret", func(w *wreck) {
			l := w.setup()
			l.Digest = auth.SetupDigest{}
			w.record(keySetup(w.org.ID, w.viewer.ID), famSetup, l)
		}, "has no name, no secret, or lasts longer"},
		{"setup link that goes on", func(w *wreck) {
			l := w.setup()
			l.EndsAt++
			w.record(keySetup(w.org.ID, w.viewer.ID), famSetup, l)
		}, "has no name, no secret, or lasts longer"},
		{"setup link of a disabled user", func(w *wreck) {
			_, err := w.store.DisableUser(w.Context(), auth.Principal{Shell: true, OrgID: w.org.ID}, w.viewer.ID)
			w.must(err)
			w.record(keySetup(w.org.ID, w.viewer.ID), famSetup, w.setup())
		}, "is of a user who is disabled"},
		{"setup link under a short key", func(w *wreck) {
			w.record(globalKey(famSetup, w.org.ID[:]), famSetup, w.setup())
		}, "is of no known family"},

		{"keys that were not counted", func(w *wreck) {
			edit(w, keyCounts(w.org.ID), famCounts, func(c *counts) { c.Keys++ })
		}, "2 api keys found, 3 counted"},
		{"key lost", func(w *wreck) { w.remove(keyAPIKey(w.org.ID, w.next.ID)) }, "1 api keys found, 2 counted"},
		{"tag lost", func(w *wreck) { w.remove(keyTag(w.old.Tag, w.old.ID)) }, "which does not exist"},
		{"tag of another organization", func(w *wreck) {
			edit(w, keyTag(w.old.Tag, w.old.ID), famTag, func(r *tagRecord) { r.Org = w.rival.ID })
		}, "has a tag that names organization"},
		{"tag of no key", func(w *wreck) {
			w.record(keyTag(auth.Tag{1}, noID), famTag, &tagRecord{w.org.ID})
		}, "g t 0100000000000000aa"},
		{"tag that its key does not have", func(w *wreck) {
			w.record(keyTag(auth.Tag{1}, w.old.ID), famTag, &tagRecord{w.org.ID})
		}, "which has another tag"},
		{"user of a key lost", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.UserID = noID })
		}, "aa000000-0000-0000-0000-000000000000, which does not exist"},
		{"key without scopes", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.Scopes = nil })
		}, "unknown or empty scopes"},
		{"key with an unknown scope", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.Scopes = []string{"all"} })
		}, "unknown or empty scopes"},
		{"key with a hash that asks for terabytes", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) {
				r.Hash = strings.Replace(r.Hash, "m=64", "m=4294967295", 1)
			})
		}, "stored hash is malformed or out of bounds"},
		{"key with a network that is none", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.Networks = []string{"x"} })
		}, "no '/'"},
		{"key with limits that are none", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.Limits = "x" })
		}, "malformed rate limit"},
		{"key without a name", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.Name = "" })
		}, "has no name, no version or no scopes"},
		{"successor that does not know", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.next.ID), famKey, func(r *keyRecord) { r.RotatedFrom = uid.ID{} })
		}, "names a successor"},
		{"predecessor that does not know", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.RotatedTo = uid.ID{} })
		}, "names a predecessor"},
		{"rotated key that goes on", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.RetiresAt = 0 })
		}, "was rotated and never ends"},
		{"revocation that the keyring does not know", func(w *wreck) {
			edit(w, keyAPIKey(w.org.ID, w.old.ID), famKey, func(r *keyRecord) { r.RevokedAt = r.UpdatedAt })
		}, "is not in the keyring as it is on disk"},

		{"use of no key", func(w *wreck) { w.record(keyUse(w.org.ID, noID), famUse, &useRecord{}) }, "which does not exist"},
		{"use from nowhere", func(w *wreck) {
			edit(w, keyUse(w.org.ID, w.old.ID), famUse, func(r *useRecord) { r.LastAddr = "x" })
		}, "last use of api key"},
		{"use of a scope that there is not", func(w *wreck) {
			edit(w, keyUse(w.org.ID, w.old.ID), famUse, func(r *useRecord) { r.Scopes = []string{"invoices:eat"} })
		}, "last use of api key"},
		{"meter of no window", func(w *wreck) {
			edit(w, keyUse(w.org.ID, w.old.ID), famUse, func(r *useRecord) { r.Meters = []meterRecord{{Window: "5/1s,6/1m"}} })
		}, "is not one window"},
		{"hour of no key", func(w *wreck) { w.record(keyHour(w.org.ID, noID, wreckTime), famHour, &hourRecord{}) }, "which does not exist"},
		{"hour that is none", func(w *wreck) {
			w.record(keyHour(w.org.ID, w.old.ID, wreckTime), famHour, &hourRecord{})
		}, "does not begin on the hour"},

		{"audit record changed", func(w *wreck) {
			edit(w, keyAudit(3), famAudit, func(r *auditRecord) { r.Actor.LocalUID = 7 })
		}, "g a 0000000000000003: does not have the hash that it claims"},
		{"audit record changed with its hash", func(w *wreck) {
			edit(w, keyAudit(3), famAudit, func(r *auditRecord) { r.Actor.LocalUID = 7; r.Hash, _ = r.sum() })
		}, "g a 0000000000000004: does not follow the record before it"},
		{"audit record damaged", func(w *wreck) { w.flip(keyAudit(3)) }, "g a 0000000000000003: store is damaged"},
		{"audit record removed", func(w *wreck) { w.remove(keyAudit(3)) }, "g a 0000000000000004: follows record 2"},
		{"first audit record removed", func(w *wreck) { w.remove(keyAudit(1)) }, "g a 0000000000000002: follows record 0"},
		{"last audit record removed", func(w *wreck) { w.remove(keyAudit(8)) }, "names record 8 as the last, but that is 7"},
		{"audit record with another's number", func(w *wreck) {
			w.write(func(t kv.Txn) error {
				var r auditRecord
				return errors.Join(get(t, keyAudit(8), famAudit, &r), put(t, keyAudit(9), famAudit, &r))
			})
		}, "g a 0000000000000009: says that it is record 8"},
		{"audit record beyond the head", func(w *wreck) {
			w.write(func(t kv.Txn) error {
				var r auditRecord
				err := get(t, keyAudit(8), famAudit, &r)
				r.Seq, r.Prev = 9, r.Hash
				r.Hash, _ = r.sum()
				return errors.Join(err, put(t, keyAudit(9), famAudit, &r))
			})
		}, "names record 8 as the last, but that is 9"},
		{"unknown action", func(w *wreck) {
			w.write(func(kvt kv.Txn) error {
				t := &tx{Txn: kvt, store: w.store, now: wreckTime}
				return t.audit("key.forget", noID, nil)
			})
		}, `has an unknown action, "key.forget"`},
		{"head of the audit chain removed", func(w *wreck) { w.remove(keyAuditHead()) }, "the head of the audit chain is missing"},
		{"head of the audit chain of another chain", func(w *wreck) {
			edit(w, keyAuditHead(), famAuditHead, func(r *auditHeadRecord) { r.Hash[0]++ })
		}, "g h: names another record 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWreck(t)
			c.do(w)
			report, err := w.store.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if strings.Contains(f.Key+": "+f.Problem, c.want) {
					return
				}
			}
			t.Errorf("found %q, want %q", report.Findings, c.want)
		})
	}
}

func TestVerifyReadsEveryRecord(t *testing.T) {
	w := newWreck(t)
	inStore := 0
	w.must(w.store.db.View(t.Context(), func(r kv.Reader) (err error) {
		inStore, err = r.Count(kv.Range{})
		return err
	}))
	last, total := -1, 0
	report, err := w.store.Verify(t.Context(), func(done, of int) {
		if done <= last || done > of {
			t.Errorf("progress went from %d to %d of %d", last, done, of)
		}
		last, total = done, of
	})
	if err != nil || len(report.Findings) != 0 {
		t.Fatalf("%v, findings %q", err, report.Findings)
	}
	if report.Records != inStore || last != inStore || total != inStore {
		t.Errorf("read %d records, told of %d of %d, and there are %d", report.Records, last, total, inStore)
	}
}

func TestVerifyReportsAHundredFindings(t *testing.T) {
	w := newWreck(t)
	w.write(func(t kv.Txn) error {
		for i := range 150 {
			if err := t.Put(globalKey('z', []byte{byte(i)}), nil); err != nil {
				return err
			}
		}
		return nil
	})
	report, err := w.store.Verify(t.Context(), nil)
	if err != nil || len(report.Findings) != 100 {
		t.Errorf("%d findings (%v), want 100", len(report.Findings), err)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	w := newWreck(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.store.Verify(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
