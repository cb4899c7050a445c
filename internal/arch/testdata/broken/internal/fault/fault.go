// Package fault is a leaf that reaches up.
package fault

import _ "rapport/internal/core/event" // want leaf
