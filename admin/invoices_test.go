package admin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"exante/admin"
)

// inFile writes a file for one test.
func inFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// onBothRoads runs a test on a stopped store and through a server.
func onBothRoads(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("stopped", func(t *testing.T) {
		dir := dataDir(t)
		must(t, "init", "--data-dir", dir)
		test(t, dir)
		must(t, "verify", "--data-dir", dir)
	})
	t.Run("running", func(t *testing.T) {
		dir := dataDir(t)
		must(t, "init", "--data-dir", dir)
		run(t, dir)
		test(t, dir)
		must(t, "verify", "--data-dir", dir)
	})
}

func TestImportTellsWhatWasRefusedAndHowItWent(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		file := inFile(t, "in.ndjson", strings.Repeat("bad\n", 12)+`{"party":{"name":"A"}}`+"\n")
		r := exante(t, "invoices", "import", file, "--data-dir", dir)
		want := "line 1: body: is not JSON\n"
		if r.code != 4 || r.stdout != "13 lines read, 1 imported, 12 refused, 0 skipped\n" || !strings.HasPrefix(r.stderr, want) ||
			strings.Contains(r.stderr, "line 11:") || !strings.Contains(r.stderr, "and 2 more; --report has them all\nexante: refused lines: 12,") {
			t.Errorf("import = %d %s%s", r.code, r.stdout, r.stderr)
		}
		again := exante(t, "invoices", "import", file, "--data-dir", dir, "--json")
		report := decode[admin.ImportReport](t, again.stdout)
		if again.code != 4 || report.Read != 13 || report.Imported != 0 || report.Refused != 0 || report.Skipped != 13 || report.SkippedRefused != 12 ||
			!strings.HasPrefix(again.stderr, "this import was finished at 20") {
			t.Errorf("again = %d %s%s", again.code, again.stdout, again.stderr)
		}
	})
}

func TestImportOfCSVIsKnownAgain(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		file := inFile(t, "in.csv", "client_name,client_address,invoice_number\nA,,N-1\nB,,N-1\nC,\"Main St\n1\",N-2\n")
		for _, want := range []string{"3 lines read, 2 imported, 1 refused, 0 skipped\n", "3 lines read, 0 imported, 0 refused, 3 skipped\n"} {
			if r := exante(t, "invoices", "import", file, "--data-dir", dir); r.code != 4 || r.stdout != want {
				t.Errorf("import = %d %s%s, want %s", r.code, r.stdout, r.stderr, want)
			}
		}
	})
}

func TestReportHasTheLinesToCorrect(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		lines := []string{`{"party":{"name":"A"},"tax_cents":"7"}`, `{"party":{"name":"A"},"invoice_number":"N"}`, `{"party":{"name":"B"},"invoice_number":"N"}`, "a\x1b[31m<b>\xff"}
		file := inFile(t, "in.jsonl", strings.Join(lines, "\n"))
		path := filepath.Join(t.TempDir(), "refused.ndjson")
		r := exante(t, "invoices", "import", file, "--report", path, "--data-dir", dir)
		if r.code != 4 || r.stdout != "4 lines read, 1 imported, 3 refused, 0 skipped\n" || strings.Contains(r.stderr, "line 1") {
			t.Errorf("import = %d %s%s", r.code, r.stdout, r.stderr)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := []admin.RefusedLine{
			{Line: 1, Reasons: []string{"tax_cents: must be an integer"}, Text: lines[0]},
			{Line: 3, Reasons: []string{"invoice_number: is taken"}, Text: lines[2]},
			{Line: 4, Reasons: []string{"body: is not valid UTF-8"}, Text: "a\x1b[31m<b>\ufffd"},
		}
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			got, want := decode[admin.RefusedLine](t, line), want[i]
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("report %+v, want %+v", got, want)
			}
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
			t.Errorf("the report has mode %v", info.Mode())
		}
	})
}

var (
	givenAnew = regexp.MustCompile(`"(uid|invoice_uid|context_type_uid|target_party_uid|owner_uid|organization_uid|party_uid|created_at|updated_at)":"[^"]*"`)
	everyLine = []string{
		`{"party":{"name":"Globex","address":"1 Street\nTown","billing_contact":{"name":"Ann","email":"ann@globex.example"}},"invoice_number":"A-1","status":"PAID","paid_date":"2025-03-01","issue_date":"2025-01-01","due_date":"2025-02-01","currency":"EUR","tax_cents":19,"line_items":[{"context_type":"PRODUCT","sku":"hour","quantity":2.5,"unit_price":999},{"context_type":"DISCOUNT","sku":"rebate","unit_price":100}],"invoice_fields":{"po":"4711","deep":{"a":[1.50,null,"ü"]}},"collection_method":"charge_automatically","document_uid":"0190b7a0-0000-7000-8000-000000000001"}`,
		`{"party":{"name":"Globex"},"status":"OVERDUE","issue_date":"2025-01-01","due_date":"2025-02-01","amount_paid_cents":7,"line_items":[{"context_type":"PRODUCT","sku":"hour","unit_price":999}]}`,
		`{"party":{"name":"=cmd, \"Inc\""},"status":"DISPUTED","amount_paid_cents":7,"invoice_number":"A-2","line_items":[{"context_type":"PRODUCT","sku":"hour"}]}`,
		`{"party":{"name":"Globex"},"status":"DRAFT","issue_date":"2026-01-01"}`,
		`{"party":{"name":"Globex"},"status":"VOID","invoice_number":"A-3","issue_date":"2026-01-01"}`,
	}
)

