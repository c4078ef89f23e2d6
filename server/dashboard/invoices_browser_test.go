package dashboard_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"exante/storage/billing"
)

// inBrowser starts a Chromium that is signed in as v.
func inBrowser(t *testing.T, v *visitor) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("needs Chromium: apt-get install chromium")
	}
	options := chromedp.WithAllocatorOptions(chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 1600))
	life, end := chromedp.NewContext(context.Background(), options)
	t.Cleanup(end)
	v.must(chromedp.Do(life))
	ctx, stop := context.WithTimeout(life, time.Minute)
	t.Cleanup(stop)
	site, err := url.Parse(v.url)
	v.must(err)
	for _, c := range v.client.Jar.Cookies(site) {
		ask(t, ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: v.url})
	}
	return ctx
}

func ask[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return value
}

func TestAnInvoicePrintsAsAPageOfItsOwn(t *testing.T) {
	s := open(t)
	inv := s.bill(s.acme, s.client(s.acme, "Acorn Ltd"), 12345, billing.Sent)
	ctx := inBrowser(t, s.as(s.acme.owner))
	s.must(chromedp.Do(ctx, chromedp.Navigate(s.url+pathOf(inv))))
	const seen = `[...document.querySelectorAll(%)].some(e => e.checkVisibility())`
	visible := func(selector string) bool {
		return evaluate[bool](t, ctx, strings.Replace(seen, "%", "`"+selector+"`", 1))
	}
	ask(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	for _, selector := range []string{"nav", "aside", "header.top", ".actions", ".no-print", ".skip", ".history"} {
		if visible(selector) {
			t.Errorf("%s is printed", selector)
		}
	}
	for _, selector := range []string{"h1", ".parties", ".table", ".sums"} {
		if !visible(selector) {
			t.Errorf("%s is not printed", selector)
		}
	}
	printed := ask(t, ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)}).Data
	const a4 = "/MediaBox [0 0 594.95" // points; Chromium rounds
	if pages := bytes.Count(printed, []byte("/MediaBox")); pages != 1 || !bytes.Contains(printed, []byte(a4)) {
		t.Errorf("%d pages, the first of A4: %v", pages, bytes.Contains(printed, []byte(a4)))
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	s.must(err)
	s.must(os.WriteFile(filepath.Join(t.ArtifactDir(), "invoice-printed.png"), png, 0o600))
}

// With a script the list follows what is typed, and so does the address.
func TestTheListFollowsWhatIsTyped(t *testing.T) {
	s := open(t)
	s.bill(s.acme, s.client(s.acme, "Acorn Ltd"), 1000)
	s.bill(s.acme, s.client(s.acme, "Birch GmbH"), 1000)
	ctx := inBrowser(t, s.as(s.acme.viewer))
	s.must(chromedp.Do(ctx, chromedp.Navigate(s.url+"/invoices"), chromedp.SendKeys(chromedp.CSS("#search"), "birch")))
	comes(t, ctx, `document.querySelectorAll("#list tbody tr").length === 1 && location.search === "?search=birch"`)
	if !evaluate[bool](t, ctx, `document.querySelector("#search").value === "birch" && document.querySelector("#list").textContent.includes("Birch GmbH")`) {
		t.Error("what was typed is gone, or another client is listed")
	}
	s.must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`input[name=status][value=PAID]`))))
	comes(t, ctx, `document.querySelector("#list").textContent.includes("No invoice matches") && location.search.includes("status=PAID")`)
	s.must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#client"), "birch and oak\n")))
	comes(t, ctx, `location.search.includes("client=birch+and+oak")`)
}

// comes waits until a condition is true.
func comes(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(5*time.Second))); err != nil {
		t.Fatalf("%s: %v, at %s", condition, err, evaluate[string](t, ctx, `location.href + document.querySelector("#list").textContent`))
	}
}
