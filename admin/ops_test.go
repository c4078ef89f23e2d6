package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/admin"
	"exante/server"
	"exante/storage"
)

// The contract of Ops. Every step runs on the open store and through the socket
// of a server, each on a store of its own; answers, messages, hints and exit
// codes must agree.

// walk is one run of the steps: what later steps need of earlier ones.
type walk struct {
	ops   admin.Ops
	store *storage.Store // for what only a browser does
	key   admin.NewKey
	care  admin.NewKey
	org   admin.Organization
}

// named resolves the word "second".
func (w *walk) named(org string) string {
	if org == "second" {
		return w.org.UID
	}
	return org
}

const absent = "019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11"

func days(n int) *int { return &n }

// step is one call. code is its exit code on either road.
type step struct {
	method string
	name   string
	code   int
	do     func(context.Context, *walk) (any, error)
}

func createKey(in admin.KeyRequest) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) { return w.ops.CreateKey(ctx, in) }
}

func rotateKey(grace int) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		return w.ops.RotateKey(ctx, admin.RotateRequest{UID: w.key.UID, GraceDays: grace})
	}
}

func createUser(in admin.UserRequest) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org = w.named(in.Org)
		return w.ops.CreateUser(ctx, in)
	}
}

func keysOf(org string) func(context.Context, *walk) (any, error) { return found(org, "") }

func found(org, finding string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		return w.ops.APIKeys(ctx, admin.KeysRequest{Org: w.named(org), Finding: finding})
	}
}

func usersOf(org string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) { return w.ops.Users(ctx, admin.OrgRef{Org: org}) }
}

func listOrgs(ctx context.Context, w *walk) (any, error) { return w.ops.Orgs(ctx) }

func setOrg(in admin.OrgChange) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org = w.named(in.Org)
		return w.ops.SetOrg(ctx, in)
	}
}

func verify(ctx context.Context, w *walk) (any, error) {
	calls := 0
	report, err := w.ops.Verify(ctx, func(done, total int) {
		if calls++; done > total {
			panic(fmt.Sprintf("progress %d of %d", done, total))
		}
	})
	if calls == 0 {
		return nil, fmt.Errorf("no progress was told")
	}
	report.Records = 0 // depends on how much was written
	return report, err
}

func recordsOf(in admin.AuditRequest) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org = w.named(in.Org)
		records, err := w.ops.AuditRecords(ctx, in)
		for i := range records { // which differ from run to run
			records[i].At, records[i].Prev, records[i].Hash = "", "", ""
		}
		return records, err
	}
}

func verifyAudit(path string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		calls := 0
		report, err := w.ops.VerifyAudit(ctx, admin.AuditCheck{Copy: path}, func(done, total int) { calls++ })
		if err == nil && (report.Copy == nil || calls == 0 || report.Lines != report.Records) {
			return nil, fmt.Errorf("%d progress notes, %+v", calls, report)
		}
		report.Copy = nil
		return report, err
	}
}

// importOf imports text; the answer has what was refused, and the report.
func importOf(in admin.ImportRequest, id byte, text string) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org, in.ID = w.named(in.Org), strings.Repeat(fmt.Sprintf("%02x", id), 32)
		if in.Numbers == "" {
			in.Numbers = "keep"
		}
		calls, refused := 0, []admin.RefusedLine{}
		note := func(l admin.RefusedLine) error { refused = append(refused, l); return nil }
		report, err := w.ops.ImportInvoices(ctx, in, strings.NewReader(text), note, func(int, int) { calls++ })
		if err == nil && report.Imported > 0 && calls == 0 {
			return nil, fmt.Errorf("no progress was told")
		}
		return []any{refused, report}, err
	}
}

func exportOf(in admin.ExportRequest) func(context.Context, *walk) (any, error) {
	return func(ctx context.Context, w *walk) (any, error) {
		in := in
		in.Org = w.named(in.Org)
		var out bytes.Buffer
		report, err := w.ops.ExportInvoices(ctx, in, &out, nil)
		return []any{out.String(), report}, err
	}
}

// backup reads back what was written; how much that is depends on what was before.
func backup(ctx context.Context, w *walk) (any, error) {
	var out bytes.Buffer
	calls := 0
	report, err := w.ops.Backup(ctx, &out, func(done, total int) { calls++ })
	if err != nil {
		return nil, err
	}
	of, err := storage.CheckBackup(ctx, bytes.NewReader(out.Bytes()), storage.RestoreOptions{})
	if err != nil || of.Entries != report.Entries || of.Sequence != report.Sequence || report.Bytes != int64(out.Len()) || calls == 0 {
		return nil, fmt.Errorf("%+v in %d bytes read back as %+v, %v; progress %d times", report, out.Len(), of, err, calls)
	}
	report.Entries, report.Sequence, report.Bytes = 0, 0, 0
	return report, nil
}

