package server_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/server"
	"exante/storage/billing"
)

// exported asks for an export that must come to its end.
func (w *world) exported(query, key string) (reply, []string) {
	w.tb.Helper()
	r := w.get("/api/invoices/export"+query, key)
	if r.status != 200 {
		w.tb.Fatalf("export%s: %d %s", query, r.status, r.body)
	}
	return r, slices.Collect(strings.Lines(r.body))
}

// many makes n sent and unsent invoices of so many lines.
func (w *world) many(t tenant, n, lines int) (ids []uid.ID) {
	w.tb.Helper()
	party, err := w.store.CreateParty(w.tb.Context(), t.by, billing.PartyPatch{Name: new("Client")})
	w.must(err)
	patch := make([]billing.LinePatch, lines)
	for i := range patch {
		patch[i] = billing.LinePatch{Type: new(billing.Product), SKU: new("s"), UnitPrice: new(billing.Cents(7))}
	}
	for i := range n {
		status := []billing.Status{billing.Draft, billing.Sent}[i%2]
		inv, err := w.store.CreateInvoice(w.tb.Context(), t.by, billing.InvoicePatch{PartyID: &party.ID, Status: &status, Lines: &patch})
		w.must(err)
		ids = append(ids, inv.ID)
	}
	return ids
}

func TestExportHasEveryInvoiceAsItReads(t *testing.T) {
	w := start(t, nil)
	ids := w.many(w.acme, 250, 2)
	w.invoice(w.acme.key, `"invoice_fields":{"note":"a\nb","deep":[1,{"x":"\u2028"}]},"invoice_number":"=1+1"`)
	w.many(w.rival, 3, 1)
	r, lines := w.exported("?sort=created_at", w.acme.key)
	if len(lines) != 251 {
		t.Fatalf("%d lines, want 251", len(lines))
	}
	for i, line := range lines[:250] {
		want := w.get("/api/invoices/"+ids[i].String(), w.acme.key).body
		if line[len(line)-1] != '\n' || !strings.HasSuffix(want, `"data":`+line[:len(line)-1]+"}") {
			t.Fatalf("line %d is %s\nwant %s", i, line, want)
		}
	}
	if !json.Valid([]byte(lines[250])) || !strings.Contains(lines[250], `"a\nb"`) {
		t.Errorf("the last line is %s", lines[250])
	}
	if r.header.Get("Content-Type") != "application/x-ndjson" || r.header.Get("Cache-Control") != "no-store" ||
		r.header.Get("Content-Disposition") != `attachment; filename="invoices-2026-11-23.ndjson"` {
		t.Errorf("headers %v", r.header)
	}
	if _, again := w.exported("?format=ndjson&sort=created_at", w.acme.key); !slices.Equal(again, lines) {
		t.Error("format=ndjson is not the default")
	}
}

