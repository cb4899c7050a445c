package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
	"rapport/internal/eventlog/memlog"
	"rapport/internal/feed"
	"rapport/internal/program"
	"rapport/internal/store"
	"rapport/internal/store/memory"
)

var lastID = identity.ID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}

// lookers is a shop with one segment, which time alone ends. Again opens its engine
// anew, with nothing in memory.
func lookers(t *testing.T, virtual bool, dirty ...int) (s *shop, again func(store.Store)) {
	prog := compiled(t, program.File{Path: "segments/looking.yaml", Body: "segment: looking\nwhen: {did: Product Viewed, within: 1h}\n"})
	s = &shop{t: t, clock: clock.Virtual(event.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)))}
	s.log, s.store = memlog.New(1, s.clock.Now), memory.New()
	again = func(st store.Store) {
		var err error
		s.e, err = engine.Open(t.Context(), engine.Options{
			Log: s.log, Store: st, Key: s.key, Now: s.clock.Now, Virtual: virtual, DirtyBytes: append(dirty, 0)[0],
			Programs: func(context.Context, uint64) (*core.Program, error) { return prog, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	again(s.store)
	if err := s.e.Switch(t.Context(), prog.Hash); err != nil {
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
				at, err := s.store.NextAlarm(t.Context(), identity.ID{}, lastID)
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
			again(s.store) // what the store has of the alarm is not known any more
			s.wait(31 * time.Minute)
			wants("when the earlier one has come", true, first+30*time.Minute, 0)
			s.wait(28 * time.Minute)
			wants("just before the end", true, first+30*time.Minute, 0)
			s.wait(2 * time.Minute)
			wants("after the end", false, 0, 0)
		})
	}
}

// More customers than are read at once leave at one instant. While the commit of the
// first of them is under way the others leave too.
func TestACrowdLeavesWhileTheCommitOfItsFirstIsUnderWay(t *testing.T) {
	t.Parallel()
	const many = 9000
	s, again := lookers(t, false)
	entries := make([]identity.Addressed, many)
	for i := range entries {
		e := event.Event{ID: event.ID(fmt.Sprint("m", i)), Type: event.Track, Name: "Product Viewed", User: fmt.Sprint("user-", i), At: s.clock.Now(), Raw: s.clock.Now(), Trust: event.Server}
		entries[i], _ = s.key.Address(e)
	}
	if err := s.e.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	s.settle()
	f := &faulty{Store: s.store, holding: make(chan struct{}, 1)}
	hold := make(chan struct{})
	f.hold.Store(&hold)
	s.clock.Set(s.clock.Now().Add(61 * time.Minute))
	again(f)
	s.e.Start()
	goOn := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(func() { goOn(); _ = s.e.Close(context.Background()) })
	<-f.holding
	inside := func() (n int) {
		for i := range entries {
			if s.who(identity.User, fmt.Sprint("user-", i)).Member(condition.SegmentKey("looking")).In {
				n++
			}
		}
		return n
	}
	for until := time.Now().Add(20 * time.Second); inside() > 0; {
		if time.Now().After(until) {
			t.Fatalf("%d have not left while a commit is under way", inside())
		}
	}
	goOn()
	if err := s.e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	due, err := s.store.Due(t.Context(), identity.ID{}, lastID, event.Never-1, 1)
	if err != nil || len(due) > 0 {
		t.Errorf("an alarm is left in the store: %v, %v", due, err)
	}
}

// Whoever reads the feed asks for what was told behind a record; two commits at one
// record would tell them half of it.
func TestACrowdTellsTheFeedOncePerRecord(t *testing.T) {
	t.Parallel()
	for name, virtual := range map[string]bool{"on the live clock": false, "under a virtual clock": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := lookers(t, virtual, 100_000)
			const crowd = 2*4096 + 100
			for i := range crowd {
				s.says(fmt.Sprint("user-", i), "", event.ProductViewed, nil)
			}
			s.settle()
			s.wait(2 * time.Hour)
			blocks, err := s.store.Feed(t.Context(), 0, 0, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			left := 0
			for i := range blocks {
				if i > 0 && blocks[i].To <= blocks[i-1].To {
					t.Fatalf("block %d of %d ends at record %d, as the one before", i, len(blocks), blocks[i].To)
				}
				if err := feed.Each(blocks[i].Body, func(r feed.Row) error {
					if r.Kind == feed.Segment && !r.In {
						left++
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			if left != crowd || len(blocks) < 4 {
				t.Errorf("%d customers left in %d blocks, want %d in several", left, len(blocks), crowd)
			}
		})
	}
}