const fileOfLines = `{"party":{"name":"Globex"},"invoice_number":"A-1","status":"PAID","created_at":"2020-01-01","issue_date":"2020-01-01","line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":100}]}
not json
{"party":{"name":"Globex"},"tax_cents":"1","nope":1}
{"party":{"name":"Globex"},"invoice_number":"A-1"}
{"target_party_uid":"` + absent + `"}
{"party":{"name":"Globex"},"status":"PARTIALLY_PAID"}
{"party":{"name":"Globex"},"invoice_number":"INV-2026-000001"}
`

var steps = slices.Concat(storeSteps, careSteps, lastSteps)

var storeSteps = []step{
	{"Orgs", "none yet", 0, listOrgs},
	{"SetOrg", "none yet", 3, setOrg(admin.OrgChange{Name: new("n")})},
	{"Users", "none yet", 0, usersOf("")},
	{"APIKeys", "none yet", 0, keysOf("")},
	{"CreateUser", "without an organization", 3, createUser(admin.UserRequest{Email: "a@b.example"})},
	{"CreateKey", "makes the first organization", 0, func(ctx context.Context, w *walk) (out any, err error) {
		w.key, err = w.ops.CreateKey(ctx, admin.KeyRequest{Name: "first"})
		return w.key, err
	}},
	{"Orgs", "the default one", 0, listOrgs},
	{"SetOrg", "the only one", 0, setOrg(admin.OrgChange{Name: new("Blue Harbor"), Currency: new("eur")})},
	{"SetOrg", "to what it is", 0, setOrg(admin.OrgChange{Currency: new("EUR")})},
	{"SetOrg", "bad name and currency", 4, setOrg(admin.OrgChange{Name: new(""), Currency: new("XXX")})},
	{"Users", "its owner", 0, usersOf("")},
	{"CreateKey", "with all there is", 0, createKey(admin.KeyRequest{
		Name: "narrow", Scopes: []string{"invoices:read", "parties:write"}, Networks: []string{"10.0.0.0/8", "2001:db8::/32"},
		ExpiresInDays: days(90), RateLimit: "600/1m,20000/24h",
	})},
	{"CreateKey", "until a time", 0, createKey(admin.KeyRequest{Name: "dated", ExpiresAt: "2999-01-01T00:00:00+02:00"})},
	{"CreateKey", "until a date", 0, createKey(admin.KeyRequest{Name: "dated", ExpiresAt: "2999-01-01"})},
	{"CreateKey", "for ever", 0, createKey(admin.KeyRequest{Name: "eternal", ExpiresAt: "never"})},
	{"CreateKey", "no name", 4, createKey(admin.KeyRequest{})},
	{"CreateKey", "long name", 4, createKey(admin.KeyRequest{Name: strings.Repeat("n", 201)})},
	{"CreateKey", "unknown scope", 4, createKey(admin.KeyRequest{Name: "n", Scopes: []string{"invoices:delete"}})},
	{"CreateKey", "no scope", 4, createKey(admin.KeyRequest{Name: "n", Scopes: []string{}})},
	{"CreateKey", "bad limit", 4, createKey(admin.KeyRequest{Name: "n", RateLimit: "many"})},
	{"CreateKey", "bad network", 4, createKey(admin.KeyRequest{Name: "n", Networks: []string{"10.0.0.1/8"}})},
	{"CreateKey", "no days", 4, createKey(admin.KeyRequest{Name: "n", ExpiresInDays: days(0)})},
	{"CreateKey", "too many days", 4, createKey(admin.KeyRequest{Name: "n", ExpiresInDays: days(3651)})},
	{"CreateKey", "days and a time", 4, createKey(admin.KeyRequest{Name: "n", ExpiresInDays: days(1), ExpiresAt: "never"})},
	{"CreateKey", "time gone by", 4, createKey(admin.KeyRequest{Name: "n", ExpiresAt: "2001-01-01"})},
	{"CreateKey", "no time", 4, createKey(admin.KeyRequest{Name: "n", ExpiresAt: "soon"})},
	{"CreateKey", "malformed user", 4, createKey(admin.KeyRequest{Name: "n", User: "ada"})},
	{"CreateKey", "absent user", 4, createKey(admin.KeyRequest{Name: "n", User: absent})},
	{"CreateKey", "malformed organization", 3, createKey(admin.KeyRequest{Name: "n", Org: "tidewater"})},
	{"CreateKey", "absent organization", 3, createKey(admin.KeyRequest{Name: "n", Org: absent})},
	{"CreateUser", "a viewer", 0, createUser(admin.UserRequest{Email: "Ada@B.example", Name: "Ada"})},
	{"CreateUser", "address taken", 4, createUser(admin.UserRequest{Email: "ada@b.example"})},
	{"CreateUser", "bad address", 4, createUser(admin.UserRequest{Email: "ada"})},
	{"CreateUser", "bad role", 4, createUser(admin.UserRequest{Email: "c@b.example", Role: "emperor"})},
	{"CreateOrg", "without a name", 4, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.CreateOrg(ctx, admin.OrgRequest{})
	}},
	{"CreateOrg", "a second", 0, func(ctx context.Context, w *walk) (out any, err error) {
		w.org, err = w.ops.CreateOrg(ctx, admin.OrgRequest{Name: "Second", OwnerEmail: "o@second.example"})
		return w.org, err
	}},
	{"CreateOrg", "owner's address taken", 4, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.CreateOrg(ctx, admin.OrgRequest{Name: "Third", OwnerEmail: "o@second.example"})
	}},
	{"SetOrg", "the second", 0, setOrg(admin.OrgChange{Org: "second", Name: new("Second & Sons")})},
	{"SetOrg", "which organization", 2, setOrg(admin.OrgChange{Name: new("n")})},
	{"SetOrg", "absent", 3, setOrg(admin.OrgChange{Org: absent, Name: new("n")})},
	{"SetOrg", "malformed", 3, setOrg(admin.OrgChange{Org: "tidewater", Name: new("n")})},
	{"CreateKey", "in which organization", 2, createKey(admin.KeyRequest{Name: "n"})},
	{"CreateUser", "in which organization", 2, createUser(admin.UserRequest{Email: "d@b.example"})},
	{"CreateUser", "in the second", 0, createUser(admin.UserRequest{Org: "second", Email: "d@b.example", Role: "admin"})},
	{"APIKeys", "of the second", 0, keysOf("second")},
	{"APIKeys", "that never end", 0, found("", "no_expiry")},
	{"APIKeys", "of the second about which anything is found", 0, found("second", "any")},
	{"APIKeys", "unknown finding", 4, found("", "ugly")},
	{"APIKeys", "of an absent organization", 3, keysOf(absent)},
	{"Users", "of a malformed organization", 3, usersOf("x")},
	{"RotateKey", "too long a grace", 4, rotateKey(31)},
	{"RotateKey", "with grace", 0, rotateKey(7)},
	{"RotateKey", "once more", 4, rotateKey(0)},
	{"RotateKey", "absent", 3, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.RotateKey(ctx, admin.RotateRequest{UID: absent})
	}},
	{"RevokeKey", "the first", 0, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.RevokeKey(ctx, admin.KeyRef{UID: w.key.UID})
	}},
	{"RevokeKey", "again", 0, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.RevokeKey(ctx, admin.KeyRef{UID: w.key.UID})
	}},
	{"RevokeKey", "absent", 3, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.RevokeKey(ctx, admin.KeyRef{UID: absent})
	}},
	{"APIKey", "revoked", 0, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.APIKey(ctx, admin.KeyRef{UID: w.key.UID})
	}},
	{"APIKey", "malformed", 3, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.APIKey(ctx, admin.KeyRef{UID: "zapier"})
	}},
	{"APIKey", "absent", 3, func(ctx context.Context, w *walk) (any, error) {
		return w.ops.APIKey(ctx, admin.KeyRef{UID: absent})
	}},
	{"ImportInvoices", "in which organization", 2, importOf(admin.ImportRequest{Format: "ndjson"}, 1, fileOfLines)},
	{"ImportInvoices", "no request", 4, importOf(admin.ImportRequest{Org: "second", Format: "xml", Numbers: "odd"}, 1, "")},
	{"ImportInvoices", "an absent organization", 3, importOf(admin.ImportRequest{Org: absent, Format: "csv"}, 1, "")},
	{"ImportInvoices", "dry run", 0, importOf(admin.ImportRequest{Org: "second", Format: "ndjson", DryRun: true}, 1, fileOfLines)},
	{"ImportInvoices", "lines of all kinds", 0, importOf(admin.ImportRequest{Org: "second", Format: "ndjson"}, 1, fileOfLines)},
	{"ImportInvoices", "again", 0, importOf(admin.ImportRequest{Org: "second", Format: "ndjson"}, 1, fileOfLines)},
	{"ImportInvoices", "another file", 4, importOf(admin.ImportRequest{Org: "second", Format: "ndjson"}, 1, fileOfLines+"more\n")},
	{"ImportInvoices", "new numbers", 0, importOf(admin.ImportRequest{Org: "second", Format: "ndjson", Numbers: "new"}, 2,
		`{"party":{"name":"Globex"},"invoice_number":"INV-2020-000009","status":"SENT"}`)},
	{"ImportInvoices", "rows", 0, importOf(admin.ImportRequest{Org: "second", Format: "csv"}, 3, "client_name,sku,unit_price\nNew,s,5\nNew,s\n")},
	{"ImportInvoices", "unknown column", 4, importOf(admin.ImportRequest{Org: "second", Format: "csv"}, 4, "colour\n")},
	{"ImportInvoices", "no header line", 4, importOf(admin.ImportRequest{Org: "second", Format: "csv"}, 4, "")},
	{"ImportInvoices", "an empty file", 0, importOf(admin.ImportRequest{Org: "second", Format: "ndjson"}, 4, "")},
	{"ExportInvoices", "as NDJSON", 0, exportOf(admin.ExportRequest{Org: "second", Format: "ndjson"})},
	{"ExportInvoices", "as CSV", 0, exportOf(admin.ExportRequest{Org: "second", Format: "csv", Statuses: []string{"PAID", "SENT"}, UpdatedSince: "2020-01-01"})},
	{"ExportInvoices", "no request", 4, exportOf(admin.ExportRequest{Org: "second", Statuses: []string{"LOST"}, UpdatedSince: "soon"})},
	{"ExportInvoices", "no format", 4, exportOf(admin.ExportRequest{Org: "second", Format: "xlsx"})},
	{"ExportInvoices", "in which organization", 2, exportOf(admin.ExportRequest{Format: "csv"})},
}

