// Package content uses what it may, and what others may.
package content

import (
	_ "github.com/osteele/liquid"

	_ "github.com/klauspost/compress/zstd" // want third-party
)
