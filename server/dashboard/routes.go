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

		{"GET", "/invoices", viewers, listInvoices},
		{"GET", "/invoices/:uid", viewers, showInvoice},
		{"GET", "/invoices/:uid/attachments/:attachment", viewers, openAttachment},
		{"GET", "/invoices/:uid/send", admins, askToSend},
		{"POST", "/invoices/:uid/send", admins, sendInvoice},
		{"GET", "/invoices/:uid/void", admins, askToVoid},
		{"POST", "/invoices/:uid/void", admins, voidInvoice},
		{"GET", "/invoices/:uid/payment", admins, askPayment},
		{"POST", "/invoices/:uid/payment", admins, recordPayment},

		{"GET", "/setup/:token", anybody, showSetup},
		{"POST", "/setup/:token", anybody, redeemSetup},

		{"GET", "/audit", viewers, audit},

		{"GET", "/settings/users", viewers, listUsers},
		{"GET", "/settings/users/new", owners, askInvite},
		{"POST", "/settings/users", owners, invite},
		{"GET", "/settings/users/:uid", viewers, showUser},
		{"GET", "/settings/users/:uid/role", owners, aboutUser("user_role", "Change the role")},
		{"POST", "/settings/users/:uid/role", owners, setRole},
		{"GET", "/settings/users/:uid/disable", owners, aboutUser("user_disable", "Disable the user")},
		{"POST", "/settings/users/:uid/disable", owners, disableUser},
		{"GET", "/settings/users/:uid/enable", owners, aboutUser("user_enable", "Enable the user")},
		{"POST", "/settings/users/:uid/enable", owners, enableUser},
		{"GET", "/settings/users/:uid/link", owners, aboutUser("user_link", "Make a setup link")},
		{"POST", "/settings/users/:uid/link", owners, makeLink},
		{"POST", "/settings/users/:uid/sign-out", owners, signOutUser},

		{"GET", "/settings/organization", viewers, organization},
		{"POST", "/settings/organization", owners, changeOrganization},

		{"GET", "/settings/account", viewers, account},
		{"POST", "/settings/account/password", viewers, changePassword},
		{"POST", "/settings/account/sessions/others/end", viewers, endOthers},
		{"POST", "/settings/account/sessions/all/end", viewers, endAll},
		{"POST", "/settings/account/sessions/:uid/end", viewers, endSession},

		{"GET", "/settings/api-keys", viewers, listKeys},
		{"POST", "/settings/api-keys", admins, createKey},
		{"GET", "/settings/api-keys/new", admins, newKey},
		{"GET", "/settings/api-keys/:uid", viewers, showKey},
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
