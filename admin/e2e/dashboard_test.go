package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const ownerPassword = "a long enough sentence"

// setupLink is what a server tells while nobody has a password.
var setupLink = regexp.MustCompile(`https?://[^\s"]+/setup/\S+`)

// window sets how wide the page is and whether it is dark.
func (b *browser) window(width int64, scheme string) {
	b.t.Helper()
	b.do("set the width", chromedp.EmulateViewport(width, 900))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// setUp chooses a password by the link that the server has told.
func (b *browser) setUp(s *server) {
	b.t.Helper()
	s.waitFor("the setup link", func() bool { return setupLink.MatchString(s.output.String()) })
	b.do("open the setup link", chromedp.Navigate(setupLink.FindString(s.output.String())))
	b.do("choose a password", chromedp.SendKeys(chromedp.CSS(`input[name=password]`), ownerPassword))
	b.follow("send it", click(`main form > button`))
	b.arrive("/overview")
}

// follow carries out actions that lead to another page, waits for that page, and
// returns its response.
func (b *browser) follow(what string, actions ...chromedp.Action[chromedp.Void]) *network.Response {
	b.t.Helper()
	response, err := chromedp.RunResponse(b.ctx, actions...)
	if err != nil {
		b.t.Fatalf("%s: %v\ncomplaints: %q", what, err, b.complaints)
	}
	return response
}

// arrive waits until the browser is at a path and the page is there.
func (b *browser) arrive(path string) {
	b.t.Helper()
	b.until("arrive at "+path, fmt.Sprintf(`location.pathname === %q && document.readyState === "complete"`, path))
}

// until asks again and again until an expression is true. It asks from here: in a page
// without scripts nothing that waits comes back.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var ok bool
		if ok, err = chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); ok {
			return
		}
	}
	b.t.Fatalf("%s: not within 20 s: %v\nat %s\ncomplaints: %q", what, err, read(b, "ask where", chromedp.Location()), b.complaints)
}

func (b *browser) text() string {
	b.t.Helper()
	return read(b, "read the page", chromedp.Text(chromedp.CSS("body")))
}

// fits fails if the page is wider than the window.
func (b *browser) fits(what string) {
	b.t.Helper()
	wide := read(b, "measure", chromedp.Evaluate[string](`(() => {
		const most = document.documentElement.clientWidth
		if (document.documentElement.scrollWidth <= most) return ""
		const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > most + 1 && getComputedStyle(e).position !== "absolute")
		return document.documentElement.scrollWidth + " of " + most + ": " + out.slice(-3).map(e => e.outerHTML.slice(0, 150)).join("\n")
	})()`))
	if wide != "" {
		b.t.Errorf("%s is wider than the window: %s", what, wide)
	}
}

var uids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// kindOf is what a link leads to, without which one of them.
func kindOf(link string) string {
	path, query, _ := strings.Cut(link, "?")
	path = uids.ReplaceAllString(path, ":uid")
	names := []string{}
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.TrimSuffix(path+"?"+strings.Join(names, "&"), "?")
}

// TestEveryPageIsForEverybody follows the links from the overview, opens one page of
// each kind, and holds it against axe-core, our policy and the window: light and
// wide, then dark and narrow. Forms that change nothing yet are pages too.
func TestEveryPageIsForEverybody(t *testing.T) {
	axeSource(t)
	b := openBrowser(t)
	s := peopled(t)
	b.window(1280, "light")
	b.do("open the sign-in page", chromedp.Navigate(s.url+"/sign-in"))
	b.accessible("/sign-in")
	b.picture("sign-in")
	b.setUp(s)

	seen, opened, queue := map[string]int{}, map[string]bool{}, []string{"/overview"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		kind := kindOf(path)
		most := 1
		if kind == "/invoices/:uid" {
			most = 2 // what can be done to one depends on its status
		}
		if opened[path] || seen[kind] == most || strings.HasPrefix(kind, "/docs") || strings.Contains(kind, "/attachments/") {
			continue
		}
		seen[kind]++
		opened[path] = true
		for _, look := range []struct {
			width  int64
			scheme string
		}{{1280, "light"}, {360, "dark"}} {
			b.window(look.width, look.scheme)
			b.do("open "+path, chromedp.Navigate(s.url+path))
			what := fmt.Sprintf("%s at %d, %s", path, look.width, look.scheme)
			b.fits(what)
			b.accessible(what)
			b.whole(fmt.Sprintf("%s-%d-%s", strings.Trim(strings.NewReplacer("/", "_", "?", "+", "&", "+", ":", "").Replace(kind), "_"), look.width, look.scheme))
		}
		queue = append(queue, read(b, "collect links", chromedp.Evaluate[[]string](
			`[...document.querySelectorAll("a[href]")].map(a => a.getAttribute("href")).filter(h => h.startsWith("/") && !h.startsWith("//"))`))...)
	}
	for _, kind := range []string{"/overview", "/invoices", "/invoices/:uid", "/invoices/:uid/send", "/invoices/:uid/void", "/invoices/:uid/payment", "/audit", "/settings/api-keys", "/settings/api-keys/new", "/settings/api-keys/:uid",
		"/settings/api-keys/:uid/rotate", "/settings/api-keys/:uid/revoke", "/settings/users", "/settings/organization", "/settings/account"} {
		if seen[kind] == 0 {
			t.Errorf("no link led to %s", kind)
		}
	}
	t.Logf("%d kinds of pages", len(seen))
	b.quiet(s.url)
}

// peopled is a server in which there is something to see on every page.
func peopled(t *testing.T) *server {
	t.Helper()
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	key := shellKey(t, dir, "--name", "Billing")
	old := shellKey(t, dir, "--name", "Old import")
	s := serve(t, dir)
	s.call("DELETE", "/api/api-keys/"+old.UID, key.Key, "").want(t, 200)
	party := data[struct {
		UID string `json:"uid"`
	}](t, s.call("POST", "/api/parties", key.Key, `{"name":"Blue Harbor Ltd"}`).want(t, 201))
	for i, status := range []string{"SENT", "SENT", "APPROVED", "DRAFT", "SENT"} {
		made := data[struct {
			UID string `json:"uid"`
		}](t, s.call("POST", "/api/invoices", key.Key, fmt.Sprintf(`{"target_party_uid":%q,"currency":"EUR","status":%q,"issue_date":"2020-01-01","due_date":"2020-01-%02d",
			"line_items":[{"context_type":"PRODUCT","sku":"consulting","quantity":%d,"unit_price":12500}]}`, party.UID, status, i+1, i+1)).want(t, 201))
		if i == 4 {
			s.call("POST", "/api/invoices/"+made.UID+"/payments", key.Key, `{"amount_cents":4000,"reference":"wire 4711"}`).want(t, 201)
		}
	}
	s.call("GET", "/api/invoices/"+party.UID, key.Key, "").want(t, 404)
	s.call("GET", "/api/invoices", key.Key, "")
	return s
}
