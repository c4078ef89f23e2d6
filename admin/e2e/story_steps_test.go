package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"

	chrome "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// see fails unless the page that is open says all of want, fits the window, and did not
// move while it was loaded. It keeps a picture.
func (o *story) see(name string, want ...string) {
	o.t.Helper()
	o.until("the page", `document.readyState === "complete"`)
	text := strings.Join(strings.Fields(o.text()), " ")
	for _, w := range want {
		if !strings.Contains(text, w) {
			o.t.Errorf("%s does not say %q:\n%s", name, w, text)
		}
	}
	o.fits(name)
	if o.scripted {
		if moved := o.moved(); moved > 0.01 {
			o.t.Errorf("%s: its layout shifts by %.3f", name, moved)
		}
	}
	o.pages++
	o.whole(fmt.Sprintf("%02d-%s", o.pages, name))
}

// moved is the cumulative layout shift of the page: how much of it moved, and how far,
// while nobody touched it.
func (b *browser) moved() float64 {
	b.t.Helper()
	return read(b, "measure what moved", chromedp.Evaluate[float64](`new Promise(done => {
		let sum = 0
		const add = entries => entries.forEach(e => { if (!e.hadRecentInput) sum += e.value })
		const observer = new PerformanceObserver(list => add(list.getEntries()))
		observer.observe({type: "layout-shift", buffered: true})
		const wait = frames => requestAnimationFrame(() => {
			if (frames > 0) return wait(frames - 1)
			add(observer.takeRecords())
			done(sum)
		})
		wait(3)
	})`, chromedp.EvalAwaitPromise))
}

// submit sends the form with the button of that name, and waits for what comes.
func (o *story) submit(button string) {
	o.t.Helper()
	o.follow(button, chromedp.Click(chromedp.Search(fmt.Sprintf(`//main//button[normalize-space()=%q]`, button))))
}

// menu follows what stands in the navigation, wherever that is at this width.
func (o *story) menu(what string) {
	o.t.Helper()
	o.follow("choose "+what, o.inMenu(what)...)
}

// menuClick is menu for what may lead nowhere.
func (o *story) menuClick(what string) {
	o.t.Helper()
	o.do("choose "+what, o.inMenu(what)...)
}

func (o *story) inMenu(what string) []chromedp.Action[chromedp.Void] {
	if !o.narrow {
		return []chromedp.Action[chromedp.Void]{click(chromedp.CSS(`.side ` + what))}
	}
	return []chromedp.Action[chromedp.Void]{click(`.menu:not([open]) summary`), click(chromedp.CSS(`.menu ` + what))}
}

// openKey goes to the page of a key by the list.
func (o *story) openKey(secret string) {
	o.t.Helper()
	me := data[apiKey](o.t, o.s.call("GET", "/api/api-keys/current", secret, "").want(o.t, 200))
	o.follow("open the list", chromedp.Navigate(o.s.url+"/settings/api-keys"))
	o.follow("open the key", click(chromedp.CSS(`tbody th a[href="/settings/api-keys/`+me.UID+`"]`)))
	o.arrive("/settings/api-keys/" + me.UID)
}

// forgive takes back one complaint that the story has provoked, and fails without it.
func (b *browser) forgive(complaint string) {
	b.t.Helper()
	mine := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.IndexFunc(b.complaints, func(c string) bool { return strings.Contains(c, complaint) })
		if i >= 0 {
			b.complaints = slices.Delete(b.complaints, i, i+1)
		}
		return i >= 0
	}
	for deadline := time.Now().Add(5 * time.Second); !mine(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("nothing complains of %s", complaint)
		}
	}
}

// dialogs is how often the page has asked something.
func (b *browser) dialogs() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// clipboard lets the page read what it has copied, so that a test can.
func (b *browser) clipboard() {
	b.t.Helper()
	_, err := chromedp.CallBrowser(b.ctx, chrome.SetPermission, chrome.SetPermissionParams{
		Permission: &chrome.PermissionDescriptor{Name: "clipboard-read"}, Setting: chrome.PermissionSettingGranted})
	if err != nil {
		b.t.Fatal(err)
	}
}
