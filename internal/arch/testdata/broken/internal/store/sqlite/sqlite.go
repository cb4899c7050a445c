// Package sqlite is an adapter that knows too much.
package sqlite

import (
	_ "rapport/internal/dispatch"         // want adapter
	_ "rapport/internal/eventlog"         // want adapter
	_ "rapport/internal/eventlog/natslog" // want adapter-imports-adapter
	_ "rapport/internal/store/memory"     // want adapter-imports-adapter
	_ "rapport/internal/store/storetest"  // want suite-in-product
)
