package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
)

// live opens the shop's engine anew, as a process under the clock on the wall would,
// with long sweeps from two records on.
func (s *shop) live() {
	s.t.Helper()
	e, err := engine.Open(s.t.Context(), engine.Options{
		Log: s.log, Store: s.store, Key: s.key, Now: s.clock.Now, SweepAtOnce: 1,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) { return empty(s.t, s.key, hash), nil },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.e = e
	e.Start()
	s.t.Cleanup(func() {
		if err := e.Close(context.WithoutCancel(s.t.Context())); err != nil {
			s.t.Error(err)
		}
	})
}

// swept waits until a sweep of several records has ended, and counts who was left out.
func (s *shop) swept(hash uint64) (behind int) {
	s.t.Helper()
	for done, of := s.e.Swept(); of < 2 || done < of; done, of = s.e.Swept() {
		if err := s.e.Err(); err != nil {
			s.t.Fatal(err)
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatalf("%d of %d", done, of)
		case <-time.After(time.Millisecond):
		}
	}
	if err := s.e.CaughtUp(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	rows, err := s.store.Profiles(s.t.Context(), identity.ID{}, 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range rows {
		p, err := profile.Decode(string(row.Body))
		if err != nil {
			s.t.Fatal(err)
		}
		if p.Born != 0 && p.Owner.Zero() && p.Program != hash {
			behind++
		}
	}
	return behind
}

func TestALongSweepComesToEverybody(t *testing.T) {
	t.Parallel()
	s := open(t, 2)
	for i := range 1500 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	s.live()
	if err := s.e.Switch(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if behind := s.swept(7); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}

// The store does not know yet who was born a moment before the change.
func TestASweepComesToWhoWasBornAMomentBefore(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, s *shop) {
		s.says("old", "", "Product Viewed", nil)
		s.settle()
		for i := range 20 {
			s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
		}
		if err := s.e.Switch(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		s.settle()
		for i := range 20 {
			if p := s.who(identity.User, fmt.Sprint("user-", i)); p.Program != 7 {
				t.Fatalf("customer %d is under program %d", i, p.Program)
			}
		}
	})
}

func TestASweepThatAProcessDidNotFinishGoesOn(t *testing.T) {
	t.Parallel()
	s := open(t, 1)
	for i := range 1500 {
		s.says(fmt.Sprint("user-", i), "", "Product Viewed", nil)
	}
	s.settle()
	// The change of program is in the log, and nothing of its sweep.
	var b event.Builder
	b.Set("hash", event.Text(fmt.Sprintf("%016x", 9)))
	if err := s.e.Broadcast(t.Context(), event.Event{ID: "program:9", Type: event.System, Name: event.ProgramChanged, At: s.clock.Now(), Trust: event.Own, Props: b.Object()}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.live()
	if behind := s.swept(9); behind > 0 {
		t.Errorf("%d customers are left behind", behind)
	}
}
