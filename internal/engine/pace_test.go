package engine_test

import (
	"testing"
	"time"

	"rapport/internal/engine"
)

// A sweep that could be faster than promised rests for the time that it saves, one that
// cannot for a part of its own, and what a commit took is made up for.
func TestASweepRestsForTheTimeThatItHas(t *testing.T) {
	t.Parallel()
	const some, million = 64, 1_000_000
	for _, test := range []struct {
		name        string
		light       bool
		work        time.Duration // for some customers
		stall       time.Duration // after each hundredth piece of work
		least, most time.Duration // for a million
	}{
		{"fast", false, time.Millisecond, 0, 84 * time.Second, 86 * time.Second},
		{"fast, beside commits", false, 3 * time.Millisecond, 100 * time.Millisecond, 84 * time.Second, 86 * time.Second},
		{"slow", false, 8 * time.Millisecond, 0, 135 * time.Second, 136 * time.Second},
		{"hot rows", true, 320 * time.Microsecond, 0, 14300 * time.Millisecond, 14500 * time.Millisecond},
		{"hot rows, slow", true, 1280 * time.Microsecond, 0, 22400 * time.Millisecond, 22600 * time.Millisecond},
	} {
		now := time.Unix(0, 0)
		rest := engine.Pace(test.light, now)
		shortest := time.Hour
		for n := range million / some {
			now = now.Add(test.work)
			if n%100 == 99 {
				now = now.Add(test.stall)
			}
			r := rest(some, test.work, now)
			shortest = min(shortest, r)
			now = now.Add(r)
		}
		if took := now.Sub(time.Unix(0, 0)); took < test.least || took > test.most {
			t.Errorf("%s: a million took %v, want %v to %v", test.name, took, test.least, test.most)
		}
		if shortest <= 0 {
			t.Errorf("%s: once it did not rest", test.name)
		}
	}
	// What was lost is not made up for without end.
	now := time.Unix(0, 0)
	rest := engine.Pace(false, now)
	now = now.Add(time.Hour)
	pieces := 0
	for rest(some, 0, now) < time.Millisecond {
		pieces++
	}
	if pieces < 100 || pieces > 300 {
		t.Errorf("after an hour it goes without rest for %d pieces, want those of a second", pieces)
	}
}

// What a rest was too long the next one is shorter, but a long stop is not made up for.
func TestARestThatWasTooLongIsMadeUpFor(t *testing.T) {
	t.Parallel()
	const most = 2 * time.Millisecond
	for _, test := range []struct {
		rest, before time.Duration
		least, most  time.Duration
	}{
		{0, 0, 0, 0},
		{-300 * time.Microsecond, time.Hour, 300 * time.Microsecond, 300 * time.Microsecond},
		{time.Microsecond, 0, 0, most},
		{time.Microsecond, time.Hour, most, most},
	} {
		if over := engine.Rest(test.rest, time.Now().Add(-test.before)); over < test.least || over > test.most {
			t.Errorf("a rest of %v that begins %v ago was too long by %v, want %v to %v", test.rest, test.before, over, test.least, test.most)
		}
	}
}
