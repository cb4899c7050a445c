package engine

import (
	"slices"

	"rapport/internal/core"
)

// forget does what an applied erasure asks for: what this batch would still write
// under the ids is not written, and the commit deletes what was. The lock is held.
func (l *lane) forget(it *item, eff *core.Effects) {
	if eff.Late {
		l.late++
	}
	if len(eff.Forget) == 0 {
		return
	}
	it.seen = nil
	for _, id := range eff.Forget {
		delete(l.open.chains, id)
		if !slices.Contains(l.open.forget, id) {
			l.open.forget = append(l.open.forget, id)
		}
	}
	l.open.urgent = true
}
