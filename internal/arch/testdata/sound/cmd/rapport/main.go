// Command rapport picks the adapters.
package main

import (
	_ "github.com/alecthomas/kong"

	_ "rapport/internal/eventlog/natslog"
	_ "rapport/internal/store/sqlite"
)

// TODO(#12): something that can be looked up.

// A `TODO` in quotes is only being talked about.
func main() { println("TODO: a string is no comment") }
