package dashboard_test

// whoMay is the least role that each route answers: nobody, viewer, admin or owner.
var whoMay = map[string]string{
	"GET /":                      "nobody",
	"GET /assets/:version/:file": "nobody",
	"GET /sign-in":               "nobody",
	"POST /sign-in":              "nobody",
	"POST /sign-out":             "viewer",
	"GET /overview":              "viewer",

	"GET /invoices":      "viewer",
	"GET /invoices/:uid": "viewer",
	"GET /invoices/:uid/attachments/:attachment": "viewer",
	"GET /invoices/:uid/send":                    "admin",
	"POST /invoices/:uid/send":                   "admin",
	"GET /invoices/:uid/void":                    "admin",
	"POST /invoices/:uid/void":                   "admin",
	"GET /invoices/:uid/payment":                 "admin",
	"POST /invoices/:uid/payment":                "admin",
	"GET /setup/:token":                          "nobody",
	"POST /setup/:token":                         "nobody",

	"GET /audit": "viewer",

	"GET /settings/users":                "viewer",
	"GET /settings/users/new":            "owner",
	"POST /settings/users":               "owner",
	"GET /settings/users/:uid":           "viewer",
	"GET /settings/users/:uid/role":      "owner",
	"POST /settings/users/:uid/role":     "owner",
	"GET /settings/users/:uid/disable":   "owner",
	"POST /settings/users/:uid/disable":  "owner",
	"GET /settings/users/:uid/enable":    "owner",
	"POST /settings/users/:uid/enable":   "owner",
	"GET /settings/users/:uid/link":      "owner",
	"POST /settings/users/:uid/link":     "owner",
	"POST /settings/users/:uid/sign-out": "owner",

	"GET /settings/organization":  "viewer",
	"POST /settings/organization": "owner",

	"GET /settings/account":                      "viewer",
	"POST /settings/account/password":            "viewer",
	"POST /settings/account/sessions/others/end": "viewer",
	"POST /settings/account/sessions/all/end":    "viewer",
	"POST /settings/account/sessions/:uid/end":   "viewer",
	"GET /settings/api-keys/:uid":                "viewer",
}
