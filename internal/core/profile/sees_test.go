package profile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// keeper is a profile with the history that the engine keeps beside it: the ids of
// applied events by the month of the raw client time, or of the instant heard.
type keeper struct {
	p       *profile.Profile
	history map[int32][]event.ID
	applied map[event.ID]int
}

func newKeeper(id byte) *keeper {
	return &keeper{p: profile.New(identity.ID{id}), history: map[int32][]event.ID{}, applied: map[event.ID]int{}}
}

// hear does what the engine does with an event: it asks the history where the
// profile says so, and nowhere else. It reports whether the event was applied.
func (k *keeper) hear(e *event.Event, now event.Time) bool {
	switch k.p.Sees(e) {
	case profile.SeenBefore:
		return false
	case profile.AskMonth:
		if slices.Contains(k.history[e.Raw.Month()], e.ID) {
			return false
		}
	case profile.AskAll:
		for _, ids := range k.history { // order does not matter: any will do
			if slices.Contains(ids, e.ID) {
				return false
			}
		}
	}
	own := *k.p
	own.Fold(e, now)
	k.p = &own
	k.applied[e.ID]++
	shelf := now.Month()
	if e.Raw != 0 {
		shelf = e.Raw.Month()
	}
	k.history[shelf] = append(k.history[shelf], e.ID)
	return true
}

// told remembers an entry of the product's own, which is in no history.
func (k *keeper) told(n int, now event.Time) {
	own := *k.p
	own.Remember(&event.Event{ID: event.ID(fmt.Sprint("claim", n)), Type: event.System, Name: event.Claim, At: now, Trust: event.Own})
	k.p = &own
}

// join takes the other in, as the strand that it sends.
func (k *keeper) join(t *rapid.T, other *keeper) {
	strand, err := profile.Decode(string(other.p.Append(nil)))
	if err != nil {
		t.Fatal(err)
	}
	own := *k.p
	own.Join(strand)
	k.p = &own
	for month, ids := range other.history { // order does not matter: each month is its own
		k.history[month] = append(k.history[month], ids...)
	}
	for id, n := range other.applied { // order does not matter: they add up
		k.applied[id] += n
	}
}

// stream draws events of clients with good clocks, bad clocks and none, as they
// are heard over some months, with repetitions at any later time.
type stream struct {
	r    *rand.Rand
	now  event.Time
	sent []event.Event
}

func (s *stream) next() event.Event {
	s.now = s.now.Add(time.Duration(s.r.IntN(12)) * hour)
	if len(s.sent) > 0 && s.r.IntN(3) == 0 {
		i := len(s.sent) - 1 - int(s.r.ExpFloat64()*100)
		return s.sent[max(i, 0)]
	}
	e := event.Event{ID: event.ID(fmt.Sprint("m", len(s.sent))), Type: event.Track, Name: "Click", Trust: event.Server, At: s.now.Add(-time.Duration(s.r.IntN(100)) * hour)}
	switch s.r.IntN(8) {
	case 0: // no time of its own
	case 1: // a clock far ahead
		e.Raw = s.now.Add(time.Duration(s.r.IntN(3)) * 40 * day)
	case 2: // a history that is brought along
		e.Raw = s.now.Add(-time.Duration(s.r.IntN(300)) * day)
		e.At = e.Raw
	default:
		e.Raw = e.At
	}
	s.sent = append(s.sent, e)
	return e
}

func TestAnEventIsAppliedOnceForEverAndNoneIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{r: seldom(t), now: noon}
		k := newKeeper(1)
		for i := range 900 {
			switch s.r.IntN(30) {
			case 0:
				k.told(i, s.now)
			case 1: // a restart
				p, err := profile.Decode(string(k.p.Append(nil)))
				if err != nil {
					t.Fatal(err)
				}
				k.p = p
			default:
				e := s.next()
				before := k.applied[e.ID]
				if applied := k.hear(&e, s.now); applied != (before == 0) {
					t.Fatalf("step %d: %s was applied %d times and now %v", i, e.ID, before, applied)
				}
			}
		}
		if int(k.p.Count) != len(s.sent) {
			t.Fatalf("%d events are counted of %d", k.p.Count, len(s.sent))
		}
	})
}

func TestAnEventThatAStrandHasAppliedIsNotAppliedAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &stream{r: seldom(t), now: noon}
		one, two := newKeeper(1), newKeeper(2)
		where := map[event.ID]*keeper{} // a repetition comes where the event came
		share := s.r.IntN(4)            // of four: down to none at the first of the two
		for range 300 + s.r.IntN(500) {
			e := s.next()
			k := where[e.ID]
			if k == nil {
				if k = two; s.r.IntN(4) < share {
					k = one
				}
				where[e.ID] = k
			}
			k.hear(&e, s.now)
		}
		one.join(t, two)
		for range 400 {
			e := s.next()
			one.hear(&e, s.now)
		}
		for id, n := range one.applied {
			if n != 1 {
				t.Fatalf("%s was applied %d times", id, n)
			}
		}
		if len(one.applied) != len(s.sent) || int(one.p.Count) != len(s.sent) {
			t.Fatalf("%d are applied and %d counted of %d", len(one.applied), one.p.Count, len(s.sent))
		}
	})
}

// The history is on disk: a profile that asks it for each event would be slow.
func TestARegularCustomerNeverAsksTheHistory(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	for i := range 2000 {
		at := noon.Add(time.Duration(i) * hour)
		e := event.Event{ID: event.ID(fmt.Sprint(i)), Type: event.Track, Name: "Click", At: at, Raw: at}
		if got := p.Sees(&e); got != profile.Unseen {
			t.Fatalf("event %d: %d, want certainly new", i, got)
		}
		p.Remember(&e)
		if got := p.Sees(&e); got != profile.SeenBefore {
			t.Fatalf("event %d, repeated: %d, want certainly seen", i, got)
		}
	}
	old := event.Event{ID: "0", At: noon, Raw: noon}
	if got := p.Sees(&old); got != profile.AskMonth {
		t.Errorf("the first event, repeated: %d, want the month asked", got)
	}
	old.Raw = 0
	if got := p.Sees(&old); got != profile.AskAll {
		t.Errorf("without a time of its own: %d, want everything asked", got)
	}
}
