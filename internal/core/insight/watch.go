package insight

import (
	"time"

	"rapport/internal/core/event"
)

// MaxUnchanged is how often in a row an alarm may find a segment unchanged before
// it is reported. A few are normal, an Until is only a lower bound; a hundred
// mean that a question answers badly until when it stands.
const MaxUnchanged = 100

// stuckPause is the least distance of the alarms of a reported segment, so that a
// wrong Until cannot keep an engine busy.
const stuckPause = event.Time(time.Second / time.Millisecond)

// Watch counts how often in a row alarms find a segment unchanged. Use one for
// the alarms of one profile that are dealt with in one go. The zero Watch is
// ready to use.
type Watch struct {
	counts []int32
	stuck  []string
}

// Stuck returns the names of the segments that were found unchanged
// [MaxUnchanged] times in a row, each once.
func (w *Watch) Stuck() []string { return w.stuck }

// note counts one evaluation and returns the Until to store.
func (w *Watch) note(s *Segments, n int, changed bool, now, until event.Time) event.Time {
	if changed {
		if n < len(w.counts) {
			w.counts[n] = 0
		}
		return until
	}
	if len(w.counts) <= n {
		w.counts = append(make([]int32, 0, len(s.list)), w.counts...)[:len(s.list)]
	}
	w.counts[n]++
	if w.counts[n] < MaxUnchanged {
		return until
	}
	if w.counts[n] == MaxUnchanged {
		w.stuck = append(w.stuck, s.list[n].name)
	}
	return max(until, now+stuckPause)
}
