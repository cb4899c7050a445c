package engine_test

import (
	"context"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/program"
	"rapport/internal/store/memory"
)

// lookers is a shop with one segment, which time alone ends. Again opens its engine
// anew, with nothing in memory.
func lookers(t *testing.T, virtual bool) (s *shop, again func()) {
	src, err := program.New([]program.File{
		{Path: "shop.yaml", Body: "name: Shop\nzone: Europe/London\ncurrency: GBP\nwebsite: https://shop.example\npostal: 1 Street\npurposes: {marketing: News}\nsenders:\n  email: {from_name: Shop, from: a@shop.example}\n"},
		{Path: "segments/looking.yaml", Body: "segment: looking\nwhen: {did: Product Viewed, within: 1h}\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	prog, problems := program.Compile(src, program.Options{Workspace: "w"})
	if prog == nil {
		t.Fatal(problems)
	}
	s = &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))}
	s.log, s.store = memlog.New(1, s.clock.Now), memory.New()
	again = func() {
		s.e, err = engine.Open(t.Context(), engine.Options{
			Log: s.log, Store: s.store, Key: s.key, Now: s.clock.Now, Virtual: virtual,
			Programs: func(context.Context, uint64) (*core.Program, error) { return prog.Core, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	again()
	if err := s.e.Switch(t.Context(), prog.Core.Hash); err != nil {
		t.Fatal(err)
	}
	s.settle()
	return s, again
}

// wait lets time pass and settles.
func (s *shop) wait(d time.Duration) {
	s.t.Helper()
	s.clock.Set(s.clock.Now().Add(d))
	s.settle()
}

func TestAnAlarmThatIsPutOffIsLeftInTheStoreAndStillFiresInTime(t *testing.T) {
	t.Parallel()
	for name, virtual := range map[string]bool{"on the live clock": false, "under a virtual clock": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, again := lookers(t, virtual)
			begin := s.clock.Now()
			stored := func() event.Time {
				t.Helper()
				at, err := s.store.NextAlarm(t.Context(), identity.ID{}, identity.ID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			looking := func() bool {
				return s.who(identity.User, "ada").Member(condition.SegmentKey("looking")).In
			}
			wants := func(when string, in bool, exact, kept time.Duration) {
				t.Helper()
				want := begin.Add(kept)
				if virtual || kept == 0 {
					want = begin.Add(exact)
				}
				if exact == 0 {
					want = event.Never
				}
				if looking() != in || stored() != want {
					t.Fatalf("%s: in the segment: %v, the store's alarm is %v; want %v, %v", when, looking(), stored(), in, want)
				}
			}
			end := time.Hour + time.Millisecond // the last instant of the window is in it
			s.says("ada", "", "Product Viewed", nil)
			s.settle()
			first := stored().Sub(begin)
			if first < time.Hour || first > end {
				t.Fatalf("the first alarm comes after %v", first)
			}
			s.wait(30 * time.Minute)
			s.says("ada", "", "Product Viewed", nil)
			s.settle()
			wants("put off", true, first+30*time.Minute, first)
			again() // what the store has of the alarm is not known any more
			s.wait(31 * time.Minute)
			wants("when the earlier one has come", true, first+30*time.Minute, 0)
			s.wait(28 * time.Minute)
			wants("just before the end", true, first+30*time.Minute, 0)
			s.wait(2 * time.Minute)
			wants("after the end", false, 0, 0)
		})
	}
}
