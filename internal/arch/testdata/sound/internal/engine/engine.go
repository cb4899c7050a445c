// Package engine is shell: it knows the core and the ports.
package engine

import (
	"sync"
	"time"

	_ "rapport/internal/core"
	_ "rapport/internal/eventlog"
	"rapport/internal/killpoint"
	_ "rapport/internal/store"
)

var mu sync.Mutex

func step(m map[string]int) time.Time {
	killpoint.Hit("after-append")
	killpoint.Hit(killpoint.AfterApply)
	for range m { // the shell may range over maps
		go mu.Lock()
	}
	return time.Now()
}
