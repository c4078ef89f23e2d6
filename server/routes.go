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
	body   bool // reads one, which must then be JSON
	handle handler
}

// access says who may ask. Its zero value is not valid: a row that forgot it is
// refused by New.
type access uint8

const (
	undeclared access = iota
	open              // anybody
	anyKey            // whoever has a valid key; the next are one scope each
)

// needs is the access of a key with that scope.
func needs(s auth.Scope) access { return anyKey + access(s) }

// scope is what the authenticator is asked for.
func (a access) scope() auth.Scope { return auth.Scope(a - anyKey) }

// routes are all routes of the API, one a line. The first match wins.
func routes() []route {
	var (
		readInvoices, writeInvoices = needs(auth.InvoicesRead), needs(auth.InvoicesWrite)
		readParties, writeParties   = needs(auth.PartiesRead), needs(auth.PartiesWrite)
		readKeys, writeKeys         = needs(auth.APIKeysRead), needs(auth.APIKeysWrite)
	)
	const none, body = false, true
	return []route{
		{"GET", "/api/invoices/:uid", readInvoices, none, getInvoice},
		{"GET", "/api/invoices", readInvoices, none, listInvoices},
		{"POST", "/api/invoices", writeInvoices, body, createInvoice},
		{"PUT", "/api/invoices/:uid", writeInvoices, body, updateInvoice},
		{"POST", "/api/invoices/:uid/line_items", writeInvoices, body, addLines},
		{"PUT", "/api/invoices/:uid/line_items", writeInvoices, body, updateLines},
		{"DELETE", "/api/invoices/:uid/line_items", writeInvoices, body, deleteLines},

		{"GET", "/api/parties", readParties, none, listParties},
		{"POST", "/api/parties", writeParties, body, createParty},
		{"GET", "/api/parties/:uid", readParties, none, getParty},
		{"PUT", "/api/parties/:uid", writeParties, body, updateParty},

		{"GET", "/api/api-keys", readKeys, none, listKeys},
		{"POST", "/api/api-keys", writeKeys, body, createKey},
		{"GET", "/api/api-keys/current", anyKey, none, currentKey},
		{"GET", "/api/api-keys/:uid", readKeys, none, getKey},
		{"DELETE", "/api/api-keys/:uid", writeKeys, none, revokeKey},
		{"POST", "/api/api-keys/:uid/rotate", writeKeys, body, rotateKey},
		{"GET", "/api/api-keys/:uid/activity", readKeys, none, keyActivity},

		{"GET", "/livez", open, none, live},
		{"GET", "/readyz", open, none, ready},
		{"GET", "/healthz", open, none, ready},
	}
}

// methods are those that HTTP knows. Any other is not understood.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

// mount hands the table to Fiber. GET answers HEAD too.
func (s *Server) mount(table []route) error {
	for _, row := range table {
		if row.access == undeclared {
			return fmt.Errorf("server: route %s %s says not who may ask", row.method, row.path)
		}
		if row.method == fiber.MethodGet {
			s.app.Get(row.path, s.guard(&row))
		} else {
			s.app.Add(row.method, row.path, s.guard(&row))
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
