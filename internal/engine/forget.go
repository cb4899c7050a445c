package engine

import (
	"slices"

	"rapport/internal/core"
	"rapport/internal/core/wire"
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

// PackHistory encodes events of one strand and month, as [UnpackHistory] reads
// them. It serves tests and tools that write history.
func PackHistory(events []Heard) []byte {
	var raw []byte
	for i := range events {
		raw = events[i].Event.Append(wire.Varint(raw, int64(events[i].Now)))
	}
	return appendBlock(nil, raw)
}
