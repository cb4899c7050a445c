// Package measure counts with a library that only computes.
package measure

import (
	_ "gonum.org/v1/gonum/stat/distuv"

	_ "rapport/internal/core/measure/sequential"
)
