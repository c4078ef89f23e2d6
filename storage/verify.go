package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// Finding is one broken promise inside the store.
type Finding struct{ Key, Problem string }

// Report is what Verify saw.
type Report struct {
	Records  int
	Findings []Finding // at most 100
}

const maxFindings = 100

// Verify reads everything in one snapshot and checks every invariant between
// keys. A broken one is a finding and no error; progress may be nil.
func (s *Store) Verify(ctx context.Context, progress func(done, total int)) (Report, error) {
	seq := s.db.Seq() // no later than the snapshot
	v := verification{ctx: ctx, progress: progress, store: s, still: func() bool { return s.settle(ctx) == nil && s.db.Seq() == seq }}
	err := s.db.View(ctx, func(r kv.Reader) error {
		v.Reader = r
		v.run()
		return ctx.Err()
	})
	return v.report, err
}

// verification is one run of Verify. Its methods go on after a finding, so that
// one damaged record does not hide another.
type verification struct {
	kv.Reader
	ctx      context.Context // ends a run, not a request: it lives as long as this value
	store    *Store          // whose memory is held against the snapshot
	still    func() bool     // memory can be held against the snapshot, which it is ahead of once something has been committed since
	report   Report
	progress func(done, total int)
	total    int
	label    func(key []byte) string // names a key in a finding; nil: describe
}

func (v *verification) run() {
	tenants := v.survey()
	v.marker()
	known := v.organizations()
	for _, org := range tenants {
		if _, exists := slices.BinarySearchFunc(known, org, compareIDs); !exists {
			v.find(orgKey(org, 0)[:orgKeyHead-1], "belongs to an organization that does not exist")
		}
	}
	v.emails()
	v.tags()
	v.sessions()
	v.setups()
	v.auditChain(func([]byte, *auditRecord) {})
	for _, org := range known {
		v.organization(org)
	}
	v.tell()
}

// organization checks all that lies under one organization.
func (v *verification) organization(org uid.ID) {
	c, err := countsOf(v, org)
	if err != nil {
		v.find(keyCounts(org), "%v", missing(err, "record", keyCounts(org)))
		return
	}
	v.counted()
	v.users(org, c)
	v.apiKeys(org, c)
	v.usage(org)
	v.invoices(org, c)
	v.answers(org)
	v.attachments(org, c)
	v.imports(org)
}

func compareIDs(a, b uid.ID) int { return bytes.Compare(a[:], b[:]) }

// find notes a broken promise about key.
func (v *verification) find(key []byte, format string, args ...any) {
	if len(v.report.Findings) < maxFindings {
		label := describe
		if v.label != nil {
			label = v.label
		}
		v.report.Findings = append(v.report.Findings, Finding{label(key), fmt.Sprintf(format, args...)})
	}
}

// check is find for what is only wrong if err is not nil.
func (v *verification) check(key []byte, err error) {
	if err != nil && v.ctx.Err() == nil {
		v.find(key, "%v", err)
	}
}

// counted notes that a record was checked.
func (v *verification) counted() {
	if v.report.Records++; v.report.Records%1000 == 0 {
		v.tell()
	}
}

func (v *verification) tell() {
	if v.progress != nil {
		v.progress(v.report.Records, max(v.total, v.report.Records))
	}
}

// eachValue calls fn for every entry of a range and returns how many there are.
func (v *verification) eachValue(in kv.Range, fn func(key, value []byte)) int {
	n := 0
	err := v.Scan(in, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
		n++
		v.counted()
		fn(key, value)
		return true, v.ctx.Err()
	})
	v.check(in.Start, err)
	return n
}

// each is eachValue for records: one that does not open is a finding, and
// counts all the same.
func each[R any](v *verification, in kv.Range, kind byte, fn func(key []byte, rec *R)) int {
	return v.eachValue(in, func(key, value []byte) {
		rec := new(R)
		if err := open(key, kind, value, rec); err != nil {
			v.find(key, "%v", err)
			return
		}
		fn(key, rec)
	})
}

// agree notes a family that has another number of records than were counted.
func (v *verification) agree(what string, in kv.Range, found int, counted uint64) {
	v.check(in.Start, agree(what, found, counted))
}

// survey reads every key and notes those that no family has. It returns the
// organizations that have anything.
func (v *verification) survey() (tenants []uid.ID) {
	err := v.Scan(kv.Range{}, kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
		v.total++
		if !knownKey(key) {
			v.find(key, "is of no known family")
		}
		if org, ok := tenantOf(key); ok && (len(tenants) == 0 || tenants[len(tenants)-1] != org) {
			tenants = append(tenants, org)
		}
		return true, nil
	})
	v.check(nil, err)
	return tenants
}

// marker checks the record that says what database this is, and that it has a
// signing key.
func (v *verification) marker() {
	var rec markerRecord
	err := get(v, keyMarker(), famMarker, &rec)
	v.counted()
	v.check(keyMarker(), missing(err, "record", keyMarker()))
	v.counted()
	v.check(keySigningKey(), missing(get(v, keySigningKey(), famSigningKey, &signingKeyRecord{}), "record", keySigningKey()))
	if err == nil && (rec.Schema != schemaVersion || rec.ID.IsZero()) {
		v.find(keyMarker(), "names store %q of schema %d", rec.ID, rec.Schema)
	}
}

// organizations checks the records of the organizations and their total. It
// returns them in order.
func (v *verification) organizations() (known []uid.ID) {
	var totals totalsRecord
	err := get(v, keyTotals(), famTotals, &totals)
	v.counted()
	v.check(keyTotals(), missing(err, "record", keyTotals()))
	found := each(v, inGlobal(famOrg), famOrg, func(key []byte, rec *orgRecord) {
		if id, err := idAt(key, globalKeyHead); err == nil {
			known = append(known, id)
		}
		_, isCurrency := billing.ParseCurrency(string(rec.Currency))
		if rec.Name == "" || rec.Version == 0 || !isCurrency {
			v.find(key, "has no name, no version or no currency")
		}
	})
	if err == nil {
		v.agree("organizations", inGlobal(famOrg), found, totals.Orgs)
	}
	return known
}

// refers checks that a record exists which key refers to, and decodes it into rec.
func (v *verification) refers(key []byte, to []byte, kind byte, rec any) bool {
	err := get(v, to, kind, rec)
	switch {
	case err == nil:
		return true
	case errors.Is(err, ErrNotFound):
		v.find(key, "refers to %s, which does not exist", describe(to))
	case v.ctx.Err() == nil && !errors.Is(err, ErrCorrupt): // damage is named where it lies
		v.find(key, "refers to %s: %v", describe(to), err)
	}
	return false
}
