package server

import (
	"github.com/valyala/fasthttp"

	"exante/server/static"
)

// How long a client may keep a file.
const (
	revalidate = "no-cache"                            // it asks again, with the ETag
	immutable  = "public, max-age=31536000, immutable" // its path holds a hash of its content
)

// docsPolicy lets the page use what comes from this server, and nothing inline.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func openapiDocument(x *exchange) error { return x.sendStatic(x.docs.Document, revalidate) }

func docsPage(x *exchange) error {
	h := &x.http.Response.Header
	h.Set("Content-Security-Policy", docsPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	return x.sendStatic(x.docs.Page, revalidate)
}

func docsAsset(x *exchange) error {
	file := x.docs.File(x.path.Params("version"), x.path.Params("file"))
	if file == nil {
		return errNoRoute
	}
	return x.sendStatic(file, immutable)
}

// sendStatic answers with a file of the program, packed if the client takes that,
// or with 304 if it has the file.
func (x *exchange) sendStatic(f *static.File, caching string) error {
	if err := x.checkHost(); err != nil {
		return err
	}
	in, h := &x.http.Request.Header, &x.http.Response.Header
	c := f.Choose(string(in.Peek("Accept-Encoding")), string(in.Peek("If-None-Match")))
	h.Set("Cache-Control", caching)
	h.Set("ETag", c.Tag)
	h.Set("Vary", "Accept-Encoding")
	if c.Body == nil {
		x.http.Response.SetStatusCode(fasthttp.StatusNotModified)
		return nil
	}
	if c.Encoding != "" {
		h.Set("Content-Encoding", c.Encoding)
	}
	h.SetContentType(f.Type)
	x.http.Response.SetBodyRaw(c.Body)
	return nil
}
