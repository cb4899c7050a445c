package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
)

// imports hears events of ann from some months, and returns her id.
func (s *shop) imports(events []event.Event) identity.ID {
	s.t.Helper()
	for i := range events {
		s.send(events[i])
	}
	s.settle()
	return s.key.Home(identity.Identifier{Kind: identity.User, Value: "ann"})
}

// past are events of ann, each in a month of the last half year.
func past(now event.Time, n int, letters int) (events []event.Event) {
	for i := range n {
		at := now.Add(-time.Duration(i*7%6) * 30 * 24 * time.Hour).Add(-time.Duration(n-i) * time.Second)
		events = append(events, event.Event{
			ID: event.ID(fmt.Sprint("past-", i)), Type: event.Track, Name: event.ProductViewed, User: "ann", At: at, Raw: at, Trust: event.Server,
			Props: new(event.Builder).SetText("sku", strings.Repeat("x", letters)).Object(),
		})
	}
	return events
}

// What comes again long after its id has left the profile is told by the month of its
// piece of the history, were there several in one.
func TestAnImportOfManyMonthsIsOnePieceThatKnowsItsIDs(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	events := past(s.clock.Now(), 3*profile.SeenKept, 5)
	ann := s.imports(events)
	blocks, err := s.store.History(t.Context(), ann)
	if err != nil || len(blocks) != 1 {
		t.Fatalf("the history has %d pieces, %v; want one", len(blocks), err)
	}
	before := s.who(identity.User, "ann").Count
	s.reopen() // who knows nothing but what is stored
	s.imports(events)
	if got := s.who(identity.User, "ann").Count; got != before {
		t.Errorf("%d events counted once they came again, want %d", got, before)
	}
}

func TestAFloodIsSeveralPieces(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	events := past(s.clock.Now(), 60, 50_000)
	ann := s.imports(events)
	blocks, err := s.store.History(t.Context(), ann)
	if err != nil || len(blocks) < 2 || len(blocks) > 4 {
		t.Fatalf("the history has %d pieces, %v; want about three", len(blocks), err)
	}
	var heard []event.ID
	for _, b := range blocks {
		list, err := engine.UnpackHistory(b.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range list {
			heard = append(heard, h.Event.ID)
		}
	}
	for i := range events {
		if i >= len(heard) || heard[i] != events[i].ID {
			t.Fatalf("heard %d events, of which number %d is not %s", len(heard), i, events[i].ID)
		}
	}
	s.reopen()
	before := s.who(identity.User, "ann").Count
	s.imports(events)
	if got := s.who(identity.User, "ann").Count; got != before {
		t.Errorf("%d events counted once they came again, want %d", got, before)
	}
}
