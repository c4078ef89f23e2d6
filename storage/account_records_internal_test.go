package storage

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

const somePHC = "$argon2id$v=19$m=64,t=1,p=1$MTIzNDU2Nzg5MDEyMzQ1Ng$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"

// fullKey has something in every field.
func fullKey(t *testing.T) *auth.Key {
	t.Helper()
	at := func(n int64) time.Time { return time.UnixMilli(1e12 + n).UTC() }
	k := &auth.Key{
		ID: uid.ID{1}, OrgID: uid.ID{2}, UserID: uid.ID{3}, Name: "erp", Snippet: "ex_live_...9AbC", Tag: auth.Tag{4, 5},
		Networks:  []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		CreatedAt: at(1), UpdatedAt: at(2), ExpiresAt: at(3), RevokedAt: at(4), RetiresAt: at(5),
		RotatedTo: uid.ID{6}, RotatedFrom: uid.ID{7}, Version: 8,
	}
	k.Hash = must(auth.ParseHash(somePHC))
	k.Scopes = must(auth.ParseScopes([]string{"invoices:read", "api_keys:write"}))
	k.Limits = must(auth.ParseLimits("5/1s,600/1m"))
	wantEveryField(t, *k)
	return k
}

// wantEveryField fails for a field that a test of conversions forgot to fill.
func wantEveryField(t *testing.T, v any) {
	t.Helper()
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		if s.Type().Field(i).Name != "_" && s.Field(i).IsZero() {
			t.Errorf("%s.%s is zero", s.Type(), s.Type().Field(i).Name)
		}
	}
}

func fullUse(t *testing.T) auth.Use {
	t.Helper()
	u := auth.Use{
		KeyID: uid.ID{1}, OrgID: uid.ID{2}, Final: true,
		Meters: []auth.MeterState{
			{Window: auth.Window{Limit: 600, Every: time.Minute}, Cells: []auth.Cell{{Index: 1875000000, Count: 5}, {Index: 1875000001, Count: 7}},
				Leased: 30, LeaseEnd: time.Unix(1e9, 123456789).UTC()},
		},
		Buckets: []auth.Bucket{{Hour: time.Unix(3600*400000, 0).UTC(), Requests: 1, Unauthorized: 2, Forbidden: 3, RateLimited: 4, ServerErrors: 5}},
		Last: auth.LastUse{At: time.UnixMilli(1e12).UTC(), Addr: netip.MustParseAddr("2001:db8::1"), UserAgent: "curl/8",
			Scopes: must(auth.ParseScopes([]string{"invoices:read", "api_keys:write"})), WatchedSince: time.UnixMilli(9e11).UTC()},
	}
	wantEveryField(t, u)
	u.Final = false // says how the report came, and is not kept
	wantEveryField(t, u.Meters[0])
	wantEveryField(t, u.Meters[0].Cells[0])
	wantEveryField(t, u.Buckets[0])
	wantEveryField(t, u.Last)
	return u
}

func fullSession(t *testing.T) Session {
	t.Helper()
	n := Session{
		ID: uid.ID{1}, OrgID: uid.ID{2}, UserID: uid.ID{3}, CreatedAt: wreckTime, ConfirmedAt: wreckTime.Add(time.Second), SeenAt: wreckTime.Add(time.Minute),
		Idle: 30 * time.Minute, EndsAt: wreckTime.Add(12 * time.Hour), Addr: netip.MustParseAddr("192.0.2.1"), UserAgent: "curl/8",
		Epoch: 4, digest: auth.SessionDigest{5, 6},
	}
	wantEveryField(t, n)
	return n
}

func fullAudit(t *testing.T) *auditRecord {
	t.Helper()
	r := &auditRecord{
		Seq: 9, At: stampOf(wreckTime), Org: uid.ID{1}, Actor: actorRecord{ByKey, uid.ID{2}, uid.ID{3}, 1000},
		Addr: "192.0.2.1", RequestID: "req-1", Action: keyCreate, Target: uid.ID{4}, Outcome: Done,
		Detail: Detail{"scopes": "*", "expires_at": "2027-01-01T00:00:00Z", "a": "b"}, Prev: [32]byte{5},
	}
	r.Hash = must(r.sum())
	wantEveryField(t, *r)
	return r
}

func TestAccountRecordsKeepEveryField(t *testing.T) {
	k := fullKey(t)
	rec := recordOfKey(k)
	wantEveryField(t, *rec)
	if back, err := rec.key(k.OrgID, k.ID); err != nil || !reflect.DeepEqual(back, k) {
		t.Errorf("the key comes back as %+v, %v\nwant %+v", back, err, k)
	}

	bare := &auth.Key{ID: k.ID, OrgID: k.OrgID, Hash: k.Hash, Scopes: auth.FullAccess}
	if back, err := recordOfKey(bare).key(k.OrgID, k.ID); err != nil || !reflect.DeepEqual(back, bare) {
		t.Errorf("a key with little comes back as %+v, %v\nwant %+v", back, err, bare)
	}

	o := filled[Organization](t)
	org := recordOfOrg(o)
	wantEveryField(t, *org)
	if back := org.organization(o.ID); back != o {
		t.Errorf("the organization comes back as %+v\nwant %+v", back, o)
	}

	u := User{
		ID: uid.ID{1}, OrgID: uid.ID{2}, Email: "ann@example.com", Name: "Ann", Role: Admin, Password: must(auth.ParseHash(somePHC)), Epoch: 4,
		DisabledAt: wreckTime, CreatedAt: wreckTime.Add(1e9), UpdatedAt: wreckTime.Add(2e9), Version: 3,
	}
	wantEveryField(t, u)
	user := recordOfUser(u)
	wantEveryField(t, *user)
	if back, err := user.user(u.OrgID, u.ID); err != nil || !reflect.DeepEqual(back, u) {
		t.Errorf("the user comes back as %+v, %v\nwant %+v", back, err, u)
	}

	n := fullSession(t)
	session := recordOfSession(&n)
	wantEveryField(t, *session)
	if back, err := session.session(n.name()); err != nil || back != n {
		t.Errorf("the session comes back as %+v, %v\nwant %+v", back, err, n)
	}
	session.ConfirmedAt, n.ConfirmedAt = 0, n.CreatedAt // as older records have it
	if back, err := session.session(n.name()); err != nil || back != n {
		t.Errorf("an older session comes back as %+v, %v\nwant %+v", back, err, n)
	}

	use := fullUse(t)
	var used useRecord
	used.take(use)
	wantEveryField(t, used)
	back, err := used.use(use.OrgID, use.KeyID)
	back.Buckets = []auth.Bucket{recordOfBucket(use.Buckets[0]).bucket(use.Buckets[0].Hour)}
	if err != nil || !reflect.DeepEqual(back, use) {
		t.Errorf("the use comes back as %+v, %v\nwant %+v", back, err, use)
	}

	e := fullAudit(t).entry()
	wantEveryField(t, e)
	wantEveryField(t, e.Actor)
}

