package server_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"exante/server/openapi/contract"
	"exante/storage"
)

// TestEveryOperationKeepsToTheDocument sends valid, almost valid and hostile
// requests to every operation of the document. Whatever comes: no 5xx, no answer
// that is not in the document, nothing taken that the document forbids, nothing
// changed by what was refused, and nothing of it seen by the other tenant.
// -rapid.checks=1000 makes it longer.
func TestEveryOperationKeepsToTheDocument(t *testing.T) {
	w := start(t, nil)
	p := &prober{world: w, t: t}
	w.invoice(w.rival.key, `"line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":1}]`)
	rival := p.dump(w.rival)
	operations := slices.Clone(document(t).Operations)
	slices.SortFunc(operations, func(a, b *contract.Operation) int { // reads first: writes leave huge amounts behind
		return cmp.Or(strings.Compare(order(a.Method), order(b.Method)), strings.Compare(a.ID, b.ID))
	})
	for _, o := range operations {
		t.Run(o.ID, func(t *testing.T) {
			p.taken, p.refused = 0, 0
			for round := 0; round < 5 && (round == 0 || p.taken == 0); round++ { // one in 25 is taken of some operations
				rapid.Check(t, func(rt *rapid.T) { p.probe(rt, o) })
			}
			t.Logf("%d requests were taken, %d refused", p.taken, p.refused)
			if p.taken == 0 || p.refused == 0 && !o.Open {
				t.Error("both must happen")
			}
		})
	}
	if after := p.dump(w.rival); after != rival {
		t.Errorf("the rival's records changed:\n%s\nwere\n%s", after, rival)
	}
}

func order(method string) string { return strings.Replace(method, "GET", "", 1) }

// prober sends drawn requests and judges the answers.
type prober struct {
	*world
	t              *testing.T
	stock          map[string][]string // uids by what they name; nil: to be made anew
	last           string              // dump after the last request; "": unknown
	taken, refused int
}

// restock sees to it that there is something to act on.
func (p *prober) restock() {
	if p.stock != nil {
		return
	}
	inv := p.invoice(p.acme.key, `"line_items":[{"context_type":"PRODUCT","sku":"s","unit_price":5},{"context_type":"PRODUCT","sku":"t","unit_price":6}]`)
	sent := p.invoice(p.acme.key, `"status":"SENT","tax_cents":9007199254740991`)
	file := p.attach(inv["uid"].(string))
	key, _ := p.mint(p.acme, storage.KeyDraft{Name: "Stock", Scopes: scopes(p.t, "parties:read")})
	p.stock = map[string][]string{
		"invoices": {inv["uid"].(string)}, "payable": {sent["uid"].(string)}, "parties": {inv["target_party_uid"].(string)}, "api-keys": {key},
		"organization_uid": {p.acme.org.ID.String()}, "target_party_uid": {inv["target_party_uid"].(string)},
		"attachment_uid": {file["uid"].(string)}, "link": {path.Base(file["presigned_url"].(string))},
		"owner_uid": {inv["owner_uid"].(string)}, "invoice": {inv["uid"].(string)},
	}
	for _, line := range inv["line_items"].([]any) {
		p.stock["line"] = append(p.stock["line"], line.(map[string]any)["uid"].(string))
	}
}

// attach adds a file to an invoice.
func (p *prober) attach(invoice string) map[string]any {
	r := p.do("POST", "/api/invoices/"+invoice+"/attachment", p.acme.key, formOf(upload{"files", "a.txt", "text"}), "Content-Type", formMedia)
	var made struct{ Data []map[string]any }
	p.must(json.Unmarshal([]byte(r.body), &made))
	return made.Data[0]
}

// uids supplies an operation: mostly what is there, sometimes what is absent or
// the rival's.
func (p *prober) uids(o *contract.Operation) supply {
	return func(t *rapid.T, name string) string {
		kind := name
		switch {
		case name == "uid path" && strings.HasSuffix(o.Path, "/payments"):
			kind = "payable"
		case name == "uid path":
			kind = strings.Split(o.Path, "/")[2]
		case strings.HasSuffix(o.Path, "/line_items"):
			kind = "line"
		case name == "uid" || name == "body":
			kind = "invoice"
		}
		known := p.stock[kind]
		if len(known) == 0 || rapid.IntRange(0, 5).Draw(t, name+" is absent") == 0 {
			return rapid.SampledFrom([]string{absent, p.rival.org.ID.String(), p.rival.id, strings.ToUpper(absent)}).Draw(t, name)
		}
		return rapid.SampledFrom(known).Draw(t, name)
	}
}

// attempt is one request.
type attempt struct {
	method, path, query string
	header              http.Header
	body                string
	valid               bool // meant to be right
	allowed             bool // as far as the document tells, body and parameters are
}

func (a attempt) String() string {
	return fmt.Sprintf("%s %.200q?%.200q %.300q %.600q", a.method, a.path, a.query, a.header, a.body)
}

