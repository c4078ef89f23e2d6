package dashboard

// Route is a row of the table: what may be asked for, by whom, and who answers.
type Route struct {
	Method, Path string
	access       access
	handle       handler
}

// Routes are all routes of the dashboard, one a line. A GET changes nothing.
func Routes() []Route {
	return []Route{
		{"GET", "/", anybody, home},
		{"GET", "/assets/:version/:file", anybody, asset},

		{"GET", "/sign-in", anybody, showSignIn},
		{"POST", "/sign-in", anybody, signIn},
		{"POST", "/sign-out", viewers, signOut},

		{"GET", "/overview", viewers, overview},

		{"GET", "/settings/api-keys", viewers, listKeys},
		{"POST", "/settings/api-keys", admins, createKey},
		{"GET", "/settings/api-keys/new", admins, newKey},
		{"GET", "/settings/api-keys/:uid/rotate", admins, askRotate},
		{"POST", "/settings/api-keys/:uid/rotate", admins, rotateKey},
		{"GET", "/settings/api-keys/:uid/revoke", admins, askRevoke},
		{"POST", "/settings/api-keys/:uid/revoke", admins, revokeKey},
		{"GET", "/settings/api-keys/:uid/edit", admins, askChange},
		{"POST", "/settings/api-keys/:uid/edit", admins, changeKey},
		{"GET", "/settings/api-keys/:uid/narrow", admins, askNarrow},
		{"POST", "/settings/api-keys/:uid/narrow", admins, narrowKey},
	}
}
