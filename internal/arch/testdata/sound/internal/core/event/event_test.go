package event_test

import (
	_ "math/rand/v2"
	_ "os"
	"time"

	_ "rapport/internal/core/event"
	_ "rapport/internal/core/profile"

	_ "github.com/google/go-cmp/cmp"
	_ "pgregory.net/rapid"
)

// A test may look at the clock.
var start = time.Now()