// What is left out of a use is left as it was.
func TestUseReplacesOnlyWhatItHas(t *testing.T) {
	use := fullUse(t)
	var rec, want useRecord
	rec.take(use)
	want.take(use)
	rec.take(auth.Use{})
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("an empty use made %+v of %+v", rec, want)
	}
	rec.take(auth.Use{Meters: []auth.MeterState{}})
	if rec.Meters != nil || rec.LastAt != want.LastAt {
		t.Errorf("a use without windows left %+v", rec)
	}
}

func TestAccountRecordsOfVersionOneAreReadForEver(t *testing.T) {
	var watched useRecord
	watched.take(fullUse(t))
	use := watched // before scopes were watched
	use.Scopes, use.WatchedAt = nil, 0
	org, allCounts := recordOfOrg(filled[Organization](t)), filled[counts](t)
	rows := allCounts // before attachments were counted
	rows.Attachments = 0
	before := rows // and before rows were
	before.Rows = 0
	older := userRecord{Email: "ann@example.com", Name: "Ann", Role: Admin, DisabledAt: 1, HasPassword: true, CreatedAt: 2, UpdatedAt: 3, Version: 4}
	user := older // with what came later
	user.Password, user.Epoch = somePHC, 5
	full := fullSession(t)
	session := recordOfSession(&full)
	confirmed := *session // with what came later
	session.ConfirmedAt = 0
	setup := &setupRecord{uid.ID{1}, auth.SetupDigest{2, 3}, stampOf(wreckTime), stampOf(wreckTime.Add(SetupTime))}
	wantEveryField(t, *setup)
	for name, c := range map[string]struct {
		kind         byte
		record, into any
	}{
		"marker":        {famMarker, &markerRecord{uid.ID{1}, 1, stampOf(wreckTime)}, &markerRecord{}},
		"totals":        {famTotals, &totalsRecord{3}, &totalsRecord{}},
		"organization":  {famOrg, org, &orgRecord{}},
		"email":         {famEmail, &emailRecord{uid.ID{1}, uid.ID{2}}, &emailRecord{}},
		"tag":           {famTag, &tagRecord{uid.ID{1}}, &tagRecord{}},
		"audit":         {famAudit, fullAudit(t), &auditRecord{}},
		"audit_head":    {famAuditHead, &auditHeadRecord{9, [32]byte{1, 2}}, &auditHeadRecord{}},
		"counts":        {famCounts, &before, &counts{}},
		"counts_rows":   {famCounts, &rows, &counts{}},
		"counts_files":  {famCounts, &allCounts, &counts{}},
		"signing_key":   {famSigningKey, &signingKeyRecord{[32]byte{1, 2}}, &signingKeyRecord{}},
		"user":          {famUser, &older, &userRecord{}},
		"session":       {famSession, session, &sessionRecord{}},
		"session_typed": {famSession, &confirmed, &sessionRecord{}},
		"setup":         {famSetup, setup, &setupRecord{}},
		"user_password": {famUser, &user, &userRecord{}},
		"key":           {famKey, recordOfKey(fullKey(t)), &keyRecord{}},
		"use":           {famUse, &use, &useRecord{}},
		"use_scopes":    {famUse, &watched, &useRecord{}},
		"hour":          {famHour, &hourRecord{1, 2, 3, 4, 5}, &hourRecord{}},
		"import":        {famImport, &importRecord{1, 2, 3, 4, 5, [32]byte{6}, 7, 8, 9}, &importRecord{}},
	} {
		key := []byte("key of " + name)
		value := must(seal(key, c.kind, c.record))
		golden := goldenBytes(t, name, value)
		if !bytes.Equal(value, golden) {
			t.Errorf("%s is written as %x\nwant %x", name, value, golden)
		}
		if err := open(key, c.kind, golden, c.into); err != nil || !reflect.DeepEqual(c.into, c.record) {
			t.Errorf("%s is read as %+v, %v\nwant %+v", name, c.into, err, c.record)
		}
	}
}

func TestAuditHashCoversEveryField(t *testing.T) {
	r := fullAudit(t)
	for i := range reflect.TypeFor[auditRecord]().NumField() {
		changed := *r
		field := reflect.ValueOf(&changed).Elem().Field(i)
		field.SetZero()
		name := reflect.TypeFor[auditRecord]().Field(i).Name
		if same := must(changed.sum()) == r.Hash; same != (name == "Hash") {
			t.Errorf("without %s the hash is the same: %t", name, same)
		}
	}
}
