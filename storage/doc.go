// Package storage is what is true and kept: organizations, users, API keys,
// parties, invoices and the audit log, on one embedded database.
//
// What an invoice is and how it may change is in package billing, what a request
// may say in package input: neither knows of a store. Here is what is on the disk,
// and the methods of Store, each of which reads, asks the rules, and writes. Below
// are the engine (kv) and the memory that follows it (index, bodies).
//
// # Promises
//
// Whole or absent. An exported method that writes is one transaction: record,
// indexes, counts and audit record together. When it returns nil that is on the
// disk, whatever happens next; when it returns an error other than ErrUnknown
// nothing has changed.
//
// Once. What makes something takes a Once: for a request that was carried out it
// does nothing, and returns what was answered (once.go).
//
// Memory follows the disk. The keyring, the lists and the cache of bodies change
// after the commit and before the acknowledgement, in the order of the commits.
// So a revocation that was answered binds the next request, and so does the
// disabling of a user, which suspends all of his keys (standing.go).
//
// Damage is found, not served. The engine can lose the end of a log or a block
// of a table without an error. So every value carries a checksum that covers its
// key, what lies under an organization is counted where it is added, the
// directory names its database, and Open refuses what does not agree. Two files
// are witnesses of what the database can lose whole: the anchor beside it says how
// far it had come (anchor.go), and the audit copy outside has every audit record
// (audit_copy.go). A store that is refused is left as it was found (open.go).
// Damage that a request meets ends the service, so ErrCorrupt is for what lies on
// the disk, and never for what a client sent (damage.go).
//
// Files come slowly and are larger than a transaction. What is written of one
// before it is an attachment, and after it was one, is marked as loose: no reader
// sees it, and a sweeper that Close waits for deletes it.
//
// Nothing is lost with the machine. A backup is all of the store at one instant, in
// a container that nothing can be missing from (package archive); a restore, always
// in a process of its own, proves it before it is in its place. What was taken away
// after the backup, it takes away again, as the audit copy says (aftermath.go,
// replay.go); the copy hears of the restore last.
//
// One organization never reaches another's records: each method takes the
// organization from the principal or an argument, and it is the first part of
// every key that is read. What is foreign is absent by the same path.
//
// # Shapes
//
// Domain types (billing.Invoice, auth.Key) have no tags. Their disk records (keyRecord)
// are unexported, have CBOR tags with numbers that are never used again, and are
// converted explicitly. keys.go is the map of the disk, record.go the envelope.
//
// # To store something new
//
// Give it a family in keys.go, with its shape; write its record and the two
// conversions beside its methods, and add it to the tables of the conversion and
// golden tests; count it in counts.go if a scan must be trusted; name its
// actions in audit.go; and check it in a verify file, with a test that damages it.
// A backup takes it along; what must not come back from one, such as a session, is
// named in leftBehind (restore.go). An action that takes a right away needs a topic
// in aftermath.go, and a detail that says enough to do it again.
//
// A change that old records can't be read with raises recordVersion, keeps the
// old struct beside the new one and its golden file where it is. A change of keys
// or indexes raises schemaVersion and needs a step in migrate.go that brings an
// older store up to date.
package storage
