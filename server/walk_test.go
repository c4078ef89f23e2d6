package server_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// walk follows the links from path to the end; between is called after each page.
func (w *world) walk(path string, between func(page int)) (ids []string) {
	w.tb.Helper()
	for page := 1; path != ""; page++ {
		data := w.data(w.get(path, w.acme.key), 200)
		for _, item := range data["items"].([]any) {
			ids = append(ids, item.(map[string]any)["uid"].(string))
		}
		if meta, links := data["_meta"].(map[string]any), data["_links"].(map[string]any); meta["page"] != nil || links["prev"] != nil || meta["total_items"] == nil {
			w.tb.Fatalf("a page of a walk says %v, %v", meta, links)
		}
		path, _ = data["_links"].(map[string]any)["next"].(string)
		between(page)
	}
	return ids
}

// A walk meets every invoice once that was there all along, whatever comes
// meanwhile, in every order.
func TestWalkIsStableUnderInserts(t *testing.T) {
	w := start(t, nil)
	var all []string
	for i := range 23 {
		inv := w.invoice(w.acme.key, fmt.Sprintf(`"tax_cents":%d,"invoice_number":"N-%02d","due_date":"2027-01-%02d","status":%q`, i%4, (i*7)%23, 1+i%5, []string{"DRAFT", "SENT"}[i%2]))
		all = append(all, inv["uid"].(string))
		w.clock.Advance(time.Millisecond)
	}
	slices.Sort(all)
	for _, sort := range []string{"created_at", "updated_at", "issue_date", "due_date", "paid_date", "invoice_number", "status", "total", "overdue_days"} {
		for _, sign := range []string{"", "-"} {
			extra := map[string]bool{}
			ids := w.walk("/api/invoices?cursor=&per_page=5&sort="+sign+sort, func(page int) {
				if page < 4 {
					extra[w.invoice(w.acme.key, fmt.Sprintf(`"tax_cents":%d,"due_date":"2027-01-03"`, page))["uid"].(string)] = true
				}
			})
			met := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return extra[id] })
			slices.Sort(ids)
			slices.Sort(met)
			if len(slices.Compact(ids)) != len(ids) || !slices.Equal(met, all) {
				t.Errorf("%s%s: met %d, want each of %d once", sign, sort, len(met), len(all))
			}
			var drafts []string
			for id := range extra {
				drafts = append(drafts, fmt.Sprintf("%q", id))
			}
			w.data(w.do("DELETE", "/api/invoices", w.acme.key, "["+strings.Join(drafts, ",")+"]"), 200)
		}
	}
}

func TestCursorServesItsOwnListAlone(t *testing.T) {
	w := start(t, nil)
	for range 3 {
		w.invoice(w.acme.key, `"status":"SENT"`)
		w.invoice(w.rival.key, `"status":"SENT"`)
	}
	next := func(key string) url.Values {
		u, err := url.Parse(w.data(w.get("/api/invoices?cursor=&per_page=2&status=SENT&sort=total", key), 200)["_links"].(map[string]any)["next"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	good := next(w.acme.key)
	if data := w.data(w.get("/api/invoices?"+good.Encode(), w.acme.key), 200); len(data["items"].([]any)) != 1 || data["_links"].(map[string]any)["next"] != nil {
		t.Errorf("the second page is %v", data)
	}
	cursor := good.Get("cursor")
	for name, c := range map[string]struct{ parameter, value string }{
		"another filter":        {"status", "DRAFT"},
		"a filter more":         {"currency", "USD"},
		"another sort":          {"sort", "-total"},
		"another search":        {"search", "x"},
		"a letter changed":      {"cursor", flip(cursor, 0)},
		"its end changed":       {"cursor", cursor[:len(cursor)-2] + "BA"},
		"cut short":             {"cursor", cursor[:20]},
		"longer":                {"cursor", cursor + "AAAA"},
		"no base64":             {"cursor", "!!!"},
		"another's":             {"cursor", next(w.rival.key).Get("cursor")},
		"a forgery without MAC": {"cursor", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	} {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		q.Set(c.parameter, c.value)
		got := w.refused(w.get("/api/invoices?"+q.Encode(), w.acme.key), 422, "invalid")
		if !slices.Equal(got, []string{"cursor: is not one that this list has given for these parameters"}) {
			t.Errorf("%s: details = %q", name, got)
		}
	}
	good.Set("page", "2")
	if got := w.refused(w.get("/api/invoices?"+good.Encode(), w.acme.key), 422, "invalid"); !slices.Equal(got, []string{"page: does not go with a cursor"}) {
		t.Errorf("page beside cursor: %q", got)
	}
	good.Del("page")
	good.Set("per_page", "1") // how much is shown is no part of the list
	w.data(w.get("/api/invoices?"+good.Encode(), w.acme.key), 200)
}

func TestSearchLooksInNumberAndClientName(t *testing.T) {
	w := start(t, nil)
	party := w.data(w.do("POST", "/api/parties", w.acme.key, `{"name":"Café STRASSE"}`), 201)["uid"].(string)
	make := func(number, status string) string {
		return w.data(w.do("POST", "/api/invoices", w.acme.key, fmt.Sprintf(`{"target_party_uid":%q,"invoice_number":%q,"status":%q}`, party, number, status)), 201)["uid"].(string)
	}
	draft, sent := make("ABC-1", "DRAFT"), make("xyz-2", "SENT")
	w.invoice(w.acme.key, `"invoice_number":"Q"`)
	find := func(text string) (ids []string) {
		for _, item := range w.data(w.get("/api/invoices?sort=created_at&search="+url.QueryEscape(text), w.acme.key), 200)["items"].([]any) {
			ids = append(ids, item.(map[string]any)["uid"].(string))
		}
		return ids
	}
	for text, want := range map[string][]string{
		"abc": {draft}, "XYZ": {sent}, "straße": {draft, sent}, "cafe\u0301": {draft, sent}, "-": {draft, sent}, "nowhere": nil, "BC-1": {draft},
	} {
		if got := find(text); !slices.Equal(got, want) {
			t.Errorf("search %q finds %v, want %v", text, got, want)
		}
	}
	w.data(w.do("PUT", "/api/parties/"+party, w.acme.key, `{"name":"Initech"}`), 200)
	if got := find("initech"); !slices.Equal(got, []string{draft}) {
		t.Errorf("after the client was renamed: %v, want the draft alone", got)
	}
	if got := find("strasse"); !slices.Equal(got, []string{sent}) {
		t.Errorf("by the old name: %v, want what was sent under it", got)
	}
	if got := w.refused(w.get("/api/invoices?search="+strings.Repeat("x", 201), w.acme.key), 422, "invalid"); !slices.Equal(got, []string{"search: must have at most 200 characters"}) {
		t.Errorf("details = %q", got)
	}
}
