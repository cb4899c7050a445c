package program

import (
	"embed"
	"io/fs"
)

//go:embed default
var embedded embed.FS

// Default returns the definitions of a server that was given none: a shop in
// UTC, no segments, no journeys. Everything is heard and remembered, so that the
// first real definitions find the whole history.
func Default() *Source {
	sub, err := fs.Sub(embedded, "default")
	if err != nil {
		panic(err) // unreachable: the path is constant
	}
	s, err := Read(sub)
	if err != nil {
		panic(err) // unreachable: a test reads it
	}
	return s
}
