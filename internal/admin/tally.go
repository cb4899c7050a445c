package admin

import (
	"context"
	"maps"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// tally adds up of the feed what pages draw: orders and messages by week, and
// what happened at each step of each journey. Its size is that of the
// definitions and of the years, not that of the customers.
type tally struct {
	after    []uint64 // by lane: the last block that was read
	weeks    map[int64]week
	journeys map[string]*walk
}

// week is what happened in one week.
type week struct{ orders, sent int64 }

// walk is what happened in one journey: in runs, not in people.
type walk struct {
	entered, held, left, goals int64
	steps                      map[string]*passage
}

// passage is what became of the messages of one step.
type passage struct{ sent, notSent, withheld int64 }

func newTally() *tally {
	return &tally{weeks: map[int64]week{}, journeys: map[string]*walk{}}
}

func (t *tally) clone() *tally {
	c := &tally{weeks: maps.Clone(t.weeks), journeys: make(map[string]*walk, len(t.journeys))}
	for name, w := range t.journeys {
		own := *w
		own.steps = make(map[string]*passage, len(w.steps))
		for step, p := range w.steps {
			one := *p
			own.steps[step] = &one
		}
		c.journeys[name] = &own
	}
	return c
}

const (
	// maxLanes bounds the lanes that are looked for.
	maxLanes = 64
	// blocks is how many feed blocks are read at once.
	blocks = 64
	// maxNames bounds the journeys, and the steps of each, that are kept apart.
	// Definitions have fewer; older versions may have had others.
	maxNames = 2000
)

// load reads what the feed has to tell since the last time, until ctx ends. It
// reports whether there is more.
func (t *tally) load(ctx context.Context, s store.Store) (behind bool, err error) {
	for lane := range maxLanes {
		if lane == len(t.after) {
			// Every lane hears of the definitions, so one without a position does not exist.
			pos, err := s.Position(ctx, lane)
			if err != nil {
				return true, err
			}
			if pos == (store.Position{}) {
				return false, nil
			}
			t.after = append(t.after, 0)
		}
		for {
			if ctx.Err() != nil {
				return true, nil
			}
			list, err := s.Feed(ctx, lane, t.after[lane], blocks)
			if err != nil {
				return true, err
			}
			for i := range list {
				// A block is read whole or not at all, so that nothing counts twice.
				if err := feed.Each(list[i].Body, t.add); err != nil {
					return true, err
				}
				t.after[lane] = list[i].To
			}
			if len(list) < blocks {
				break
			}
		}
	}
	return false, nil
}

func (t *tally) add(r feed.Row) error {
	switch r.Kind {
	case feed.Event:
		if r.Name == event.OrderCompleted && r.Order != nil {
			w := t.weeks[weekOf(r.At)]
			w.orders++
			t.weeks[weekOf(r.At)] = w
		}
	case feed.Fact:
		w := t.walk(r.Props.Text("journey"))
		switch r.Name {
		case event.JourneyEntered:
			w.entered++
			if held, _ := r.Props.Get("held_out"); held.Kind == event.True {
				w.held++
			}
		case event.JourneyLeft:
			w.left++
		case event.GoalReached:
			w.left++
			w.goals++
		}
	case feed.Delivery:
		p := t.walk(r.Name).step(r.Step)
		switch r.State {
		case profile.Accepted, profile.Unknown: // what may have left counts as sent
			p.sent++
			w := t.weeks[weekOf(r.At)]
			w.sent++
			t.weeks[weekOf(r.At)] = w
		case profile.Withheld:
			p.withheld++
		case profile.Rejected, profile.Dropped, profile.Recalled, profile.Expired, profile.Failed:
			p.notSent++
		}
	}
	return nil
}

func (t *tally) walk(name string) *walk {
	w := t.journeys[name]
	if w == nil {
		w = &walk{steps: map[string]*passage{}}
		if len(t.journeys) < maxNames {
			t.journeys[name] = w
		}
	}
	return w
}

func (w *walk) step(name string) *passage {
	p := w.steps[name]
	if p == nil {
		p = &passage{}
		if len(w.steps) < maxNames {
			w.steps[name] = p
		}
	}
	return p
}

const weekLong = event.Time(7 * 24 * time.Hour / time.Millisecond)

// monday is a Monday, 00:00 UTC, before everything that a shop can tell of.
const monday event.Time = -3 * 24 * 60 * 60 * 1000

// weekOf returns the number of the week, from Monday to Sunday in UTC.
func weekOf(at event.Time) int64 {
	n := at - monday
	if n < 0 {
		n -= weekLong - 1
	}
	return int64(n / weekLong)
}

// weekStart returns the first instant of a week.
func weekStart(n int64) event.Time { return monday + event.Time(n)*weekLong }
