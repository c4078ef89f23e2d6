package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/storage/kv/disk"
	"exante/storage/kv/disk/disktest"
)

const mib = 1 << 20

// A disk that something else fills, under load: see the steps.
func TestFullDiskIsAnErrorAndNeverACrash(t *testing.T) {
	dir := disktest.Mount(t, 256*mib)
	admin := shellKey(t, dir, "--name", "admin", "--rate-limit", "1000000000/1s,1000000/1h")
	low, late := shellKey(t, dir, "--name", "low"), shellKey(t, dir, "--name", "late")
	s := serve(t, dir, "--metrics-listen", "127.0.0.1:0")
	s.wantDegraded(dir, false)
	s.waitFor("the ballast", func() bool { return disktest.Free(t, dir) < 240*mib })
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", admin.Key, `{"name":"Client"}`).want(t, 201)).UID
	told := &diskLedger{invoices: map[string]string{}}
	told.load(t, s, admin.Key, party)
	s.waitFor("a hundred invoices", func() bool { return told.count() >= 100 })

	t.Log("between the limits: changes are refused, reads, keys and revocations work")
	part := disktest.Fill(t, dir, 10*mib)
	s.waitFor("writers that are refused", func() bool { return told.refused.Load() >= 100 })
	a := s.call("POST", "/api/parties", admin.Key, `{"name":"One more"}`)
	a.wantError(t, 503, "low_disk")
	if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	told.check(t, s, admin.Key)
	if ready := s.call("GET", "/readyz", "", "").want(t, 200); string(ready.body) != `{"status":"ready","degraded":["low_disk"]}` {
		t.Errorf("readyz says %s", ready.body)
	}
	s.wantDegraded(dir, true)
	s.call("GET", "/api/invoices", low.Key, "").want(t, 200)
	mustShell(t, "keys", "revoke", low.UID, "--yes", "--data-dir", dir)
	s.call("GET", "/api/invoices", low.Key, "").wantError(t, 401, "api_key_revoked")
	refused := shell(t, "keys", "create", "--name", "x", "--data-dir", dir)
	if refused.code != 1 || !strings.Contains(refused.stderr, "MiB on the file system of "+dir) || !strings.Contains(refused.stderr, "\nhint: ") {
		t.Errorf("keys create: %d %q", refused.code, refused.stderr)
	}

	t.Log("nothing left: nothing is written")
	rest := disktest.Fill(t, dir, 0)
	s.call("DELETE", "/api/api-keys/"+late.UID, admin.Key, "").wantError(t, 503, "low_disk")
	s.call("GET", "/api/invoices", late.Key, "").want(t, 200)
	told.check(t, s, admin.Key)
	if n := strings.Count(s.output.String(), "disk space is low: writes are refused"); n != 1 {
		t.Errorf("the log says %d times that it is low", n)
	}

	t.Log("kill -9 and a start on the full disk: reads, and revocations")
	s.kill()
	told.rest()
	s = serve(t, dir)
	told.check(t, s, admin.Key)
	s.call("GET", "/api/invoices", low.Key, "").wantError(t, 401, "api_key_revoked")
	s.call("POST", "/api/parties", admin.Key, `{"name":"One more"}`).wantError(t, 503, "low_disk")
	s.call("DELETE", "/api/api-keys/"+late.UID, admin.Key, "").want(t, 200)
	s.call("GET", "/api/invoices", late.Key, "").wantError(t, 401, "api_key_revoked")

	t.Log("a clean stop and a start on the full disk")
	s.stop()
	s = serve(t, dir)
	told.check(t, s, admin.Key)

	t.Log("space is back: so are writes, and the ballast")
	told.load(t, s, admin.Key, party)
	before := told.count()
	part()
	rest()
	freed := time.Now()
	s.waitFor("writes", func() bool { return told.count() > before })
	if took := time.Since(freed); took > 2*time.Second {
		t.Errorf("writes were back after %v", took)
	}
	s.waitFor("the ballast", func() bool { return strings.Contains(ls(t, dir), disk.BallastFile) })
	mustShell(t, "verify", "--data-dir", dir)
	told.rest()
	s.stop()
	mustShell(t, "verify", "--data-dir", dir)
	s = serve(t, dir)
	told.check(t, s, admin.Key)
	for _, k := range []apiKey{low, late} {
		s.call("GET", "/api/invoices", k.Key, "").wantError(t, 401, "api_key_revoked")
	}
	t.Logf("%d invoices acknowledged, %d refused, 0 lost", told.count(), told.refused.Load())
}

