package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"exante/storage"
)

//go:embed templates/*.html
var sources embed.FS

//go:embed assets/exante.css assets/exante.js assets/icon.svg assets/pico/pico.min.css assets/htmx/htmx.min.js
var assets embed.FS

// pages are the templates: each page is its own set, of the layout, the parts that
// pages share, and its file.
type pages struct {
	sets    map[string]*template.Template
	buffers sync.Pool
}

// shared are the templates that every page has at hand.
var shared = []string{"templates/layout.html", "templates/parts.html"}

func readPages(version string) (*pages, error) {
	p := &pages{sets: map[string]*template.Template{}, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	base, err := template.New("").Funcs(functions(version)).ParseFS(sources, shared...)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	names, err := fs.Glob(sources, "templates/*.html")
	for _, file := range names {
		set, clones := base.Clone()
		if err = clones; err != nil {
			break
		}
		if set, err = set.ParseFS(sources, file); err != nil {
			break
		}
		p.sets[strings.TrimSuffix(path.Base(file), ".html")] = set
	}
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	return p, nil
}

// page is what the layout shows around each page.
type page struct {
	*visit
	Title string
	Said  string // what the last change did
	Data  any    // of the page
}

// policy lets a page use what comes from this server, and nothing inline; it can't
// be framed, and its forms lead nowhere else (W3C CSP Level 3).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// show answers with a page: the template of that name, with data as .Data.
func (v *visit) show(status int, name, title string, data any) error {
	set := v.pages.sets[name]
	if set == nil {
		return fmt.Errorf("dashboard: there is no page %s", name)
	}
	b := v.pages.buffers.Get().(*bytes.Buffer)
	defer v.pages.buffers.Put(b)
	b.Reset()
	if err := set.ExecuteTemplate(b, "layout", &page{visit: v, Title: title, Said: v.hear(), Data: data}); err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	v.res.Status, v.res.Body = status, bytes.Clone(b.Bytes())
	v.res.set("Content-Type", "text/html; charset=utf-8")
	v.res.set("Content-Security-Policy", policy)
	v.res.set("Cross-Origin-Opener-Policy", "same-origin")
	v.res.set("Cross-Origin-Resource-Policy", "same-origin")
	v.res.set("Referrer-Policy", "same-origin")
	v.res.set("X-Frame-Options", "DENY") // for browsers that know no frame-ancestors
	v.res.set("Vary", "Cookie, HX-Request")
	return nil
}

// SignedIn, Email, Role, Org, Now, At and May are for the layout.

// SignedIn reports whether somebody is.
func (p *page) SignedIn() bool { return p.signedIn() }

// Email is the address of who is signed in.
func (p *page) Email() string { return p.user.Email }

// Role is what he may do, in a word.
func (p *page) Role() string { return string(p.user.Role) }

// Org is the name of his organization.
func (p *page) Org() string { return p.org.Name }

// Now is when the page is made.
func (p *page) Now() time.Time { return p.now }

// At reports whether the page lies under path: for the navigation.
func (p *page) At(path string) bool {
	return p.req.Path == path || strings.HasPrefix(p.req.Path, path+"/")
}

// May reports whether he may use what is for admins, or owners.
func (p *page) May(who string) bool {
	return p.may(map[string]access{"admins": admins, "owners": owners}[who])
}

// MustConfirm reports whether a form that hands out rights asks for the password.
func (p *page) MustConfirm() bool { return p.mustConfirm() }

// trouble is a page that says what went wrong.
type trouble struct {
	Status  int
	Text    string
	Details []string
	ID      string // of the request
}

// Refuse is the page for an error: the server says with which status and words.
func (d *Dashboard) Refuse(req *Request, status int, text string, details []string) Response {
	v := d.visit(req)
	if err := v.recognize(); err != nil {
		v.Log.Error("who asks is not known", "request_id", req.ID, "error", err.Error())
	}
	err := v.show(status, "trouble", http.StatusText(status), trouble{Status: status, Text: text, Details: details, ID: req.ID})
	if err != nil {
		v.Log.Error("a page of trouble failed", "request_id", req.ID, "error", err.Error())
		v.res.Status, v.res.Body = http.StatusInternalServerError, []byte(text)
		v.res.set("Content-Type", "text/plain; charset=utf-8")
	}
	return v.res
}

func asset(v *visit) error {
	if v.res.File = v.Asset(v.req.Param("version"), v.req.Param("file")); v.res.File == nil {
		return storage.ErrNotFound
	}
	return nil
}
