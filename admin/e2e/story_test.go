package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// story is an owner before a browser, on a server of her own.
type story struct {
	*browser
	s        *server
	email    string
	scripted bool
	narrow   bool
	pages    int
}

// TestTheStoryOfAKey is what an owner does with a key, from her first visit on: wide and
// light, narrow and dark, with scripts and without.
func TestTheStoryOfAKey(t *testing.T) {
	for _, look := range []struct {
		width  int64
		scheme string
	}{{1280, "light"}, {360, "dark"}} {
		for _, scripted := range []bool{true, false} {
			name := fmt.Sprintf("%d %s with scripts", look.width, look.scheme)
			if !scripted {
				name = strings.Replace(name, "with", "without", 1)
			}
			t.Run(name, func(t *testing.T) {
				o := openStory(t, scripted)
				o.narrow = look.width < 500
				o.window(look.width, look.scheme)
				o.comesIn()
				first := o.creates()
				o.uses(first)
				second := o.rotates(first)
				o.uses(second)
				o.revokes(first, "Billing sync", second)
				o.revokes(second, "Billing sync", "")
				o.seesBoth()
				o.quiet(o.s.url)
			})
		}
	}
}

func openStory(t *testing.T, scripted bool, extra ...chromedp.ExecAllocatorOption) *story {
	t.Helper()
	b := openBrowser(t, extra...)
	dir := dataDir(t)
	mustShell(t, "init", "--data-dir", dir)
	o := &story{browser: b, s: serve(t, dir, "--log-requests", "all"), scripted: scripted}
	b.clipboard()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripted})
	return o
}

// comesIn chooses a password, signs out and signs in again.
func (o *story) comesIn() {
	o.t.Helper()
	o.s.waitFor("the setup link", func() bool { return setupLink.MatchString(o.s.output.String()) })
	o.follow("open the setup link", chromedp.Navigate(setupLink.FindString(o.s.output.String())))
	o.email = read(o.browser, "read the address", chromedp.Text(chromedp.CSS(`main strong`)))
	o.see("setup", "Choose a password", "This link works once")
	o.do("choose a password", chromedp.SendKeys(chromedp.CSS(`#password`), ownerPassword))
	o.submit("Set the password and sign in")
	o.arrive("/overview")
	o.see("overview-at-first", "Your password is set and you are signed in", "Settings")

	o.menu(`form.who button`)
	o.arrive("/sign-in")
	o.see("signed-out", "You are signed out", "Sign in")
	o.follow("ask for what is not for strangers", chromedp.Navigate(o.s.url+"/settings/api-keys"))
	o.arrive("/sign-in")
	o.do("type who it is", chromedp.SendKeys(chromedp.CSS(`#email`), o.email), chromedp.SendKeys(chromedp.CSS(`#password`), ownerPassword))
	o.submit("Sign in")
	o.arrive("/settings/api-keys")
	o.see("keys-at-first", "No API keys yet")
	o.menu(`a[href="/overview"]`)
	o.arrive("/overview")
}

// creates makes a key by hand, and returns its secret.
func (o *story) creates() string {
	o.t.Helper()
	o.menu(`a[href="/settings/api-keys"]`)
	o.arrive("/settings/api-keys")
	o.follow("begin", click(`main a[href="/settings/api-keys/new"]`))
	o.see("key-new", "New API key", "What it may do", "When it ends")
	o.do("fill the form in", chromedp.SendKeys(chromedp.CSS(`#name`), "Billing sync"),
		click(`input[name=access][value=invoices]`), click(`input[name=expires_in_days][value="30"]`))
	o.submit("Create key")
	o.see("key-shown", "Your new key “Billing sync”", "It is shown this once")
	return o.keeps()
}

// keeps takes the key off the page that shows it, which asks before it is left too early.
func (o *story) keeps() string {
	o.t.Helper()
	secret := read(o.browser, "read the key", chromedp.Value(chromedp.CSS(`#secret-key`)))
	for id, want := range map[string]string{"header": "Authorization: Bearer " + secret, "env": "EXANTE_API_KEY=" + secret,
		"curl": `curl -H "Authorization: Bearer ` + secret + `" ` + o.s.url + "/api/api-keys/current"} {
		if got := read(o.browser, "read "+id, chromedp.Value(chromedp.CSS(`#secret-`+id))); got != want {
			o.t.Errorf("%s = %q, want %q", id, got, want)
		}
	}
	if o.scripted {
		o.copies(secret)
	} else {
		o.do("say too early that it is stored", click(`form.stored button`))
		o.until("the checkbox that is required", `document.activeElement.matches("input:invalid") && document.querySelector("#secret-key") !== null`)
		o.do("say that it is", click(`form.stored input`))
	}
	o.submit("I have stored it")
	o.until("the page of the key", `/^\/settings\/api-keys\/[0-9a-f-]{36}$/.test(location.pathname) && document.querySelector("#secret-key") === null`)
	return secret
}

