package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// Bad input gets a 4xx with the error object: never a 500, never a hang, and
// no effect.
func TestBadInputIsRefusedClearly(t *testing.T) {
	dir := dataDir(t)
	admin := shellKey(t, dir, "--name", "admin", "--rate-limit", "1000000/1m")
	s := serve(t, dir)
	party := data[struct{ UID string }](t, s.call("POST", "/api/parties", admin.Key, `{"name":"Client"}`).want(t, 201)).UID
	before := s.call("GET", "/api/invoices", admin.Key, "").want(t, 200)

	invoice := func(members string) string { return `{"target_party_uid":"` + party + `",` + members + `}` }
	line := func(members string) string {
		return invoice(`"line_items":[{"context_type":"PRODUCT","sku":"x",` + members + `}]`)
	}
	deep := func(n int) string {
		return invoice(`"invoice_fields":{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"empty":                   {" ", 400, "malformed_json"},
		"not json":                {"hello", 400, "malformed_json"},
		"cut":                     {`{"name":`, 400, "malformed_json"},
		"trailing data":           {invoice(`"currency":"USD"`) + "{}", 400, "malformed_json"},
		"byte order mark":         {"\ufeff" + invoice(`"currency":"USD"`), 400, "malformed_json"},
		"duplicate names":         {invoice(`"currency":"USD","currency":"EUR"`), 400, "malformed_json"},
		"duplicate names, nested": {invoice(`"invoice_fields":{"a":1,"a":2}`), 400, "malformed_json"},
		"duplicate by escape":     {invoice(`"currency":"USD","\u0063urrency":"EUR"`), 400, "malformed_json"},
		"invalid utf-8":           {invoice(`"invoice_number":"` + "\xff" + `"`), 400, "malformed_json"},
		"lone surrogate":          {invoice(`"invoice_number":"\ud800"`), 400, "malformed_json"},
		"raw NUL":                 {invoice(`"invoice_number":"` + "\x00" + `"`), 400, "malformed_json"},
		"escaped NUL":             {invoice(`"invoice_number":"\u0000"`), 400, "malformed_json"},
		"deep nesting":            {deep(33), 400, "malformed_json"},
		"very deep nesting":       {deep(400_000), 400, "malformed_json"},
		"array for an object":     {`[]`, 422, "invalid"},
		"null":                    {`null`, 422, "invalid"},
		"unknown field":           {invoice(`"total_cents":5`), 422, "invalid"},
		"other case":              {invoice(`"Currency":"USD"`), 422, "invalid"},
		"mass assignment":         {invoice(`"organization_uid":"` + party + `"`), 422, "invalid"},
		"number for a string":     {invoice(`"currency":5`), 422, "invalid"},
		"unknown currency":        {invoice(`"currency":"usd"`), 422, "invalid"},
		"unknown status":          {invoice(`"status":"NEW"`), 422, "invalid"},
		"string for an integer":   {invoice(`"tax_cents":"30"`), 422, "invalid"},
		"float for an integer":    {invoice(`"tax_cents":1.0`), 422, "invalid"},
		"exponent for an integer": {invoice(`"tax_cents":1e2`), 422, "invalid"},
		"2^53":                    {invoice(`"tax_cents":9007199254740992`), 422, "invalid"},
		"2^63":                    {invoice(`"tax_cents":9223372036854775808`), 422, "invalid"},
		"huge number":             {invoice(`"tax_cents":1` + strings.Repeat("0", 5000)), 422, "invalid"},
		"negative tax":            {invoice(`"tax_cents":-1`), 422, "invalid"},
		"product overflow":        {line(`"quantity":999999999,"unit_price":9007199254740991`), 422, "invalid"},
		"seven decimals":          {line(`"quantity":0.0000001,"unit_price":1`), 422, "invalid"},
		"negative quantity":       {line(`"quantity":-1,"unit_price":1`), 422, "invalid"},
		"quantity as a string":    {line(`"quantity":"1","unit_price":1`), 422, "invalid"},
		"other currency on line":  {line(`"currency":"EUR","unit_price":1`), 422, "invalid"},
		"no price known":          {line(`"quantity":1`), 422, "invalid"},
		"too many lines":          {invoice(`"line_items":[` + strings.Repeat(`{"context_type":"PRODUCT","sku":"x","unit_price":1},`, 1000) + `{"context_type":"PRODUCT","sku":"x","unit_price":1}]`), 422, "invalid"},
		"bad date":                {invoice(`"issue_date":"2026-02-30"`), 422, "invalid"},
		"due before issue":        {invoice(`"issue_date":"2026-02-02","due_date":"2026-02-01"`), 422, "invalid"},
		"long number":             {invoice(`"invoice_number":"` + strings.Repeat("x", 65) + `"`), 422, "invalid"},
		"control character":       {invoice(`"invoice_number":"a\u001bb"`), 422, "invalid"},
		"bidi override":           {invoice(`"invoice_number":"a\u202eb"`), 422, "invalid"},
		"reserved number":         {invoice(`"invoice_number":"INV-2026-000001"`), 422, "invalid"},
		"unknown party":           {`{"target_party_uid":"01934a5e-7c00-7abc-8def-0123456789ab"}`, 422, "invalid"},
		"malformed party":         {`{"target_party_uid":"x"}`, 422, "invalid"},
		"no party":                {`{}`, 422, "invalid"},
		"too many fields":         {invoice(`"invoice_fields":{` + manyFields(101) + `}`), 422, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			s.call("POST", "/api/invoices", admin.Key, c.body).wantError(t, c.status, c.code)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	t.Run("every bad field is named", func(t *testing.T) {
		a := s.call("POST", "/api/invoices", admin.Key, `{"target_party_uid":7,"currency":"x","tax_cents":-1,"nope":1}`)
		a.wantError(t, 422, "invalid")
		for _, field := range []string{"target_party_uid: ", "currency: ", "tax_cents: ", "nope: "} {
			if !strings.Contains(string(a.body), `"`+field) {
				t.Errorf("%s is not named: %s", field, a.body)
			}
		}
	})
	t.Run("media types", func(t *testing.T) {
		for _, m := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=latin1", "text/plain; application/json", "application/jsonp"} {
			s.call("POST", "/api/parties", admin.Key, `{"name":"x"}`, "Content-Type", m).wantError(t, 415, "unsupported_media_type")
		}
		s.call("POST", "/api/parties", admin.Key, `{"name":"Fine"}`, "Content-Type", "application/json; charset=utf-8").want(t, 201)
	})
	t.Run("compressed bodies", func(t *testing.T) {
		var bomb bytes.Buffer
		z := gzip.NewWriter(&bomb)
		z.Write(bytes.Repeat([]byte{' '}, 10<<20))
		z.Close()
		for _, encoding := range []string{"gzip", "br", "deflate", "zstd", "gzip, gzip", "x"} {
			s.call("POST", "/api/parties", admin.Key, bomb.String(), "Content-Encoding", encoding).wantError(t, 415, "unsupported_encoding")
		}
	})
	t.Run("too large", func(t *testing.T) {
		s.call("POST", "/api/parties", admin.Key, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`).wantError(t, 413, "too_large")
	})
	t.Run("names", func(t *testing.T) {
		for _, name := range []string{"", " ", "a\u0007", "a\u202e", strings.Repeat("ä", 201), "\u2028"} {
			text, _ := json.Marshal(name)
			s.call("POST", "/api/parties", admin.Key, `{"name":`+string(text)+`}`).wantError(t, 422, "invalid")
			s.call("POST", "/api/api-keys", admin.Key, `{"name":`+string(text)+`}`).wantError(t, 422, "invalid")
		}
	})
	t.Run("keys", func(t *testing.T) {
		for _, members := range []string{
			`"scopes":[]`, `"scopes":["nope"]`, `"scopes":"invoices:read"`, `"scopes":["*","invoices:read"]`,
			`"expires_in_days":0`, `"expires_in_days":3651`, `"expires_in_days":1.5`, `"expires_in_days":"30"`,
			`"allowed_cidrs":["10.0.0.1/8"]`, `"allowed_cidrs":["x"]`, `"rate_limits":["1/1s"]`, `"uid":"x"`,
		} {
			s.call("POST", "/api/api-keys", admin.Key, `{"name":"x",`+members+`}`).wantError(t, 422, "invalid")
		}
	})
	t.Run("query", func(t *testing.T) {
		for _, q := range []string{
			"page=0", "page=x", "page=1&page=2", "per_page=101", "per_page=0", "sort=nope", "status=NOPE", "nope=1",
			"total_from=1.5", "due_date_from=x", "target_party_uid=x", "currency=usd", "page=99999999999999999999", "%zz=1",
		} {
			s.call("GET", "/api/invoices?"+q, admin.Key, "").wantError(t, 422, "invalid")
		}
	})
	t.Run("uids in paths", func(t *testing.T) {
		bodies := map[string]bool{}
		for _, uid := range []string{"x", "01934a5e-7c00-7abc-8def-0123456789ab", party, "..%2f..", "%00", strings.Repeat("9", 300)} {
			a := s.call("GET", "/api/invoices/"+uid, admin.Key, "", "X-Request-Id", "same")
			a.wantError(t, 404, "not_found")
			bodies[string(a.body)] = true
		}
		if len(bodies) != 1 {
			t.Errorf("%d different bodies for absent invoices: %v", len(bodies), bodies)
		}
	})
	after := s.call("GET", "/api/invoices", admin.Key, "").want(t, 200)
	if !bytes.Equal(before.body, after.body) {
		t.Errorf("refused requests changed the list:\n%s\n%s", before.body, after.body)
	}
	if strings.Contains(s.output.String(), "level=ERROR") {
		t.Errorf("the log has errors:\n%s", s.output)
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"k` + strings.Repeat("x", i) + `":1`)
	}
	return b.String()
}
