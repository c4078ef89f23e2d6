package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestThePagesWorkByKeyboard makes a key without a mouse.
func TestThePagesWorkByKeyboard(t *testing.T) {
	o := openStory(t, true)
	o.comesIn()
	o.follow("open the list", chromedp.Navigate(o.s.url+"/settings/api-keys"))
	o.press(kb.Tab)
	if at := o.focused(); at != "a Skip to the content" {
		t.Errorf("the first stop is %q", at)
	}
	o.press(kb.Enter)
	o.until("the content", `document.activeElement === document.getElementById("main")`)
	o.press(kb.Tab)
	if at := o.focused(); at != "a New API key" {
		t.Errorf("the first stop of the content is %q", at)
	}
	o.follow("open the form", chromedp.KeyEvent(kb.Enter))
	o.arrive("/settings/api-keys/new")
	o.do("name it", chromedp.KeyEvent("By keyboard"))

	stops := []string{o.focused()}
	for len(stops) < 40 && stops[len(stops)-1] != "a Cancel" {
		o.press(kb.Tab)
		at := o.focused()
		if at == "summary Limits and networks" {
			o.press(kb.Enter)
			o.until("it opens", `document.querySelector("details.more").open`)
		}
		if at != stops[len(stops)-1] { // a date has three parts
			stops = append(stops, at)
		}
	}
	if want := o.controls(); !slices.Equal(stops, want) {
		t.Errorf("Tab stops at\n%s\nwant\n%s", strings.Join(stops, "\n"), strings.Join(want, "\n"))
	}
	o.do("go back to the name", chromedp.Focus(chromedp.CSS(`#name`)))
	o.press(kb.Tab)
	o.press(kb.ArrowDown)
	o.until("another choice", `document.activeElement.name === "access" && document.activeElement.checked && document.activeElement.value !== "read"`)
	o.do("go back to the name", chromedp.Focus(chromedp.CSS(`#name`)))
	o.follow("send it", chromedp.KeyEvent(kb.Enter))
	o.until("the key", `document.activeElement.id === "secret-key"`)
	o.press(kb.Tab)
	o.press(kb.Enter)
	o.until("it is copied", `document.querySelector("[data-copy=secret-key]").textContent === "Copied"`)
	o.quiet(o.s.url)
}

func (b *browser) press(key string) {
	b.t.Helper()
	b.do("press a key", chromedp.KeyEvent(key))
}

// called names an element, for who reads what failed.
const called = `const called = e => e.tagName.toLowerCase() + " " + (e.name ? e.name + (/radio|checkbox/.test(e.type) ? "=" + e.value : "") : e.textContent.trim());`

// focused is the element that has the focus. It fails if one can't see that.
func (b *browser) focused() string {
	b.t.Helper()
	at := read(b, "read the focus", chromedp.Evaluate[[]string](`(() => { `+called+`
		const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect()
		const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 &&
			box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight
		return [called(e), seen ? "" : "outline " + style.outline + " at " + JSON.stringify(box)]
	})()`))
	if at[1] != "" {
		b.t.Errorf("the focus on %q can't be seen: %s", at[0], at[1])
	}
	return at[0]
}

// controls are those of the form as they stand, of radio buttons the one that is chosen.
func (b *browser) controls() []string {
	b.t.Helper()
	return read(b, "read the controls", chromedp.Evaluate[[]string](`(() => { `+called+`
		return [...document.querySelectorAll("main form :is(input, textarea, select, button, a, summary)")]
			.filter(e => e.type !== "hidden" && !(e.type === "radio" && !e.checked)).map(called)
	})()`))
}
