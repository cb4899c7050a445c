// Package engine is shell that picks its own store.
package engine

import (
	"rapport/internal/killpoint"

	_ "rapport/cmd/rapport"              // want imports
	_ "rapport/internal/store/sqlite"    // want shell-knows-adapter
	_ "rapport/internal/store/storetest" // want suite-in-product

	_ "github.com/alecthomas/kong" // want third-party
)

func step(where string) {
	killpoint.Hit("after-lunch")       // want killpoint
	killpoint.Hit(killpoint.AfterDusk) // want killpoint
	killpoint.Hit(where)               // want killpoint
}
