package admin

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
)

// maxAuditRecords is the longest list of one request. Whoever wants all there is
// reads the audit copy.
const maxAuditRecords = 10_000

// AuditRecords implements Ops.
func (l Local) AuditRecords(ctx context.Context, in AuditRequest) ([]AuditRecord, error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	if in.Org != "" {
		if q.OrgID, err = l.namedOrg(ctx, in.Org); err != nil {
			return nil, err
		}
	}
	entries, err := l.store.Audit(ctx, q)
	if err != nil {
		return nil, err
	}
	shapes := make([]AuditRecord, len(entries))
	for i := range entries {
		shapes[i] = auditShape(&entries[i])
	}
	return shapes, nil
}

// query is what the request asks of the store. A key or user that nobody has had
// selects nothing.
func (in *AuditRequest) query() (storage.AuditQuery, error) {
	var bad input.Refusals
	q := storage.AuditQuery{Action: in.Action, Newest: !in.OldestFirst, Limit: in.Limit}
	for _, id := range []struct {
		name, text string
		to         *uid.ID
	}{{"key", in.Key, &q.KeyID}, {"user", in.User, &q.UserID}} {
		var err error
		if *id.to, err = uid.Parse(id.text); err != nil && id.text != "" {
			bad.Add(id.name, "is not a uid")
		}
	}
	for _, at := range []struct {
		name, text string
		to         *time.Time
	}{{"since", in.Since, &q.Since}, {"until", in.Until, &q.Until}} {
		var err error
		if *at.to, err = parseTime(at.text); err != nil && at.text != "" {
			bad.Add(at.name, err.Error())
		}
	}
	if in.Limit < 0 || in.Limit > maxAuditRecords {
		bad.Add("limit", fmt.Sprintf("must be from 1 to %d", maxAuditRecords))
	}
	return q, bad.Err()
}

// VerifyAudit implements Ops.
func (l Local) VerifyAudit(ctx context.Context, in AuditCheck, progress Progress) (AuditReport, error) {
	if in.Copy != "" && !filepath.IsAbs(in.Copy) {
		return AuditReport{}, input.Invalid("copy", "must be an absolute path")
	}
	report, err := l.store.VerifyAudit(ctx, in.Copy, progress)
	if err != nil {
		return AuditReport{}, err
	}
	return AuditReport{
		Records: report.Records, Copy: orNull(report.Copy), Lines: report.Lines, Superseded: report.Superseded,
		Findings: findingShapes(report.Findings),
	}, nil
}

func auditShape(e *storage.AuditEntry) AuditRecord {
	r := AuditRecord{
		Seq: e.Seq, At: e.At.UTC().Format("2006-01-02T15:04:05.000Z"), OrganizationUID: uidOrNull(e.OrgID),
		Actor:     AuditActor{Kind: string(e.Actor.Kind), KeyUID: uidOrNull(e.Actor.KeyID), UserUID: uidOrNull(e.Actor.UserID)},
		RequestID: orNull(e.RequestID), Action: string(e.Action), TargetUID: uidOrNull(e.Target), Outcome: e.Outcome,
		Detail: e.Detail, Prev: hex.EncodeToString(e.Prev[:]), Hash: hex.EncodeToString(e.Hash[:]),
	}
	if e.Actor.Kind == storage.ByShell {
		r.Actor.LocalUID = &e.Actor.LocalUID
	}
	if e.Addr.IsValid() {
		r.Address = orNull(e.Addr.String())
	}
	return r
}

func uidOrNull(id uid.ID) *string {
	if id.IsZero() {
		return nil
	}
	return orNull(id.String())
}