func TestExportTakesTheFiltersOfTheListAndNothingElse(t *testing.T) {
	w := start(t, nil)
	w.many(w.acme, 6, 1)
	w.clock.Advance(40 * 24 * time.Hour)
	w.many(w.acme, 3, 1)
	for query, want := range map[string]int{
		"?status=OVERDUE": 3, "?status=DRAFT,SENT": 6, "?total_from=8": 0, "?currency=USD&sort=-due_date": 9,
		"?updated_since=2026-12-01": 3, "?format=csv&status=OVERDUE": 4,
	} {
		if _, lines := w.exported(query, w.acme.key); len(lines) != want {
			t.Errorf("%s: %d lines, want %d", query, len(lines), want)
		}
	}
	for query, want := range map[string]string{
		"?page=1": "page: is not a known parameter", "?per_page=10": "per_page: is not a known parameter",
		"?cursor=": "cursor: is not a known parameter", "?format=xlsx": "format: must be one of ndjson, csv",
		"?format=": "format: must not be empty", "?status=LOST": "status: must be one of ", "?colour=1": "colour: is not a known parameter",
	} {
		if got := w.refused(w.get("/api/invoices/export"+query, w.acme.key), 422, "invalid"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if r := w.do("HEAD", "/api/invoices/export", w.acme.key, ""); r.status != 200 || r.body != "" {
		t.Errorf("HEAD: %d %q", r.status, r.body)
	}
	w.refused(w.get("/api/invoices/export", ""), 401, "missing_authorization")
}

func TestExportAsCSVIsWhatTheListShows(t *testing.T) {
	w := start(t, nil)
	w.party(w.acme.key, "unused")
	for _, name := range []string{`Plain`, `Comma, Inc. "quoted"`, `=HYPERLINK("http://x")`, `+1`, `-1`, `@sum`, `'=already`, `'s-Gravenhage`, `ünïcode 株式会社`} {
		party := w.party(w.acme.key, strings.ReplaceAll(name, "\t", " "))["uid"]
		w.data(w.do("POST", "/api/invoices", w.acme.key, fmt.Sprintf(
			`{"target_party_uid":%q,"tax_cents":19,"line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":1000},{"context_type":"DISCOUNT","sku":"d","unit_price":100}]}`, party)), 201)
	}
	r, lines := w.exported("?format=csv&sort=created_at", w.acme.key)
	if r.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasSuffix(r.header.Get("Content-Disposition"), `.csv"`) {
		t.Errorf("headers %v", r.header)
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, "\r\n") {
			t.Errorf("line %q does not end with CR LF", line)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if err != nil || len(rows) != 10 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	names := []string{"Plain", `Comma, Inc. "quoted"`, `'=HYPERLINK("http://x")`, "'+1", "'-1", "'@sum", "''=already", "'s-Gravenhage", "ünïcode 株式会社"}
	items := w.data(w.get("/api/invoices?sort=created_at&per_page=100", w.acme.key), 200)["items"].([]any)
	for i, row := range rows[1:] {
		cells := map[string]string{}
		for n, name := range rows[0] {
			cells[name] = row[n]
		}
		item := items[i].(map[string]any)
		if cells["client_name"] != names[i] {
			t.Errorf("client %q, want %q", cells["client_name"], names[i])
		}
		if cells["client_uid"] != item["parties"].(map[string]any)["client"].(map[string]any)["uid"] {
			t.Errorf("row %v is not of item %v", row, item)
		}
		for name, cell := range cells {
			if v, has := item[name]; has && textOf(v) != cell {
				t.Errorf("%s is %q, the list says %v", name, cell, v)
			}
		}
		for name := range maps.Keys(item) {
			_, has := cells[name]
			if !has && !slices.Contains([]string{"total", "parent_contract", "blueprint", "parties"}, name) {
				t.Errorf("the list has %s, the export has not", name)
			}
		}
	}
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprint(v)
}

// slowExport asks for an export and reads only its head.
func (w *world) slowExport() (*http.Response, net.Conn) {
	w.tb.Helper()
	conn, err := net.Dial("tcp", w.addr)
	w.must(err)
	w.tb.Cleanup(func() { conn.Close() })
	w.must(conn.(*net.TCPConn).SetReadBuffer(128 << 10))
	_, err = fmt.Fprintf(conn, "GET /api/invoices/export HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", w.acme.key)
	w.must(err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	return resp, conn
}

// wantCutOff reads on and wants an end that is none.
func wantCutOff(t *testing.T, resp *http.Response) {
	t.Helper()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("an export that was cut off looks complete after %d bytes", n)
	}
}

// More than a socket takes while nobody reads.
func startLarge(t *testing.T, change func(*server.Options)) *world {
	w := start(t, change)
	w.many(w.acme, 60, 1000)
	return w
}

func TestOnlyAFewExportsAtOnce(t *testing.T) {
	w := startLarge(t, nil)
	var conns []net.Conn
	for range 3 {
		resp, conn := w.slowExport()
		if resp.StatusCode != 200 {
			t.Fatalf("export: %d", resp.StatusCode)
		}
		conns = append(conns, conn)
	}
	r := w.get("/api/invoices/export", w.acme.key)
	w.refused(r, 503, "busy")
	if r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	if r := w.get("/api/invoices", w.acme.key); r.status != 200 {
		t.Errorf("beside exports the list answers %d", r.status)
	}
	if r := w.get("/api/invoices/export", w.rival.key); r.status != 200 {
		t.Errorf("beside those of one organization the export of another answers %d", r.status)
	}
	conns[0].Close() // a client that goes away gives its place back
	waitFor(t, "a place for an export", func() bool {
		return w.get("/api/invoices/export?total_from=9000000", w.acme.key).status == 200
	})
}

func TestClientThatStopsReadingIsCutOff(t *testing.T) {
	w := startLarge(t, func(o *server.Options) { o.ExportStall = 200 * time.Millisecond })
	var stalled []*http.Response
	for range 3 { // all the places there are
		resp, _ := w.slowExport()
		stalled = append(stalled, resp)
	}
	waitFor(t, "a place to be given back", func() bool {
		return w.get("/api/invoices/export?total_from=9000000", w.acme.key).status == 200
	})
	cut := 0 // the others may still be within their time
	for _, resp := range stalled {
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			cut++
		}
	}
	if cut == 0 {
		t.Error("the export that was cut off looks complete")
	}
}

// A client may take longer for all of it than any other answer may take.
func TestExportOutlivesTheDeadlineOfAnAnswer(t *testing.T) {
	w := startLarge(t, func(o *server.Options) { o.WriteTimeout = 100 * time.Millisecond })
	resp, _ := w.slowExport()
	began, buf, lines := time.Now(), make([]byte, 256<<10), 0
	for time.Since(began) < 300*time.Millisecond { // takes its time over the first bytes
		n, err := io.ReadFull(resp.Body, buf[:1<<10])
		if err != nil {
			t.Fatal(err)
		}
		lines += strings.Count(string(buf[:n]), "\n")
		time.Sleep(time.Millisecond)
	}
	for {
		n, err := resp.Body.Read(buf)
		lines += strings.Count(string(buf[:n]), "\n")
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if lines != 60 {
		t.Errorf("%d lines, want 60", lines)
	}
}

func TestExportCutOffInTheMiddleDoesNotLookComplete(t *testing.T) {
	w := startLarge(t, nil)
	resp, _ := w.slowExport()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.server.Shutdown(ctx); err == nil {
		t.Error("the export was over before it was to be cut off")
	}
	wantCutOff(t, resp)
}

// A key that is revoked opens nothing more, not even the rest of an export.
func TestRevokedKeyCutsItsExportOff(t *testing.T) {
	w := startLarge(t, nil)
	resp, _ := w.slowExport()
	w.data(w.do("DELETE", "/api/api-keys/"+w.acme.id, w.acme.key, ""), 200)
	wantCutOff(t, resp)
}

func TestExportWantsChunks(t *testing.T) {
	w := start(t, nil)
	conn, err := net.Dial("tcp", w.addr)
	w.must(err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/invoices/export HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", w.acme.key)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	if resp.StatusCode != 505 {
		t.Errorf("over HTTP/1.0: %d, want 505", resp.StatusCode)
	}
}
