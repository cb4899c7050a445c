package sqlite

/*
#ifdef __ELF__
// They come with the driver, whose headers are its own; weak, so that this package links
// without it.
extern int sqlite3_auto_extension(void (*)(void)) __attribute__((weak));
extern int sqlite3_db_config(void *, int, ...) __attribute__((weak));

static int stable(void *db, char **error, const void *api) {
	return sqlite3_db_config(db, 1007, 1, (int *)0); // SQLITE_DBCONFIG_ENABLE_QPSG
}

static void keep_plans(void) {
	if (sqlite3_auto_extension && sqlite3_db_config) sqlite3_auto_extension((void (*)(void))stable);
}
#else
static void keep_plans(void) {} // what is weak is something else there
#endif
*/
import "C"

import "sync"

// keepPlans makes SQLite keep the plan of a statement whatever it is asked about. Else one
// that has "= ?" or "LIMIT ?" is compiled anew each time: the value might be one for which
// another plan is better, and the driver forgets the values after each use. Where it cannot,
// that is slower and else the same.
var keepPlans = sync.OnceFunc(func() { C.keep_plans() })
