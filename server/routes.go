package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"exante/auth"
)

// route is one row of the table: what may be asked, and what that takes.
type route struct {
	method string
	path   string
	access access
	input  reading
	handle handler
}

// reading says what a handler reads besides the path. What it does not read must
// not be there: a parameter that is silently dropped is a filter that leaks.
type reading uint8

const (
	inPath  reading = iota // nothing else
	inQuery                // parameters
	inBody                 // a body, which must then be JSON
	inForm                 // a form of files, as it comes
)

// access says who may ask. Its zero value is not valid: a row that forgot it is
// refused by New.
type access uint8

const (
	undeclared access = iota
	open              // anybody
	visitors          // of the dashboard, which says who they may be
	anyKey            // whoever has a valid key; the next are one scope each
)

// needs is the access of a key with that scope.
func needs(s auth.Scope) access { return anyKey + access(s) }

// keyed reports whether it takes a key.
func (a access) keyed() bool { return a >= anyKey }

// scope is what the authenticator is asked for.
func (a access) scope() auth.Scope { return auth.Scope(a - anyKey) }

// routes are all routes of the API, one a line. The first match wins.
func routes() []route {
	var (
		readInvoices, writeInvoices = needs(auth.InvoicesRead), needs(auth.InvoicesWrite)
		readParties, writeParties   = needs(auth.PartiesRead), needs(auth.PartiesWrite)
		readKeys, writeKeys         = needs(auth.APIKeysRead), needs(auth.APIKeysWrite)
	)
	return []route{
		{"GET", "/api/invoices/export", readInvoices, inQuery, exportInvoices},
		{"GET", "/api/invoices/:uid", readInvoices, inPath, getInvoice},
		{"GET", "/api/invoices", readInvoices, inQuery, listInvoices},
		{"POST", "/api/invoices", writeInvoices, inBody, createInvoice},
		{"PUT", "/api/invoices/:uid", writeInvoices, inBody, updateInvoice},
		{"PUT", "/api/invoices", writeInvoices, inBody, updateInvoices},
		{"DELETE", "/api/invoices", writeInvoices, inBody, deleteInvoices},
		{"POST", "/api/invoices/:uid/line_items", writeInvoices, inBody, addLines},
		{"PUT", "/api/invoices/:uid/line_items", writeInvoices, inBody, updateLines},
		{"DELETE", "/api/invoices/:uid/line_items", writeInvoices, inBody, deleteLines},
		{"GET", "/api/invoices/:uid/payments", readInvoices, inQuery, listPayments},
		{"POST", "/api/invoices/:uid/payments", writeInvoices, inBody, recordPayment},
		{"GET", "/api/invoices/:uid/attachments", readInvoices, inQuery, listAttachments},
		{"POST", "/api/invoices/:uid/attachment", writeInvoices, inForm, addAttachments},
		{"DELETE", "/api/invoices/:uid/attachment", writeInvoices, inBody, deleteAttachment},

		{"GET", "/api/organization/:organization_uid/invoices/stats", readInvoices, inQuery, invoiceStats},
		{"GET", "/api/organization/:organization_uid/invoices/filter-options", readInvoices, inPath, invoiceFilterOptions},

		{"GET", "/api/parties", readParties, inQuery, listParties},
		{"POST", "/api/parties", writeParties, inBody, createParty},
		{"GET", "/api/parties/:uid", readParties, inPath, getParty},
		{"PUT", "/api/parties/:uid", writeParties, inBody, updateParty},

		{"GET", "/api/api-keys", readKeys, inQuery, listKeys},
		{"POST", "/api/api-keys", writeKeys, inBody, createKey},
		{"GET", "/api/api-keys/current", anyKey, inPath, currentKey},
		{"GET", "/api/api-keys/:uid", readKeys, inPath, getKey},
		{"DELETE", "/api/api-keys/:uid", writeKeys, inPath, revokeKey},
		{"POST", "/api/api-keys/:uid/rotate", writeKeys, inBody, rotateKey},
		{"GET", "/api/api-keys/:uid/activity", readKeys, inQuery, keyActivity},

		{"GET", "/files/:link", open, inPath, download},
		{"GET", "/openapi.json", open, inPath, openapiDocument},
		{"GET", "/docs", open, inPath, docsPage},
		{"GET", "/docs/:version/:file", open, inPath, docsAsset},

		{"GET", "/livez", open, inPath, live},
		{"GET", "/readyz", open, inPath, ready},
		{"GET", "/healthz", open, inPath, ready},
	}
}

// methods are those that HTTP knows. Any other is not understood.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

// mount hands the table to Fiber. GET answers HEAD too.
func (s *Server) mount(table []route) error {
	for i, row := range table {
		if row.access == undeclared {
			return fmt.Errorf("server: route %s %s says not who may ask", row.method, row.path)
		}
		if row.method == fiber.MethodPost && row.access.keyed() {
			row.handle = once(row.handle)
		}
		if row.method == fiber.MethodGet {
			s.app.Get(row.path, s.guard(&row, s.traffic.routes[i]))
		} else {
			s.app.Add(row.method, row.path, s.guard(&row, s.traffic.routes[i]))
		}
	}
	s.app.Use(s.unknownPath)
	return nil
}

// elsewhere stands for every path under /api that has no route, so that nothing
// there answers a caller without a key.
var elsewhere = route{method: "ANY", path: "elsewhere", access: anyKey}

// unknownPath comes after all routes. What it passes on, Fiber answers with 404,
// or with 405 and Allow where another method has a route.
func (s *Server) unknownPath(c *fiber.Ctx) error {
	x := exchangeOf(c.Context())
	x.path = c
	if err := x.takeBody(); err != nil {
		return err
	}
	path := c.Path()
	if (path == "/api" || strings.HasPrefix(path, "/api/")) && !neverRouted(c.Method()) {
		x.row = &elsewhere
		if err := x.admit(x.row); err != nil {
			return err
		}
	}
	return c.Next()
}

// neverRouted methods are refused whoever asks.
func neverRouted(method string) bool { return slices.Contains([]string{"TRACE", "CONNECT"}, method) }
