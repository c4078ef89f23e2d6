package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"exante/storage"
)

// warnOfRestore says what an operator may not think of.
func (s *shell) warnOfRestore(o restoreOptions, done storage.Restored) {
	after := &done.After
	switch {
	case o.revoke:
		s.tell("every key is revoked: make new ones with: exante keys create")
	case after.Copy == "":
		s.tell("changes made after %s are not in this backup. Keys that were revoked since then work again:", instant(done.TakenAt))
		s.tell("look through: exante keys list, and revoke them anew with: exante keys revoke UID")
	case after.Behind:
		s.tell("the audit copy %s ends before the backup does: %s, and the backup was taken at %s:", after.Copy, lastRecord(after), instant(done.TakenAt))
		s.tell("keys that were revoked since then work again. Name a longer copy with --audit-log, or")
		s.tell("look through: exante keys list, and revoke them anew with: exante keys revoke UID")
	}
	if after.Copy == "" {
		return
	}
	if after.Torn {
		s.tell("the audit copy %s ends in the middle of a record, which was passed over", after.Copy)
	}
	if after.PasswordsCleared > 0 {
		s.tell("%d users have no password any more, since theirs was replaced after the backup: exante users password UID --link", after.PasswordsCleared)
	}
	if after.OwnersKept > 0 {
		s.tell("%d users stay owners, since the backup has no other one of their organization. They lost that after", after.OwnersKept)
		s.tell("the backup, so they can't sign in. See: exante users list --json, which has has_password")
	}
	s.tellLost(after)
}

func lastRecord(a *storage.Aftermath) string {
	if a.Until.IsZero() {
		return "it has no record"
	}
	return "its last record is of " + instant(a.Until)
}

// tellLost says what is gone that somebody may look for.
func (s *shell) tellLost(after *storage.Aftermath) {
	if n := after.Lost["key.create"] + after.Lost["key.rotate"]; n > 0 {
		s.tell("%d keys that were made after the backup are gone: make new ones with: exante keys create", n)
	}
	if n := after.Lost["user.create"]; n > 0 {
		s.tell("%d users that were made after the backup are gone: make them anew with: exante users create", n)
	}
}

func (s *shell) printRestore(o restoreOptions, done storage.Restored, took time.Duration) error {
	r := RestoreReport{
		TakenAt: instant(done.TakenAt), DatabaseUID: done.Database.String(), Sequence: done.Sequence, Entries: done.Entries,
		RecordsVerified: done.RecordsVerified, KeysRevoked: done.KeysRevoked, SessionsDropped: done.SessionsDropped,
		Seconds: json.Number(fmt.Sprintf("%d.%03d", took.Milliseconds()/1000, took.Milliseconds()%1000)), DryRun: o.dryRun,
		AuditLog: replayOf(&done.After),
	}
	if s.json {
		return s.printJSON(r)
	}
	what := "restored to " + s.config.Storage.Dir
	if o.dryRun {
		what = "can be restored; nothing was kept"
	}
	return fields(s.stdout, append([][2]string{
		{"backup", what}, {"taken at", r.TakenAt}, {"database", r.DatabaseUID}, {"sequence", strconv.FormatUint(r.Sequence, 10)},
		{"entries", strconv.FormatUint(r.Entries, 10)}, {"records verified", strconv.Itoa(r.RecordsVerified)},
		{"keys revoked", strconv.Itoa(r.KeysRevoked)}, {"sessions dropped", strconv.Itoa(r.SessionsDropped)},
		{"seconds", r.Seconds.String()},
	}, r.AuditLog.rows()...))
}

func replayOf(a *storage.Aftermath) *RestoreReplay {
	if a.Copy == "" {
		return nil
	}
	r := &RestoreReplay{
		File: a.Copy, Until: whenever(a.Until), Behind: a.Behind, Torn: a.Torn,
		KeysRevoked: a.KeysRevoked, KeysRetiring: a.KeysRetiring, KeysNarrowed: a.KeysNarrowed,
		UsersDisabled: a.UsersDisabled, RolesLowered: a.RolesLowered, PasswordsCleared: a.PasswordsCleared,
		OwnersKept: a.OwnersKept, NotInBackup: map[string]int{},
	}
	for action, n := range a.Lost {
		r.NotInBackup[string(action)] = n
	}
	return r
}

// rows are what was taken away again, then what happened after the backup and is not
// in it. What there was nothing of is left out.
func (r *RestoreReplay) rows() [][2]string {
	if r == nil {
		return [][2]string{{"audit log", "none"}}
	}
	rows := [][2]string{{"audit log", r.File}}
	if r.Until != nil {
		rows = append(rows, [2]string{"until", *r.Until})
	}
	for _, n := range []struct {
		what  string
		count int
	}{
		{"revoked again", r.KeysRevoked}, {"retired again", r.KeysRetiring}, {"narrowed again", r.KeysNarrowed},
		{"disabled again", r.UsersDisabled}, {"lowered again", r.RolesLowered}, {"passwords cleared", r.PasswordsCleared},
		{"owners kept", r.OwnersKept},
	} {
		if n.count > 0 {
			rows = append(rows, [2]string{n.what, strconv.Itoa(n.count)})
		}
	}
	for _, action := range slices.Sorted(maps.Keys(r.NotInBackup)) {
		rows = append(rows, [2]string{"not in backup", fmt.Sprintf("%d %s", r.NotInBackup[action], action)})
	}
	return rows
}