var lastSteps = []step{
	{"APIKeys", "all", 0, keysOf("")},
	{"Users", "all", 0, usersOf("")},
	{"Backup", "of everything", 0, backup},
	{"AuditRecords", "all", 0, recordsOf(admin.AuditRequest{})},
	{"AuditRecords", "the oldest", 0, recordsOf(admin.AuditRequest{OldestFirst: true, Limit: 3})},
	{"AuditRecords", "of the second", 0, recordsOf(admin.AuditRequest{Org: "second", Action: "invoice.", Since: "2020-01-01", Until: "2999-01-01T00:00:00Z"})},
	{"AuditRecords", "of a key", 0, func(ctx context.Context, w *walk) (any, error) {
		return recordsOf(admin.AuditRequest{Key: w.key.UID})(ctx, w)
	}},
	{"AuditRecords", "of nobody", 0, recordsOf(admin.AuditRequest{User: absent})},
	{"AuditRecords", "no request", 4, recordsOf(admin.AuditRequest{Key: "zapier", User: "ada", Since: "soon", Until: "late", Limit: 10_001})},
	{"AuditRecords", "no action", 4, recordsOf(admin.AuditRequest{Action: "key.borrow"})},
	{"AuditRecords", "of an absent organization", 3, recordsOf(admin.AuditRequest{Org: absent})},
	{"VerifyAudit", "against its copy", 0, verifyAudit("")},
	{"VerifyAudit", "against no path", 4, verifyAudit("copy")},
	{"Verify", "clean", 0, verify},
}