// wantDegraded holds status, healthcheck and metrics to whether disk space is low.
func (s *server) wantDegraded(dir string, low bool) {
	s.t.Helper()
	const says = "disk space is low: writes are refused until some is freed"
	series := `exante_degraded{what="low_disk"} 0`
	if low {
		series = `exante_degraded{what="low_disk"} 1`
	}
	r := shell(s.t, "healthcheck", "--data-dir", dir)
	if r.code != 0 || r.stdout != "ready\n" || strings.Contains(r.stderr, says) != low {
		s.t.Errorf("healthcheck = %+v", r)
	}
	if text := mustShell(s.t, "status", "--data-dir", dir); strings.HasPrefix(text, "attention:\n  "+says) != low {
		s.t.Errorf("status = %s", text)
	}
	if text := s.scrape(); !strings.Contains(text, "\n"+series+"\n") {
		s.t.Errorf("there is no %s in\n%s", series, text)
	}
}

// diskLedger is what clients were told while the disk filled.
type diskLedger struct {
	mu       sync.Mutex
	invoices map[string]string // uid → invoice number
	refused  atomic.Int64
	serial   atomic.Int64
	done     chan struct{}
	writers  sync.WaitGroup
}

// load has four clients create invoices until rest, or until the server is gone. A
// refusal may only be a 503 low_disk.
func (l *diskLedger) load(t *testing.T, s *server, key, party string) {
	l.done = make(chan struct{})
	t.Cleanup(l.rest)
	for range 4 {
		l.writers.Go(func() {
			for !l.resting() {
				number := fmt.Sprintf("D-%d", l.serial.Add(1))
				a, err := s.try("POST", "/api/invoices", key, `{"target_party_uid":"`+party+`","invoice_number":"`+number+
					`","line_items":[{"context_type":"PRODUCT","sku":"hour","quantity":1.5,"unit_price":9900}]}`)
				var body struct {
					Data struct{ UID string }
					Code string
				}
				switch {
				case err != nil:
					return // killed
				case json.Unmarshal(a.body, &body) != nil:
					t.Errorf("no JSON: %d %s", a.status, a.body)
				case a.status == 201:
					l.mu.Lock()
					l.invoices[body.Data.UID] = number
					l.mu.Unlock()
				case a.status == 503 && body.Code == "low_disk":
					l.refused.Add(1)
				default:
					t.Errorf("a write was answered %d %s", a.status, a.body)
					return
				}
			}
		})
	}
}

func (l *diskLedger) resting() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

func (l *diskLedger) rest() {
	if !l.resting() {
		close(l.done)
	}
	l.writers.Wait()
}

func (l *diskLedger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.invoices)
}

// check looks up every acknowledged invoice.
func (l *diskLedger) check(t *testing.T, s *server, key string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for uid, number := range l.invoices {
		if a := s.call("GET", "/api/invoices/"+uid, key, ""); a.status != 200 || !strings.Contains(string(a.body), `"`+number+`"`) {
			t.Fatalf("acknowledged invoice %s is lost: %d %s", number, a.status, a.body)
		}
	}
}

// Where even the ballast is not enough nothing is opened, and the message says what
// to do.
func TestStartIsRefusedOnADiskThatIsTooFull(t *testing.T) {
	dir := disktest.Mount(t, 64*mib)
	k := shellKey(t, dir, "--name", "admin")
	empty := disktest.Fill(t, dir, mib)
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"keys", "list"}, {"verify"}} {
		r := shell(t, append(args, "--data-dir", dir)...)
		if r.code != 7 || !strings.Contains(r.stderr, "free ") || !strings.Contains(r.stderr, " bytes (") ||
			!strings.Contains(r.stderr, "on the file system of "+dir+"; nothing is damaged, nothing is lost") {
			t.Errorf("%v: exit %d %q", args, r.code, r.stderr)
		}
	}
	empty()
	serve(t, dir).call("GET", "/api/invoices", k.Key, "").want(t, 200)
}

