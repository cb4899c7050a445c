package main

import (
	"os"
	"runtime/debug"
)

// The process collects garbage seldom while memory is plenty and often when it is
// not: with what SQLite keeps beside it, it stays below a gigabyte for as long as
// what is alive does. GOGC and GOMEMLIMIT say otherwise for a larger machine.
const (
	memoryLimit = 720 << 20
	gcPercent   = 200
)

// frugal sets the memory policy, unless the environment has one.
func frugal() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
		debug.SetMemoryLimit(memoryLimit)
	}
}
