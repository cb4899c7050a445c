package sqlite

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// A reader gives its pages back after every commit and takes as many again. Left to
// itself the C library returns them to the operating system at once, a call for every
// few, and each page that is taken again is cleared and mapped anew: of a sweep over a
// million rows that was a fifth of the processor time. What is large and was asked for at
// once is still given back.
static void keep_memory(void) {
#ifdef __GLIBC__
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_MMAP_THRESHOLD, 4 << 20); // the first says that this no longer finds itself
	mallopt(M_TOP_PAD, 1 << 20);
#endif
}
*/
import "C"

import (
	"os"
	"sync"
)

// keepMemory tells the C library, once, to keep what connections give back, unless the
// environment has a policy. It comes with the first file and not with the program: a
// process that holds no file of ours may think otherwise.
var keepMemory = sync.OnceFunc(func() {
	if os.Getenv("MALLOC_TRIM_THRESHOLD_") == "" {
		C.keep_memory()
	}
})