// What was exported, imported into another organization and exported again is the
// same, but for uids and the times of the records.
func TestExportImportExportIsTheSame(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		first := decode[[]admin.Organization](t, must(t, "orgs", "list", "--json", "--data-dir", dir))[0].UID
		must(t, "invoices", "import", inFile(t, "in.ndjson", strings.Join(everyLine, "\n")), "--org", first, "--data-dir", dir)
		second := decode[admin.Organization](t, must(t, "orgs", "create", "--name", "Second", "--json", "--data-dir", dir)).UID
		third := decode[admin.Organization](t, must(t, "orgs", "create", "--name", "Third", "--json", "--data-dir", dir)).UID

		out := filepath.Join(t.TempDir(), "out.ndjson")
		if said := must(t, "invoices", "export", "--org", first, "--output", out, "--data-dir", dir); said != "5 invoices exported to "+out+"\n" {
			t.Errorf("export said %q", said)
		}
		must(t, "invoices", "import", out, "--org", second, "--numbers", "new", "--data-dir", dir)
		before, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		after := must(t, "invoices", "export", "--org", second, "--data-dir", dir)
		anew := func(text string) string { return givenAnew.ReplaceAllString(text, `"$1":"-"`) }
		if anew(string(before)) != anew(after) {
			t.Errorf("exported\n%s\nimported and exported again\n%s", anew(string(before)), anew(after))
		}

		rows := must(t, "invoices", "export", "--org", first, "--format", "csv", "--data-dir", dir)
		must(t, "invoices", "import", inFile(t, "rows.csv", rows), "--org", third, "--numbers", "new", "--data-dir", dir)
		same := func(csv string) string {
			return anyTime.ReplaceAllString(anyUID.ReplaceAllString(csv, "U"), "T")
		}
		if again := must(t, "invoices", "export", "--org", third, "--format", "csv", "--data-dir", dir); !strings.Contains(rows, `"'=cmd, ""Inc"""`) || same(rows) != same(again) {
			t.Errorf("as CSV\n%s\nand again\n%s", rows, again)
		}
	})
}

func TestHostileLinesAreRefusedAndHurtNobody(t *testing.T) {
	onBothRoads(t, func(t *testing.T, dir string) {
		good := `{"party":{"name":"A"}}`
		lines := []string{
			good, `{"party":{"name":"A\u0000"}}`, "{\"party\":{\"name\":\"\x00\"}}", strings.Repeat("[", 100_000), `{"party":` + strings.Repeat(`{"a":`, 500) + `1` + strings.Repeat("}", 501),
			`{"tax_cents":` + strings.Repeat("9", 300_000) + `,"party":{"name":"A"}}`, `{"x":"` + strings.Repeat("y", 2<<20) + `"}`, `{"party":{"name":"` + strings.Repeat("n", 500_000) + `"}}`,
			`{"party":{"name":"A"},"invoice_fields":{"k":"` + strings.Repeat("v", 900_000) + `"}}`, good,
		}
		file := inFile(t, "in.ndjson", strings.Join(lines, "\n"))
		path := filepath.Join(t.TempDir(), "refused")
		r := exante(t, "invoices", "import", file, "--report", path, "--data-dir", dir)
		if r.code != 4 || r.stdout != "10 lines read, 2 imported, 8 refused, 0 skipped\n" {
			t.Errorf("import = %d %s%s", r.code, r.stdout, r.stderr)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var reasons []string
		for d := json.NewDecoder(strings.NewReader(string(text))); d.More(); {
			var l admin.RefusedLine
			if err := d.Decode(&l); err != nil {
				t.Fatal(err)
			}
			reasons = append(reasons, l.Reasons...)
		}
		want := "body: contains NUL|body: contains NUL|body: is nested deeper than 32 levels|body: is nested deeper than 32 levels|" +
			"tax_cents: must be 0 to 9007199254740991|line: has more than 1 MiB|party.name: must have 1 to 200 characters|invoice_fields: is larger than 64 KiB"
		if got := strings.Join(reasons, "|"); got != want {
			t.Errorf("reasons %s\nwant %s", got, want)
		}
	})
}

func TestImportWantsToKnowWhatItReads(t *testing.T) {
	dir := dataDir(t)
	must(t, "init", "--data-dir", dir)
	file := inFile(t, "in.txt", "")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"FILE|- is missing", nil},
		{"flag --format must be ndjson or csv", []string{file}},
		{"flag --format must be ndjson or csv", []string{file, "--format", "xlsx"}},
		{"flag --numbers must be keep or new", []string{file, "--format", "csv", "--numbers", "some"}},
		{"flag --id is missing", []string{"-", "--format", "ndjson"}},
	} {
		fails(t, 2, c.want, append([]string{"invoices", "import", "--data-dir", dir}, c.args...)...)
	}
	fails(t, 1, "no such file", "invoices", "import", file+".csv", "--data-dir", dir)
	fails(t, 1, "is a directory", "invoices", "import", filepath.Dir(file), "--format", "csv", "--data-dir", dir)
	if got := must(t, "invoices", "import", "-", "--format", "ndjson", "--id", "empty", "--data-dir", dir); got != "0 lines read, 0 imported, 0 refused, 0 skipped\n" {
		t.Errorf("from standard input: %s", got)
	}
}

func TestExportLeavesNoHalfFile(t *testing.T) {
	dir, out := dataDir(t), filepath.Join(t.TempDir(), "out.csv")
	must(t, "init", "--data-dir", dir)
	if err := os.WriteFile(out, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, 4, "status: is not known: LOST", "invoices", "export", "--status", "LOST", "--output", out, "--data-dir", dir)
	if text, err := os.ReadFile(out); string(text) != "before" {
		t.Errorf("a failed export left %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}
