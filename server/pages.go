package server

import (
	"bytes"
	"compress/gzip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"exante/server/dashboard"
)

// DashboardOptions are what the pages for people need beyond what the API does.
type DashboardOptions struct {
	SessionIdle time.Duration // a session ends when it was not used for so long,
	SessionMax  time.Duration // and then at the latest
}

// newDashboard makes the pages; nil if there are to be none.
func (s *Server) newDashboard() (*dashboard.Dashboard, error) {
	o := s.options
	if o.Dashboard == nil {
		return nil, nil
	}
	return dashboard.New(dashboard.Options{
		Store: o.Store, Auth: o.Auth, Now: o.Now, Log: o.Log, PublicURL: o.PublicURL,
		SessionIdle: o.Dashboard.SessionIdle, SessionMax: o.Dashboard.SessionMax,
		DefaultExpiryDays: o.DefaultExpiryDays, MaxExpiryDays: o.MaxExpiryDays, FileLink: s.fileLink,
	})
}

// pageRoutes are the routes of the dashboard as rows of the table: anybody gets an
// answer, which it gives by itself.
func (s *Server) pageRoutes() []route {
	var rows []route
	if s.pages == nil {
		return nil
	}
	for _, page := range dashboard.Routes() {
		rows = append(rows, route{page.Method, page.Path, visitors, inQuery, func(x *exchange) error { return x.answerPage(&page) }})
	}
	return rows
}

func (x *exchange) answerPage(page *dashboard.Route) error {
	if err := x.checkPage(); err != nil {
		return err
	}
	r, err := x.pageRequest()
	if err != nil {
		return err
	}
	response, err := x.pages.Answer(page, r)
	if err != nil {
		return err
	}
	return x.sendPage(&response)
}

// checkPage judges what the API leaves open: pages answer to no name that is not
// ours, however the API is set, and take forms alone.
func (x *exchange) checkPage() error {
	if !x.pageHosts.allow(x.http.Request.URI().Host()) {
		return errHost
	}
	media, _, _ := strings.Cut(string(x.http.Request.Header.ContentType()), ";")
	if len(x.body()) > 0 && !strings.EqualFold(strings.TrimSpace(media), mediaForm) {
		return errPageMedia
	}
	return nil
}

const mediaForm = "application/x-www-form-urlencoded"

// pageRequest is the request as the dashboard knows it.
func (x *exchange) pageRequest() (*dashboard.Request, error) {
	h := &x.http.Request.Header
	query, err := url.ParseQuery(string(x.http.URI().QueryString()))
	if err != nil {
		return nil, errPageQuery
	}
	form, err := url.ParseQuery(string(x.body()))
	if err != nil {
		return nil, errPageQuery
	}
	peer := addrOf(x.http.RemoteAddr())
	trusted := trusts(x.options.TrustedProxies, peer)
	return &dashboard.Request{
		Context: x.ctx(), Method: string(h.Method()), Path: string(x.http.URI().Path()), Query: query, Form: form,
		Host: string(h.Host()), Addr: x.clientAddr(), ID: string(x.id),
		Secure:  x.tls != nil || trusted && strings.EqualFold(string(h.Peek("X-Forwarded-Proto")), "https"),
		Proxied: !trusted && forwarded(h),
		Header:  func(name string) string { return string(h.Peek(name)) },
		Cookie:  func(name string) string { return string(h.Cookie(name)) },
		Param: func(name string) string {
			if x.path == nil {
				return ""
			}
			return x.path.Params(name)
		},
	}, nil
}

// forwarded reports whether a proxy says that it passed a request on.
func forwarded(h *fasthttp.RequestHeader) bool {
	for _, name := range [...]string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"} {
		if len(h.Peek(name)) > 0 {
			return true
		}
	}
	return false
}

// sendPage sends what the dashboard made, packed where that is safe and wanted.
func (x *exchange) sendPage(r *dashboard.Response) error {
	if r.File != nil {
		return x.sendStatic(r.File, immutable)
	}
	h := &x.http.Response.Header
	for name, value := range r.Header {
		h.Set(name, value)
	}
	for _, c := range r.Cookies {
		h.Add(fiber.HeaderSetCookie, c.String())
	}
	x.http.Response.SetStatusCode(r.Status)
	body := r.Body
	if !r.Secret && len(body) > minPacked && strings.Contains(string(x.http.Request.Header.Peek("Accept-Encoding")), "gzip") {
		body = pack(body)
		h.Set("Content-Encoding", "gzip")
	}
	x.http.Response.SetBodyRaw(body)
	return nil
}

// minPacked is the size of a page, in bytes, that is not worth packing.
const minPacked = 1 << 10

var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is known
	return w
}}

func pack(body []byte) []byte {
	var b bytes.Buffer
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(body) // to memory
	_ = w.Close()
	return b.Bytes()
}

// forPeople reports whether an error is to be a page: of a route of the dashboard,
// or where somebody with a browser went astray.
func (x *exchange) forPeople() bool {
	switch {
	case x.pages == nil:
		return false
	case x.row != nil:
		return x.row.access == visitors
	}
	return x.path != nil && strings.Contains(string(x.http.Request.Header.Peek("Accept")), "text/html")
}

// failPage answers with a page about an error.
func (x *exchange) failPage(row answer, err error) error {
	r, malformed := x.pageRequest()
	if malformed != nil {
		x.http.URI().SetQueryString("")
		x.http.Request.ResetBody()
		if r, malformed = x.pageRequest(); malformed != nil {
			return malformed
		}
	}
	response := x.pages.Refuse(r, row.status, row.text, details(err))
	return x.sendPage(&response)
}

// pageHostsOf are the names under which pages answer, beside localhost and addresses.
func pageHostsOf(o Options) hostSet {
	names := o.AllowedHosts
	if u, err := url.Parse(o.PublicURL); err == nil && u.Host != "" {
		names = append(names[:len(names):len(names)], u.Hostname())
	}
	return newHostSet(names)
}
