package duckdb

/*
#include <malloc.h>

// DuckDB's threads would each get an arena of the C library's, and what one frees
// stays with it: the process would grow to several times the memory limit.
static void few_arenas(void) {
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 2);
#endif
}
*/
import "C"

import "os"

func init() {
	if os.Getenv("MALLOC_ARENA_MAX") == "" {
		C.few_arenas()
	}
}
