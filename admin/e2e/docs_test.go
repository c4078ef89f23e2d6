package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A person opens the documentation in a browser, signs in with a key and tries an
// operation. Nothing comes from elsewhere, and the policy is never violated.
func TestDocsPageTriesAnOperationInABrowser(t *testing.T) {
	b := openBrowser(t)
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	s := serve(t, dir)
	key := shellKey(t, dir, "--name", "documentation")
	document, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}

	b.do("open the page", chromedp.Navigate(s.url+"/docs"), chromedp.WaitVisible(chromedp.CSS(`.opblock`)))
	title := read(b, "read the title", chromedp.Title())
	shown := read(b, "count the operations", chromedp.Evaluate[int](`document.querySelectorAll(".opblock").length`))
	if title != "exante API" || shown != len(document.Operations) {
		t.Errorf("%q shows %d operations, want %d", title, shown, len(document.Operations))
	}
	b.picture("operations")

	const operation chromedp.CSS = `#operations-API_keys-getCurrentApiKey`
	b.do("authorize", click(`button.authorize`), chromedp.SendKeys(chromedp.CSS(`.auth-container input`), key.Key),
		click(`.auth-btn-wrapper button.authorize`), click(`.auth-btn-wrapper button.btn-done`))
	b.do("open the operation", click(operation+` .opblock-summary-control`), click(operation+` button.execute`))
	answered := read(b, "read the answer", chromedp.Text(operation+` .live-responses-table tbody`))
	if !strings.HasPrefix(strings.TrimSpace(answered), "200") || !strings.Contains(answered, key.UID) {
		t.Errorf("the operation answered %s", answered)
	}
	b.picture("tried")
	b.quiet(s.url)
}

// click waits for an element and clicks on it.
func click(element chromedp.CSS) chromedp.Action[chromedp.Void] { return chromedp.Click(element) }