// outcomes runs the steps and writes each down.
func outcomes(t *testing.T, store *storage.Store, ops admin.Ops) []string {
	t.Helper()
	w, n := &walk{ops: ops, store: store}, &normal{}
	var out []string
	for _, s := range steps {
		answer, err := s.do(t.Context(), w)
		var told bytes.Buffer
		code := admin.Report(&told, err)
		if code != s.code {
			t.Errorf("%s (%s) = exit %d, want %d: %v", s.method, s.name, code, s.code, err)
		}
		text := "-"
		if err == nil {
			b, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		out = append(out, n.text(fmt.Sprintf("%s (%s) = %d %s%s", s.method, s.name, code, text, told.String())))
	}
	return out
}

func TestOpsAgreeOnBothRoads(t *testing.T) {
	localDir, remoteDir := dataDir(t), dataDir(t)
	store := openStore(t, localDir)
	defer store.Close()
	local := outcomes(t, store, admin.NewDesk(store, configOf(t, localDir), server.Wire{}, nil).As(os.Getuid()))

	remoteStore := run(t, remoteDir).store
	c := configOf(t, remoteDir)
	remote := outcomes(t, remoteStore, admin.NewRemote(c.SocketPath(), time.Minute))
	for i, s := range steps {
		if local[i] != remote[i] {
			t.Errorf("%s (%s):\nlocal  %s\nremote %s", s.method, s.name, local[i], remote[i])
		}
	}
}

func TestEveryOperationIsInTheContract(t *testing.T) {
	ops := reflect.TypeFor[admin.Ops]()
	for i := range ops.NumMethod() {
		name := ops.Method(i).Name
		if !slices.ContainsFunc(steps, func(s step) bool { return s.method == name && s.code == 0 }) {
			t.Errorf("no step calls %s with success", name)
		}
	}
}
