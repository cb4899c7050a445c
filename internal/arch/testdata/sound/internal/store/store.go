// Package store is a port.
package store

import (
	_ "context"

	_ "rapport/internal/core"
	_ "rapport/internal/core/profile"
	_ "rapport/internal/fault"
)
