// Package content uses what it may, and what others may.
package content

import (
	_ "gonum.org/v1/gonum/mat"

	_ "github.com/klauspost/compress/zstd" // want third-party
)