func TestUploadThatMeetsALowDiskLeavesNothing(t *testing.T) {
	dir := disktest.Mount(t, 256*mib)
	admin := shellKey(t, dir, "--name", "admin")
	s := serve(t, dir)
	s.waitFor("the ballast", func() bool { return disktest.Free(t, dir) < 240*mib })
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", admin.Key, `{"name":"Client"}`).want(t, 201)).UID
	path := "/api/invoices/" + data[struct{ UID string }](t, s.call("POST", "/api/invoices", admin.Key, `{"target_party_uid":"`+party+
		`","line_items":[{"context_type":"PRODUCT","sku":"hour","unit_price":9900}]}`).want(t, 201)).UID + "/attachment"
	var form strings.Builder
	for n := range 4 {
		fmt.Fprintf(&form, "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"%d.bin\"\r\n\r\n%s\r\n", n, strings.Repeat("x", 8*mib))
	}
	form.WriteString("--b--\r\n")
	media := []string{"Content-Type", "multipart/form-data; boundary=b"}

	empty := disktest.Fill(t, dir, 24*mib)
	s.call("POST", path, admin.Key, form.String(), media...).wantError(t, 503, "low_disk")
	for range 20 {
		s.call("POST", path, admin.Key, form.String(), media...).wantError(t, 503, "low_disk")
	}
	list := data[struct{ Items []any }](t, s.call("GET", path+"s", admin.Key, "").want(t, 200))
	if len(list.Items) != 0 {
		t.Errorf("%d attachments are half there", len(list.Items))
	}
	if n := strings.Count(s.output.String(), "level=WARN") + strings.Count(s.output.String(), "level=ERROR"); n > 3 {
		t.Errorf("%d warnings:\n%s", n, s.output)
	}
	empty()
	s.waitFor("writes", func() bool {
		return s.call("POST", "/api/parties", admin.Key, `{"name":"Another"}`).status == 201
	})
	s.call("POST", path, admin.Key, form.String(), media...).want(t, 201)
	s.stop()
	mustShell(t, "verify", "--data-dir", dir)
}

func TestImportThatMeetsALowDiskGoesOnAfterwards(t *testing.T) {
	const lines = 40_000
	dir := disktest.Mount(t, 512*mib)
	shellKey(t, dir, "--name", "admin")
	s := serve(t, dir)
	s.waitFor("the ballast", func() bool { return strings.Contains(ls(t, dir), disk.BallastFile) })
	file := importFile(t, lines, simpleLine)
	empty := disktest.Fill(t, dir, 30*mib)
	r := shell(t, "invoices", "import", file, "--data-dir", dir)
	if r.code != 1 || !strings.Contains(r.stderr, "disk space is low: free ") || !strings.Contains(r.stderr, "\nhint: ") {
		t.Fatalf("import on a low disk: %d %q", r.code, r.stderr)
	}
	mustShell(t, "verify", "--data-dir", dir)
	empty()
	s.waitFor("writes", func() bool { return shell(t, "orgs", "create", "--name", "Other", "--data-dir", dir).code == 0 })
	var orgs []struct{ UID, Name string }
	if err := json.Unmarshal([]byte(mustShell(t, "orgs", "list", "--json", "--data-dir", dir)), &orgs); err != nil {
		t.Fatal(err)
	}
	for _, org := range orgs {
		if org.Name != "Other" {
			report := imported(t, 0, file, "--org", org.UID, "--data-dir", dir)
			if report.Skipped == 0 || report.Imported == 0 || report.Read != lines {
				t.Errorf("the second run: %+v", report)
			}
		}
	}
	mustShell(t, "verify", "--data-dir", dir)
	s.stop()
}

// ls is what a directory has, a name a line.
func ls(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&names, e.Name())
	}
	return names.String()
}
