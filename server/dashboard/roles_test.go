package dashboard_test

// whoMay is the least role that each route answers: nobody, viewer, admin or owner.
var whoMay = map[string]string{
	"GET /":                      "nobody",
	"GET /assets/:version/:file": "nobody",
	"GET /sign-in":               "nobody",
	"POST /sign-in":              "nobody",
	"POST /sign-out":             "viewer",
	"GET /overview":              "viewer",

	"GET /settings/api-keys":              "viewer",
	"POST /settings/api-keys":             "admin",
	"GET /settings/api-keys/new":          "admin",
	"GET /settings/api-keys/:uid/rotate":  "admin",
	"POST /settings/api-keys/:uid/rotate": "admin",
	"GET /settings/api-keys/:uid/revoke":  "admin",
	"POST /settings/api-keys/:uid/revoke": "admin",
	"GET /settings/api-keys/:uid/edit":    "admin",
	"POST /settings/api-keys/:uid/edit":   "admin",
	"GET /settings/api-keys/:uid/narrow":  "admin",
	"POST /settings/api-keys/:uid/narrow": "admin",
}
