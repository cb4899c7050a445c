package main

import (
	"os"
	"runtime/debug"
)

// The process collects garbage seldom while memory is plenty and often when it is
// not: with what SQLite and the warehouse keep beside it, it stays below a gigabyte
// for as long as what is alive does. GOGC and GOMEMLIMIT say otherwise for a larger
// machine.
const (
	memoryLimit = 690 << 20
	gcPercent   = 200
	// warehouseMB is what DuckDB may take of it, in megabytes.
	warehouseMB = 128
)

// frugal sets the memory policy, unless the environment has one.
func frugal() {
	if ownPolicy() {
		debug.SetGCPercent(gcPercent)
		debug.SetMemoryLimit(memoryLimit)
	}
}

// shareMemory leaves megabytes of the limit to what is not Go's.
func shareMemory(megabytes int64) {
	if ownPolicy() {
		debug.SetMemoryLimit(memoryLimit - megabytes<<20)
	}
}

// What the demo takes of the gigabyte that it promises for all of itself, in
// megabytes. At the end of the year 230 of Go's are alive, and the models that learn
// from it take some 100 more; beside them stand the pages of SQLite, what the
// warehouse takes, and 100 of the program itself. With less for Go its collector
// would take the time that the year needs, and more pages make it no faster.
const (
	replayMB      = 470
	replayPagesMB = 64 // of each database file
)

// replay sets the memory policy of the demo, unless the environment has one.
func replay() {
	if ownPolicy() {
		debug.SetMemoryLimit(replayMB << 20)
	}
}

func ownPolicy() bool { return os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" }
