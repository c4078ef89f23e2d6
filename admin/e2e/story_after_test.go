package e2e

import (
	"bytes"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestAKeyIsNowhereAfterItsPage looks for a key wherever a browser or a server could have
// kept it, once the page that showed it is left.
func TestAKeyIsNowhereAfterItsPage(t *testing.T) {
	profile := t.TempDir()
	o := openStory(t, true, chromedp.UserDataDir(profile))
	o.comesIn()
	o.follow("begin", chromedp.Navigate(o.s.url+"/settings/api-keys/new"))
	o.do("name it", chromedp.SendKeys(chromedp.CSS(`#name`), "Billing sync"))
	shown := o.follow("create", chromedp.Click(chromedp.Search(`//main//button[.="Create key"]`)))
	if shown.Status != 200 || shown.Headers["Cache-Control"] != "no-store" || shown.FromDiskCache {
		t.Errorf("the page of the key: %d, %v", shown.Status, shown.Headers)
	}
	secret := o.keeps()
	middle := secret[16:32]

	places := map[string]string{"the page after": o.source()}
	o.do("go back", chromedp.Evaluate[chromedp.Void](`history.back()`))
	o.until("the page before", `!location.href.endsWith("?")`)
	places["the page on the way back"] = o.source()
	o.do("go forward", chromedp.Evaluate[chromedp.Void](`history.forward()`))
	o.until("the page after", `location.href.endsWith("?")`)
	places["the page on the way forward"] = o.source()
	for _, e := range read(o.browser, "read the history", chromedp.NavigationEntries()).Entries {
		places["history: "+e.URL] = e.URL + e.UserTypedURL + e.Title
	}
	places["storage"] = read(o.browser, "read the storage", chromedp.Evaluate[string](`caches.keys().then(names =>
		"storage: " + JSON.stringify([localStorage, sessionStorage, names, document.cookie, history.state, name]))`, chromedp.EvalAwaitPromise))
	o.works(secret)
	for name, text := range diskContents(t, o.s.dir) {
		places["running: "+name] = string(text)
	}
	o.quiet(o.s.url)
	if err := chromedp.Cancel(o.ctx); err != nil {
		t.Fatal(err)
	}
	o.s.stop()
	places["output of serve"] = o.s.output.String()
	for name, text := range diskContents(t, o.s.dir) {
		places["stopped: "+name] = string(text)
	}
	seen := 0
	for name, text := range diskContents(t, profile) {
		places["profile: "+name] = string(text)
		seen += bytes.Count(text, []byte(o.s.url))
	}
	for place, text := range places {
		if strings.Contains(text, middle) {
			t.Errorf("the key is in %s", place)
		}
	}
	if seen == 0 || len(places) < 15 || !strings.Contains(places["output of serve"], "/settings/api-keys") || !strings.Contains(places["storage"], "storage: ") {
		t.Errorf("the search sees little: %d places, the server %d times in the profile", len(places), seen)
	}
}

// source is all of the page, and what its fields hold.
func (b *browser) source() string {
	b.t.Helper()
	b.until("the page", `document.readyState === "complete"`)
	return read(b, "read the fields", chromedp.Evaluate[string](`[...document.querySelectorAll("input, textarea")].map(f => f.value).join("\n") + document.documentElement.outerHTML`))
}
