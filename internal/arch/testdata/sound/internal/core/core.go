// Package core composes the others and comes last.
package core

import (
	_ "rapport/internal/core/event"
	_ "rapport/internal/core/measure"
	_ "rapport/internal/core/profile"
)
