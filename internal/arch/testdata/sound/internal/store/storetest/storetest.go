// Package storetest is what every store must pass.
package storetest

import (
	_ "testing"

	_ "rapport/internal/store"

	_ "github.com/google/go-cmp/cmp"
)
