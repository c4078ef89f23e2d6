// Package disk keeps a full file system from ending the process.
//
// An engine that writes through mapped, sparse files is told of a full disk by
// SIGBUS, which nobody can catch, and then can't even start again. So space is
// watched, and kept back in three parts:
//
//	free space
//	  │  writes
//	  ├─ soft limit: MinFree, or more while the engine still owes work
//	  │  only what takes a right away (the reserve)
//	  ├─ hard limit: a quarter of MinFree
//	  │  nothing
//	  └─ 0; below it the ballast
//
// What the engine writes by itself once writes have stopped (logs that become
// tables, tables that are merged) is asked of it, as Owed, and the soft limit is
// never below the hard limit and that: so the gap is large enough whatever the
// setting is.
//
// The ballast is a file with real blocks. It is given up when the engine must be
// opened or closed, or has work to finish, on a disk that others have filled; it is
// made again when there is room.
package disk
