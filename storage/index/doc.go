// Package index answers lists from memory: which records match a filter, in an
// order, and how many there are. It holds columns, not records; the caller
// fetches the few records of a page from the store.
//
// It knows nothing of transactions: the store fills it when it opens, and calls
// Put for every committed write in commit order, before the write is
// acknowledged. A list asked for after that sees the write.
//
// Organizations share nothing: a query walks the rows of one.
package index
