package sqlite

/*
// They come with the driver, whose headers are its own; weak, so that this package links
// without it.
extern int sqlite3_auto_extension(void (*)(void)) __attribute__((weak));
extern int sqlite3_db_config(void *, int, ...) __attribute__((weak));

static int stable(void *db) { return sqlite3_db_config(db, 1007, 1, (int *)0); } // SQLITE_DBCONFIG_ENABLE_QPSG

static int keep_plans(void) {
	return sqlite3_auto_extension && sqlite3_db_config ? sqlite3_auto_extension((void (*)(void))stable) : -1;
}
*/
import "C"

import "sync"

// keepPlans makes SQLite keep the plan of a statement whatever it is asked about. Else one
// that has "= ?" or "LIMIT ?" is compiled anew each time: the value might be one for which
// another plan is better, and the driver forgets the values after each use.
var keepPlans = sync.OnceValue(func() bool { return C.keep_plans() == 0 })