// copies finds the key selected, is asked when she leaves before she has copied it, and
// copies it.
func (o *story) copies(secret string) {
	o.t.Helper()
	o.until("the key selected", `(f => f === document.activeElement && f.selectionStart === 0 && f.selectionEnd === f.value.length)(document.getElementById("secret-key"))`)
	before := o.dialogs()
	o.menuClick(`a[href="/settings/api-keys"]`)
	o.s.waitFor("the question", func() bool { return o.dialogs() == before+1 })
	o.until("she stays", `document.getElementById("secret-key") !== null`)
	for _, id := range []string{"key", "header", "curl", "env"} {
		o.do("empty the clipboard", chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText("")`, chromedp.EvalAwaitPromise))
		o.do("copy "+id, click(chromedp.CSS(`[data-copy=secret-`+id+`]`)))
		o.until("it says so", `document.querySelector("[data-copy=secret-`+id+`]").textContent === "Copied"`)
		want := read(o.browser, "read "+id, chromedp.Value(chromedp.CSS(`#secret-`+id)))
		if got := read(o.browser, "read the clipboard", chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise)); got != want || !strings.Contains(got, secret) {
			o.t.Errorf("the clipboard has %q, want %q", got, want)
		}
	}
	if n := o.dialogs(); n != before+1 {
		o.t.Errorf("it asked %d times", n-before)
	}
	o.picture(fmt.Sprintf("%02d-key-copied", o.pages))
}

// uses calls the API with a key, and waits until its page and the list show that.
func (o *story) uses(secret string) {
	o.t.Helper()
	o.works(secret)
	for !strings.Contains(o.text(), "from 127.0.0.1") {
		o.follow("look again", chromedp.Reload())
	}
	o.see("key-used", "Billing sync", "from 127.0.0.1", "GET /api/api-keys/current")
	o.menu(`a[href="/settings/api-keys"]`)
	o.see("keys-used", "Billing sync", "127.0.0.1", "Active")
	if strings.Contains(o.text(), secret) {
		o.t.Error("the list has the key")
	}
}

// works fails unless the API takes the key.
func (o *story) works(secret string) {
	o.t.Helper()
	o.s.call("GET", "/api/api-keys/current", secret, "").want(o.t, 200)
}

// rotates gives the key a successor, and finds both working. She stays at the successor.
func (o *story) rotates(secret string) string {
	o.t.Helper()
	o.openKey(secret)
	o.follow("begin", click(`main a[href$="/rotate"]`))
	o.see("key-rotate", "Rotate “Billing sync”")
	o.do("choose a week", click(`input[name=grace_days][value="7"]`))
	o.submit("Rotate key")
	o.see("key-rotated", "The new key of “Billing sync”", "works until")
	next := o.keeps()
	o.works(secret)
	o.works(next)
	return next
}

// revokes ends a key: the next request with it is refused, and other works on.
func (o *story) revokes(secret, name, other string) {
	o.t.Helper()
	o.openKey(secret)
	o.follow("begin", click(`main a[href$="/revoke"]`))
	o.see("key-revoke", "Revoke “"+name+"”", "Type the name of the key")
	o.do("type another name", chromedp.SendKeys(chromedp.CSS(`#name`), "Another"))
	o.submit("Revoke key")
	o.see("key-revoke-refused", "Type the name of the key: "+name)
	o.forgive("status of 422")
	o.works(secret)
	o.do("type the name", chromedp.Clear(chromedp.CSS(`#name`)), chromedp.SendKeys(chromedp.CSS(`#name`), name))
	o.submit("Revoke key")
	o.s.call("GET", "/api/api-keys/current", secret, "").want(o.t, 401)
	if other != "" {
		o.works(other)
	}
	o.arrive("/settings/api-keys")
	o.see("key-revoked", "The key is revoked", "Revoked")
}

// seesBoth finds that nothing is gone from the list.
func (o *story) seesBoth() {
	o.t.Helper()
	o.follow("open the list", chromedp.Navigate(o.s.url+"/settings/api-keys"))
	badges := read(o.browser, "read the states", chromedp.Evaluate[[]string](`[...document.querySelectorAll("tbody tr")].map(r => r.querySelector("bdi").textContent + ": " + r.querySelector(".badge").textContent)`))
	if strings.Join(badges, ", ") != "Billing sync: Revoked, Billing sync: Revoked" {
		o.t.Errorf("the list shows %q", badges)
	}
	o.see("keys-at-last", "2 keys", "2 ended")
}
