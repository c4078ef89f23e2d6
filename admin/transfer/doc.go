// Package transfer reads the files that invoices come in and feeds them to the
// books: it splits a file into lines in bounded memory, has them read on all
// cores while the store writes the ones before, and tells what was refused.
//
// A file is NDJSON, one object a line, or CSV (RFC 4180) with a header line, whose
// rows are turned into such objects: so there is one reader of invoices, that of
// the API, and it is handed in.
//
// # Going on after an interruption
//
// The store notes with every batch how many lines and bytes of the file are dealt
// with, and the SHA-256 of what came before. A later run of the same import reads
// over that part, makes sure that it is the same, and goes on behind it.
package transfer
