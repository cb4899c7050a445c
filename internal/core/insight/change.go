// Package insight understands customers: which segments they are in, since when and until when.
package insight

import "rapport/internal/core/event"

// Change is one customer entering or leaving one segment.
type Change struct {
	Segment string // empty: it is gone, and nobody knows what it was called
	Key     uint64 // condition.SegmentKey of the name
	In      bool   // entered; else left
	At      event.Time
	Hidden  bool // the segment only serves a condition with a memory: nobody named it
	Silent  bool // known by catching up, not by living: triggers nothing
}
