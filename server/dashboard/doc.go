// Package dashboard is the pages for people: who owns an account signs in, makes and
// watches API keys, and reads invoices and the audit log.
//
// # How a page is made
//
// The server matches the path, hands over a Request and sends the Response; this
// package knows no HTTP library. Every route stands in routes.go with who may use
// it. Answer checks where a request comes from (origin.go) and who sends it
// (session.go), then its handler reads what was typed (form.go), makes one call of
// the store by the same rules as the API, and shows a page (render.go) or, after a
// change, leads to one.
//
// A page is an HTML template with a file of its own in templates, inside the layout,
// made of parts (parts.html). Everything works without a script; htmx and exante.js
// make it smoother. Styles stand in assets/exante.css, on top of Pico: no page has
// an inline style or script, and the policy of render.go would refuse it. Charts
// are SVG, made by package chart.
//
// # To add a page
//
// Write the row in routes.go, the handler in the file of its subject, and the
// template. A GET changes nothing. What hands out rights asks for the password again
// (confirm.go); every look at a password goes through attempt.go, which slows down
// those who guess. A POST answers with the form and its errors (422), or with goTo; one
// that makes something makes it once, however often its form is sent (once.go). What it
// did is said by the next page, with a word of said.go. What
// a role may not do it is not shown either: ask May in the template. Tests walk the
// table with every role, and open every page in a browser.
package dashboard
