package kv

import (
	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// formatVersion is written into the manifest; a directory with another one is
// refused.
const formatVersion = 1

// freshTables is how many tables there may be that were logs before they are merged
// with those below.
const freshTables = 3

// badgerOptions is the only place that configures Badger.
func badgerOptions(dir string, log badger.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(true). // off by default: acknowledged would not mean durable
		// Nothing to detect: one writer, and reads that go past Badger's transaction.
		WithDetectConflicts(false).
		WithNumVersionsToKeep(1).
		// A memtable bounds a transaction (15 % of it) and the memory: two of them.
		WithMemTableSize(16 << 20).
		WithNumMemtables(2).
		WithNumLevelZeroTables(freshTables).
		WithNumLevelZeroTablesStall(8).
		WithNumCompactors(2). // the least that Badger accepts
		// Every value stays in the tree: a failed fsync of the value log goes
		// unnoticed, and its collector has brought deleted keys back (#2286).
		WithValueThreshold(1 << 20).
		WithValueLogFileSize(32 << 20).
		// No compression and no caches, against Snappy with a block cache of
		// 32 MiB, 60,000 records of 1 KB: random reads 5.6 µs against 9.1, a full
		// scan in half the time, twice the disk. Blocks are then read in place,
		// and the index cache serves encrypted tables only.
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		// Else a flipped bit in a block would be handed out as data.
		WithChecksumVerificationMode(options.OnBlockRead).
		WithVerifyValueChecksum(true).
		WithCompactL0OnClose(false). // a short stop
		WithMetricsEnabled(false).
		WithExternalMagic(formatVersion).
		WithLogger(log)
}

// onDemand is for Compact: no merge begins by itself, and the one that is asked for
// takes up tables that Badger would wait for more of.
func onDemand(o badger.Options) badger.Options {
	return o.WithNumCompactors(0).WithNumLevelZeroTables(0).WithNumLevelZeroTablesStall(1 << 20)
}
