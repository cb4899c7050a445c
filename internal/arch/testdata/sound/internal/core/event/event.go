// Package event imports what came before it.
package event

import (
	_ "strings"

	_ "rapport/internal/core/money"
	_ "rapport/internal/core/spec"
	_ "rapport/internal/fault"
)
