// Package billing is the rules of receivables, with no store in sight: money and
// quantities, an invoice and what the clock makes of it, how it may change, what
// is paid on it, how it is numbered and to whom it goes.
//
// Nothing here reads a clock, a disk or a random number: the time is an argument,
// and what a rule needs of other records (the party, the last price, the place in
// the number series) its caller hands over. So a rule is tested by itself, and
// means the same wherever it is asked.
//
// # To change a rule
//
// The file bears the noun. A change of an invoice is a Revision: Begin or Revise,
// then Apply, the lines, the status or a payment; it collects what changed, what
// was refused and what is locked. A rule that binds every stored invoice belongs
// in Faults too, which is what the verification of a store asks.
//
// A new field goes to Invoice and InvoicePatch, and gets a line in
// Revision.Apply; openOnceSent says whether it changes after the sending. A new
// code (a status, a type) is appended: the numbers are on disk.
package billing
