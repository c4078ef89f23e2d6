package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// mostBytes is what a page may cost a browser that has nothing of us yet.
const mostBytes = 80 << 10

// TestTheFirstPageIsLight weighs what comes over the network, headers too.
func TestTheFirstPageIsLight(t *testing.T) {
	b := openBrowser(t)
	s := peopled(t)
	weigh := func(path string) {
		t.Helper()
		call(b, network.ClearBrowserCache, cdp.Empty{})
		before := b.bytes()
		b.follow("open "+path, chromedp.Navigate(s.url+path))
		b.arrive(path)
		if n := b.bytes() - before; n > mostBytes || n < 10<<10 {
			t.Errorf("%s costs %.1f KiB, want 10 to %d", path, n/1024, mostBytes>>10)
		} else {
			t.Logf("%s costs %.1f KiB", path, n/1024)
		}
	}
	weigh("/sign-in")
	b.setUp(s)
	weigh("/overview")
	weigh("/settings/api-keys")
	b.quiet(s.url)
}

// What moves without being asked is seen: the story would tell.
func TestAPageThatMovesIsSeen(t *testing.T) {
	b := openBrowser(t)
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	s := serve(t, dir)
	b.follow("open a page", chromedp.Navigate(s.url+"/sign-in"))
	if moved := b.moved(); moved > 0.01 {
		t.Errorf("its layout shifts by %.3f", moved)
	}
	b.do("push it down", chromedp.Evaluate[chromedp.Void](`requestAnimationFrame(() => document.body.prepend(Object.assign(document.createElement("pre"), {textContent: "\n".repeat(9)})))`))
	b.until("it is there", `document.querySelector("body > pre") !== null`)
	if moved := b.moved(); moved <= 0.01 {
		t.Errorf("it was pushed, and its layout shifts by %.3f", moved)
	}
}

// bytes is all that the browser has received.
func (b *browser) bytes() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.received
}
