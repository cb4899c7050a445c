// Package event comes first and looks ahead.
package event

import (
	_ "math/rand/v2" // want core-std
	_ "os"           // want core-std
	_ "sync"         // want core-std

	_ "rapport/internal/core"         // want core-order
	_ "rapport/internal/core/profile" // want core-order
	_ "rapport/internal/engine"       // want core-imports
	_ "rapport/internal/killpoint"    // want core-imports
	_ "rapport/internal/store"        // want core-imports
	_ "rapport/internal/store/sqlite" // want core-imports

	_ "github.com/valyala/fastjson" // want third-party
)
