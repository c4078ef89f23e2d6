package admin

import (
	"fmt"
	"time"

	"exante/admin/backups"
)

// troubles are what Store.Troubles names, as an operator reads it.
var troubles = map[string]string{
	"low_disk":   "disk space is low: writes are refused until some is freed",
	"anchor":     "the anchor can't be written: a rollback would not be seen; see the log",
	"audit_copy": "the audit copy can't be written: changes are refused; see the log",
}

// BackupStatus is how the backups go that are scheduled.
type BackupStatus struct {
	EverySeconds int64   `json:"every_seconds"`
	TakenAt      *string `json:"taken_at"` // of the newest; null: there is none yet
	Bytes        int64   `json:"bytes"`
	Sequence     uint64  `json:"sequence"`
	Proven       bool    `json:"proven"`    // the newest was restored
	ProvenAt     *string `json:"proven_at"` // when the newest that was restored was taken
	Error        string  `json:"error"`     // why the last try failed; "": it did not
	Failures     uint64  `json:"failures"`  // since the start

	provenAt time.Time
}

func backupStatus(s *backups.Schedule) *BackupStatus {
	if s == nil || s.Every() == 0 {
		return nil
	}
	l := s.Last()
	return &BackupStatus{
		EverySeconds: int64(s.Every() / time.Second), TakenAt: whenever(l.At), Bytes: l.Size, Sequence: l.Sequence,
		Proven: l.Proven, ProvenAt: whenever(l.ProvenAt), Error: l.Error, Failures: l.Failures, provenAt: l.ProvenAt,
	}
}

// notices are what an operator should do something about. A backup that is being
// proved for the first time is none of it.
func (b *BackupStatus) notices(now time.Time) (all []string) {
	if b == nil {
		return nil
	}
	if b.Error != "" {
		all = append(all, "the last try to make a backup failed: "+b.Error)
	}
	if late := now.Sub(b.provenAt); b.ProvenAt != nil && late > 2*b.every() {
		all = append(all, fmt.Sprintf("the last backup that was proven is %s old", span(late)))
	}
	return all
}

func (b *BackupStatus) every() time.Duration { return time.Duration(b.EverySeconds) * time.Second }

func (b *BackupStatus) lines() [][2]string {
	if b == nil {
		return [][2]string{{"schedule", "none is scheduled"}}
	}
	lines := [][2]string{{"schedule", "every " + span(b.every())}}
	switch {
	case b.TakenAt == nil:
		return append(lines, [2]string{"last", "none yet"})
	case b.Proven:
		return append(lines, [2]string{"last", fmt.Sprintf("%s, %s, proven", *b.TakenAt, size(b.Bytes))})
	}
	return append(lines, [][2]string{
		{"last", fmt.Sprintf("%s, %s, not proven", *b.TakenAt, size(b.Bytes))}, {"last proven", orDash(b.ProvenAt)},
	}...)
}
