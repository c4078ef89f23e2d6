// Package filter reads the parameters by which lists are filtered, sorted and
// paged, with one set of rules for the API and for the pages for people.
//
// A Query is read parameter by parameter, and Done says all that is wrong with it at
// once: also what nobody asked for. What selects invoices stands in invoices.go, one
// line a parameter: a new filter is a line there and a field of
// storage.InvoiceQuery.
package filter
