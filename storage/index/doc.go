// Package index answers lists from memory: which records match a filter, in an
// order, and how many there are. It holds columns, not records; the caller
// fetches the few records of a page from the store.
//
// It knows nothing of transactions: the store fills it when it opens, and calls
// Put for every committed write in commit order, before the write is
// acknowledged. A list asked for after that sees the write.
//
// Organizations share nothing: a query walks the rows of one.
//
// # How a list is found
//
// The rows of an organization (table.go) lie as columns, and always in ten orders
// (order.go) as well, one for each column that can be sorted by or filtered with.
// An order is a list of blocks of at most 512 row numbers. A block knows how many
// rows of each class it has (class.go: status as it reads today, method and
// currency), and between which values their dates and totals lie (block.go).
//
// A filter (filter.go) is a set of classes and conditions beyond it. The total
// (match.go) is added up from counts of whole blocks if there is at most one such
// condition, since an order has its rows together; else the rows that match are
// marked in a bitmap. A page (search.go) is found by walking (walk.go) along the
// order asked for, cut into segments where it depends on the clock (segment.go),
// past all blocks of which it is known how many rows match. Where such a walk
// would be long, the rows that match are marked first, or, if they are few,
// sorted (gather.go). What was marked is remembered until a row changes
// (memory.go).
//
// The slow and obvious reference is in reference_test.go. A new filter needs a
// condition in filter.go and there; a new column to sort by needs an order.
package index
