// Package archive is the container that a backup lies in: entries of a key and a
// value, in key order, in a form from which nothing can be missing. It knows no
// engine and nothing of what the entries mean.
//
//	header  8 magic · 2 format · 1 flags (1: MAC) · 16 database id · 8 sequence ·
//	        8 time (ms since 1970) · 8 schema · 1+n version of the program
//	link    32
//	chunk   'C' · 4 length · packed entries, at most 1 MiB
//	link    32, one after each chunk
//	footer  'F' · 4 length · 8 entries · 8 chunks · 8 bytes of entries
//	link    32, then the end of the file
//
// An entry is 2 length of key · 4 length of value · key · value. Numbers are big
// endian. A chunk takes as many entries as fit, so the same entries make the same
// chunks.
//
// A link is the SHA-256 (FIPS 180-4) of the link before it and of what it follows;
// the one before the first is 32 zeros. So a link vouches for all that precedes
// it, in this order and of this backup, and the last one for everything. With a key
// it is HMAC-SHA-256 (RFC 2104), and only who has the key can make one.
//
// A Reader hands out what stands before a good link and nothing else, and it does
// not end without a footer. Both ends need the memory of one chunk.
package archive
