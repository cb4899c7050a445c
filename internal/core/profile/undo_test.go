package profile_test

import (
	"fmt"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Which ids are let go next is another question after an import was undone: fewer
// are remembered, and the events that still count were folded anew.
func TestAnEventIsAppliedOnceThoughAnImportWasUndoneMeanwhile(t *testing.T) {
	t.Parallel()
	for imported := range 101 {
		k := newKeeper(1)
		var sent []*event.Event
		say := func() {
			at := noon.Add(time.Duration(len(sent)) * hour)
			e := &event.Event{ID: event.ID(fmt.Sprint("m", len(sent))), Type: event.Track, Name: "Click", Trust: event.Server, At: at, Raw: at}
			sent = append(sent, e)
			k.hear(e, at)
		}
		for range 100 {
			say()
		}
		gone := map[uint64]struct{}{}
		for _, e := range sent[:imported] {
			gone[profile.Fingerprint(e.ID)] = struct{}{}
		}
		now := noon.Add(100 * hour)
		k.p = k.p.Refold(sent[imported:], gone, nil, func(s profile.Session, _ *event.Event) profile.Session { return s }, now)
		for range 40 {
			say()
			for _, e := range sent[imported:] {
				if k.hear(e, now) {
					t.Fatalf("of 100 events %d were undone, and after %d more %s is applied again", imported, len(sent)-100, e.ID)
				}
			}
		}
	}
}
