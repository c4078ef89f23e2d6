// Package admin is the operator's desk: the command line, the configuration,
// and the Unix socket by which a command reaches a running server.
//
// What an operator can ask of a store is written once, as Ops. A command gets
// one in one of two ways and can't tell which:
//
//   - A server runs on the data directory: it answers on its socket, and the
//     command's Ops sends each call there. The server checks who connects and
//     acts with that Unix user in the audit log.
//   - Nothing runs: the command opens the store itself, as the owner of the
//     data directory, and closes it when it is done.
//
// Errors keep their identity over the socket, so messages, hints and exit codes
// (exit.go) are the same either way; one suite of tests runs on both.
//
// Two operations carry more than a request and an answer: an import brings a file
// along, an export data (socket_transfers.go). How invoices are read and written is
// handed in as a Wire, so that there is one reader and one wording for files and
// HTTP; package transfer is what lies between a file and the store.
//
// To add a command: a method on Ops and its body in a local file, its line in
// operations.go, a method on Remote, then a cmd_*.go file that calls it. Its help
// is laid out, and completed by shells, from its spec: name the value of each flag
// in backquotes (FILE, PATH and DIR complete as such), and where it is one of a few
// words add the flag to choices.go. manners_internal_test.go says what else it owes
// to who types it. To add a setting: see package config.
//
// An installation can also be declared: bootstrap.go makes what the configuration
// asks for when serve starts, and package systemd has the unit that starts it.
package admin
