// Package auth decides who may do what: API keys, their scopes and limits. It
// does no I/O and imports nothing of ours; what has to be kept goes through the
// Ledger it is given.
//
// # A token
//
//	ex_live_ 0000…0000 (32) 3gs3n1 (6)
//	│        │              └ CRC-32 (IEEE) of all that stands before, in base62
//	│        └ base62 from a cryptographic source: 190 bits
//	└ prefix with the environment, live or test
//
// Scanners for leaked secrets find tokens by this expression, and know a real
// one from a look-alike by its checksum:
//
//	\bex_(live|test)_[0-9A-Za-z]{38}\b
//
// Clients may rely on prefix and alphabet, never on the length.
//
// # The life of a key
//
// Mint makes the token; it is shown once. What is kept is the Key: a tag, the
// first 8 bytes of SHA-256 of the token, by which the record is found, and an
// argon2id hash, by which the token is proved. A key is active until it expires,
// is revoked, or has been rotated and its grace time is over; it is never
// deleted and never comes back. While its user is disabled it is suspended: refused
// like a token that is no key's, and back once he is enabled, if it has not ended
// meanwhile.
//
// # The way of a request
//
// Admit refuses in this order, cheapest first, and nothing before the hash
// tells a caller which it was:
//
//	shape and checksum → tag → token (verified cache, else gate and argon2id)
//	→ expired, revoked or suspended → network → scope → limits → in
//
// The verified cache remembers that a token matched a hash, and no decision:
// everything that can change is read from the live record in the Keyring on each
// request. Whoever changes a record calls Keyring.Put before the change is
// acknowledged, in the order of the commits; then a revocation binds the next
// request.
//
// # What is defended
//
//   - A stolen database gives no token: 64 of the 190 bits are in the tag, the
//     others behind argon2id. They could not be guessed behind a fast hash
//     either; argon2id is a second wall.
//   - A flood of bad tokens starts no argon2id and reads no database: that takes
//     a known tag, which is a real key or 2^64 guesses. One address has a budget of
//     refusals. The memory for it is bounded, so whoever commands more addresses
//     than it holds gets plain refusals again, which cost less than good requests.
//   - A stored hash with absurd costs is refused before it is obeyed.
//   - No print, log or encoder shows a Token, a Password, a Hash, a SessionToken, a
//     SetupToken or a SigningKey.
//   - Signing in costs as much for an address that nobody has. A password that
//     everybody tries first can't be chosen (password.go).
//   - Guesses at one account's password are slowed down, to some 110 a day from one
//     address and 310 from any number, and so are those at an account that nobody
//     has. Nobody is locked out, and strangers can't even keep a browser waiting that
//     has signed in before (throttle.go, device.go).
//   - A restart hands out no fresh window. A clean stop costs a caller nothing; a
//     crash may count up to a twentieth of the limit, or as much as one burst
//     waited for, that was never used. While the Ledger can't write, limits hold in
//     memory alone.
//
// # What is not
//
//   - Whoever has the token is the caller, from the networks the key allows.
//   - A thousand addresses that guess at one account without a pause get in the way of its
//     owner in a new browser, until they stop. Each browser that was ever signed in
//     to an account has guesses of its own there, for a year. A restart forgets who
//     failed to sign in.
//   - Whoever has a signed link (link.go) reads the one file that it names, until
//     it is over. Whoever has the database has the key that signs them.
//   - The process's memory holds hashes of live tokens, for moments the tokens
//     themselves. Go can't promise to erase them.
//
// # Where things are
//
// A new scope is a constant and a name in scope.go. A new reason to refuse is an
// error in errors.go and a line in refusal, in judge.go. What signs people in is
// password.go, and session.go and setup.go, which are kinds of one thing, ticket.go;
// what slows down those who guess, throttle.go with its rules in tally.go; whose a
// leaked token is, identify.go. What a key did is in usage.go and recent.go, and what
// to say about that in hygiene.go. The limiter is ring.go (one window), limiter.go
// (the windows of a key) and lease.go (what survives a crash).
package auth
