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
	}
}