func (p *prober) draw(t *rapid.T, o *contract.Operation) attempt {
	a := attempt{method: o.Method, path: o.Path, header: http.Header{}, allowed: true}
	mood := rapid.SampledFrom([]string{"valid", "almost", "hostile"}).Draw(t, "mood")
	a.valid = mood == "valid"
	p.drawParameters(t, o, &a)
	if o.Body != nil && (o.BodyNeeded || rapid.Bool().Draw(t, "with body")) {
		value := drawValue(t, o.Body, "body", p.uids(o))
		if mood == "almost" {
			value = mutate(t, value)
		}
		a.body = encode(value)
		a.header.Set("Content-Type", "application/json")
	}
	if o.Form {
		drawForm(t, mood, &a)
	}
	switch {
	case mood == "almost" && (o.Body == nil || rapid.IntRange(0, 3).Draw(t, "parameter too") == 0):
		drawWrongParameter(t, o, &a)
	case mood == "hostile":
		drawHostility(t, o, &a)
	}
	if o.Body != nil && a.body != "" {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
		a.allowed = a.allowed && err == nil && o.Body.Validate(value) == nil
	}
	if !o.Open && a.header.Get("Authorization") == "" {
		a.header.Set("Authorization", "Bearer "+p.acme.key)
	}
	return a
}

func (p *prober) drawParameters(t *rapid.T, o *contract.Operation, a *attempt) {
	uids := p.uids(o)
	for _, param := range o.Parameters {
		if !param.Required && rapid.IntRange(0, 7).Draw(t, "with "+param.Name) > 0 {
			continue
		}
		switch param.In {
		case "path":
			name := param.Name
			if name == "uid" {
				name = "uid path"
			}
			a.path = strings.Replace(a.path, "{"+param.Name+"}", uids(t, name), 1)
		case "query":
			a.query += "&" + url.QueryEscape(param.Name) + "=" + url.QueryEscape(flat(drawValue(t, param.Schema, param.Name, uids)))
		case "header":
			a.header.Set(param.Name, rapid.SampledFrom([]string{"*", `"1"`, "abc.DEF-1_2"}).Draw(t, param.Name))
		}
	}
	a.query = strings.TrimPrefix(a.query, "&")
}

// flat is a value as a parameter has it.
func flat(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = flat(list[i])
	}
	return strings.Join(parts, ",")
}

// malformed finds complaints about the form of a request, which one that the
// document allows must not meet. That * stands alone among scopes it says in words.
var malformed = regexp.MustCompile(`must be (an? |[0-9])|[^s]: must be one of|must have [0-9]|is not known here|not a known parameter|must not be empty|: is required"`)

// probe sends one request and judges the answer.
func (p *prober) probe(t *rapid.T, o *contract.Operation) {
	p.restock()
	if p.last == "" {
		p.last = p.dump(p.acme)
	}
	before := p.last
	a := p.draw(t, o)
	r, err := p.send(a)
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if r.status >= 500 {
		t.Errorf("%s: %d %s\n%s", a, r.status, r.body, p.log)
	}
	answer := contract.Answer{Method: a.method, Target: a.path, Status: r.status, Header: r.header, Body: []byte(r.body)}
	if err := document(p.t).Check(answer); err != nil {
		t.Errorf("%s: %v", a, err)
	}
	p.last = p.dump(p.acme)
	changed := p.last != before
	switch {
	case r.status >= 400:
		p.refused++
		if a.valid && (!slices.Contains([]int{404, 409, 412, 422}, r.status) || malformed.MatchString(r.body)) {
			t.Errorf("%s is in the document, and was refused with %d %s", a, r.status, r.body)
		}
		if changed {
			t.Errorf("%s was refused with %d %s, and changed something", a, r.status, r.body)
		}
	default:
		p.taken++
		if !a.allowed {
			t.Errorf("%s is not in the document, and was answered with %d %s", a, r.status, r.body)
		}
		if changed && o.Method == "GET" {
			t.Errorf("%s changed something", a)
		}
	}
	if changed {
		p.stock, p.last = nil, ""
	}
}

// send puts the request on the wire as it is, however odd.
func (p *prober) send(a attempt) (reply, error) {
	req, err := http.NewRequest(a.method, "http://"+p.addr, bytes.NewReader([]byte(a.body)))
	if err != nil {
		return reply{}, err
	}
	req.URL.Opaque, req.URL.RawQuery, req.Header = a.path, a.query, a.header
	if host := a.header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(text)}, err
}

// dump is all that an organization has, but for what use leaves behind.
func (p *prober) dump(of tenant) string {
	var b strings.Builder
	invoices, err := p.store.Invoices(p.t.Context(), of.org.ID, storage.InvoiceQuery{Page: 1, PerPage: 100, Sort: storage.ByCreated, Desc: true})
	p.must(err)
	parties, n, err := p.store.Parties(p.t.Context(), of.org.ID, storage.PartyQuery{Page: 1, PerPage: 100, Sort: "created_at", Desc: true})
	p.must(err)
	text, err := json.Marshal([]any{invoices.Total, invoices.Items, n, parties})
	p.must(err)
	b.Write(text)
	for _, k := range p.store.Keys(of.org.ID) {
		fmt.Fprintf(&b, "%s %d\n", k.ID, k.Version)
	}
	return b.String()
}
