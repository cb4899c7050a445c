package core

import (
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
)

// Aborted is the reason code of a delivery that its template gave up. The
// template's own reason is its outcome.
const Aborted = "aborted"

// stopper returns the reason code of a message that was stopped at the last
// moment.
func stopper(e *event.Event) string {
	if e.Props.Text("by") == event.ByTemplate {
		return Aborted
	}
	return string(decision.Suppressed)
}
