package demo

import "exante/storage/billing"

// mix says how many invoices end in one way, and how many days ago they were issued.
type mix struct {
	count            int
	youngest, oldest int
	becomes          []billing.Status
	paysPercent      int64
}

// mixes adds up to invoices. An invoice is due after 30 days, so those
// that were sent earlier than that and are not paid read OVERDUE.
var mixes = []mix{
	{count: 40, youngest: 0, oldest: 5},
	{count: 20, youngest: 0, oldest: 8, becomes: []billing.Status{billing.Approved}},
	{count: 20, youngest: 0, oldest: 3, becomes: []billing.Status{billing.Scheduled}},
	{count: 75, youngest: 1, oldest: 28, becomes: []billing.Status{billing.Sent}},
	{count: 45, youngest: 35, oldest: 120, becomes: []billing.Status{billing.Sent}},
	{count: 15, youngest: 35, oldest: 90, becomes: []billing.Status{billing.Sent}, paysPercent: 30},
	{count: 30, youngest: 5, oldest: 28, becomes: []billing.Status{billing.Sent}, paysPercent: 50},
	{count: 210, youngest: 20, oldest: 365, becomes: []billing.Status{billing.Sent}, paysPercent: 100},
	{count: 15, youngest: 20, oldest: 90, becomes: []billing.Status{billing.Sent, billing.Disputed}},
	{count: 15, youngest: 10, oldest: 200, becomes: []billing.Status{billing.Sent, billing.Void}},
	{count: 15, youngest: 5, oldest: 200, becomes: []billing.Status{billing.Cancelled}},
}

type client struct {
	name, address string
	currency      billing.Currency
	contact       billing.ContactDraft
}

var clients = []client{
	{"Nordhafen Logistik GmbH", "Am Sandtorkai 14, 20457 Hamburg, Germany", "EUR",
		billing.ContactDraft{Name: "Jana Petersen", Title: "Accounts payable", Email: "rechnung@nordhafen.example", Phone: "+49 40 5550 1220"}},
	{"Kestrel & Sons Printing", "8 Tanners Row, Norwich NR2 1BJ, United Kingdom", "GBP",
		billing.ContactDraft{Name: "Thomas Kestrel", Title: "Owner", Email: "tom@kestrelprint.example", Phone: "+44 1603 555 014"}},
	{"Aurelia Dental Group", "2210 Cedar Springs Rd, Dallas, TX 75201, USA", "USD",
		billing.ContactDraft{Name: "Maribel Ortiz", Title: "Office manager", Email: "billing@aureliadental.example", Phone: "+1 214 555 0142"}},
	{"Sagebrush Coffee Roasters", "415 W Main St, Boise, ID 83702, USA", "USD",
		billing.ContactDraft{Name: "Devin Walsh", Title: "Bookkeeper", Email: "ap@sagebrushcoffee.example", Phone: "+1 208 555 0177"}},
	{"Ironbridge Civil Engineering", "1 Wharfage, Ironbridge, Telford TF8 7AW, United Kingdom", "GBP",
		billing.ContactDraft{Name: "Priya Nair", Title: "Finance lead", Email: "finance@ironbridge-civil.example", Phone: "+44 1952 555 031"}},
	{"Atelier Lumière SARL", "27 rue des Teinturiers, 84000 Avignon, France", "EUR",
		billing.ContactDraft{Name: "Hélène Morel", Title: "Gérante", Email: "compta@atelierlumiere.example", Phone: "+33 4 90 55 01 18"}},
	{"Cobalt Ridge Solar", "980 Quail St, Lakewood, CO 80215, USA", "USD",
		billing.ContactDraft{Name: "Grant Okafor", Title: "Controller", Email: "invoices@cobaltridge.example", Phone: "+1 303 555 0199"}},
	{"Verde Mercado Foods", "6125 E Washington Blvd, Commerce, CA 90040, USA", "USD",
		billing.ContactDraft{Name: "Lucía Fernández", Title: "Purchasing", Email: "lucia@verdemercado.example", Phone: "+1 323 555 0108"}},
}

// item is something sold: at most so many, in halves where it is time.
type item struct {
	sku    string
	price  billing.Cents
	most   int
	halves bool
}

var items = []item{
	{"consulting-hour", 14500, 60, true},
	{"design-hour", 11000, 40, true},
	{"support-plan-monthly", 49900, 3, false},
	{"onboarding-workshop", 240000, 2, false},
	{"seat-licence-yearly", 18000, 45, false},
	{"site-visit", 62500, 4, false},
	{"data-migration-gb", 375, 900, false},
	{"priority-callout", 19900, 6, false},
}
