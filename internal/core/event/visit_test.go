package event_test

import (
	"testing"

	"rapport/internal/core/event"
)

func TestALineOfAFileIsNoVisit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what string
		e    event.Event
		is   bool
	}{
		{"who signs in is here", event.Event{Type: event.Identify}, true},
		{"who agrees is here", event.Event{Type: event.Track, Name: event.ConsentChanged}, true},
		{"a receipt", event.Event{Type: event.System, Name: event.MessageOpened}, false},
		{"what a model says at night", event.Event{Type: event.Track, Name: event.PredictionMade, Trust: event.Own}, false},
		{"an old order is a visit of then", event.Event{Type: event.Track, Name: event.OrderCompleted, Origin: event.Import}, true},
		{"a customer of a file", event.Event{Type: event.Identify, Origin: event.Import}, false},
		{"a consent of a file", event.Event{Type: event.Track, Name: event.ConsentChanged, Origin: event.Import}, false},
	} {
		if tt.e.IsVisit() != tt.is {
			t.Errorf("%s: %v", tt.what, !tt.is)
		}
	}
}
