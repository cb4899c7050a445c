package clock_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/event"
)

func TestAVirtualClockStandsUntilItIsMoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.Virtual(1000)
		time.Sleep(time.Hour)
		if !c.Virtual() || c.Now() != 1000 {
			t.Errorf("it is %d", c.Now())
		}
		c.Set(5000)
		c.Set(4000) // time never runs backwards
		if c.Now() != 5000 {
			t.Errorf("it is %d, want 5000", c.Now())
		}
	})
}

func TestTheClockOnTheWallCannotBeSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.Wall()
		want := event.At(time.Now())
		c.Set(want.Add(time.Hour))
		if c.Virtual() || c.Now() != want {
			t.Errorf("it is %s, want %s", c.Now(), want)
		}
	})
}

func TestAVirtualClockThatIsReleasedRunsFromWhereItStood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := event.At(time.Date(2010, 12, 9, 8, 0, 0, 0, time.UTC))
		c := clock.Virtual(at)
		c.Release()
		if c.Virtual() || c.Now() != at {
			t.Errorf("it is %s, want %s", c.Now(), at)
		}
		time.Sleep(90 * time.Second)
		c.Release() // again: nothing happens
		c.Set(at.Add(time.Hour))
		if want := at.Add(90 * time.Second); c.Now() != want {
			t.Errorf("ninety seconds later it is %s, want %s", c.Now(), want)
		}
	})
}

func TestOfManyWhoMoveAClockTheLastInstantHolds(t *testing.T) {
	t.Parallel()
	c := clock.Virtual(1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 500 {
				at := event.Time(k*8 + i)
				c.Set(at)
				if now := c.Now(); now < at {
					t.Errorf("moved to %d it says %d", at, now)
				}
			}
		})
	}
	wg.Wait()
	if c.Now() != 499*8+7 {
		t.Errorf("it is %d", c.Now())
	}
}
