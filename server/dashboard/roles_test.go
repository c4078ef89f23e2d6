package dashboard_test

// whoMay is the least role that each route answers: nobody, viewer, admin or owner.
var whoMay = map[string]string{
	"GET /":                      "nobody",
	"GET /assets/:version/:file": "nobody",
	"GET /sign-in":               "nobody",
	"POST /sign-in":              "nobody",
	"POST /sign-out":             "viewer",
	"GET /overview":              "viewer",

	"GET /settings/api-keys/:uid": "viewer",
}
