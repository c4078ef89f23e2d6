package dashboard_test

// whoMay is the least role that each route answers: nobody, viewer, admin or owner.
var whoMay = map[string]string{
	"GET /":                      "nobody",
	"GET /assets/:version/:file": "nobody",
	"GET /sign-in":               "nobody",
	"POST /sign-in":              "nobody",
	"POST /sign-out":             "viewer",
	"GET /overview":              "viewer",

	"GET /invoices":                              "viewer",
	"GET /invoices/:uid":                         "viewer",
	"GET /invoices/:uid/attachments/:attachment": "viewer",
	"GET /invoices/:uid/send":                    "admin",
	"POST /invoices/:uid/send":                   "admin",
	"GET /invoices/:uid/void":                    "admin",
	"POST /invoices/:uid/void":                   "admin",
	"GET /invoices/:uid/payment":                 "admin",
	"POST /invoices/:uid/payment":                "admin",
}
